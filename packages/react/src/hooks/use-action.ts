/**
 * Something that a person does: once at a time, with what came of it.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import type { QueryKey } from '@tanstack/react-query'
import { useCallback, useLayoutEffect, useRef, useState } from 'react'
import { useContextOf } from '../context.ts'
import { asSallyportError } from '../create-sallyport.ts'

/** How an action went. A refusal is expected, and no exception. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: SallyportError }

/** Something that can be done, and how it stands with it. */
export interface Action<Input, T> {
  /** Does it. Never rejects. While it is busy a second call waits for nothing and does nothing: it resolves as the first one. */
  run(input: Input): Promise<Outcome<T>>
  readonly busy: boolean
  /** What it is busy with, or was refused for. */
  readonly input: Input | undefined
  /** Why the last one was refused; `undefined` once another has begun. */
  readonly error: SallyportError | undefined
  /** Forgets the refusal. */
  reset(): void
}

export interface ActionOptions<T> {
  /** Whatever is loaded under these keys is loaded anew before the action is over. */
  readonly refreshes?: readonly QueryKey[]
  /** Said to the person when it went well. */
  readonly notice?: ((value: T) => string) | undefined
}

interface State<Input> {
  readonly busy: boolean
  readonly input?: Input
  readonly error?: SallyportError
}

/**
 * Makes an action of what a function does. Its own refusals belong to it: nothing is thrown, nothing is told twice.
 *
 * @param act Rejects with a `SallyportError`, as all calls of the client do.
 */
export function useAction<T, Input = void>(
  act: (input: Input) => Promise<T>,
  { refreshes = [], notice }: ActionOptions<T> = {},
): Action<Input, T> {
  const { page, queries, notify } = useContextOf('useAction')
  const [state, setState] = useState<State<Input>>({ busy: false })
  const latest = useRef({ act, refreshes, notice })
  useLayoutEffect(() => {
    latest.current = { act, refreshes, notice }
  })
  const running = useRef<Promise<Outcome<T>>>(undefined)

  const run = useCallback(
    (input: Input): Promise<Outcome<T>> => {
      if (running.current !== undefined) return running.current
      const outcome = (async (): Promise<Outcome<T>> => {
        setState({ busy: true, input })
        try {
          const value = await latest.current.act(input)
          page.setState({ connection: 'up' })
          await Promise.all(latest.current.refreshes.map((queryKey) => queries.invalidateQueries({ queryKey })))
          setState({ busy: false })
          const words = latest.current.notice?.(value)
          if (words !== undefined) notify(words)
          return { ok: true, value }
        } catch (thrown) {
          const error = asSallyportError(thrown)
          if (error.code === 'NETWORK') page.setState({ connection: 'down' })
          setState({ busy: false, input, error })
          return { ok: false, error }
        }
      })()
      // Out here: what throws at once would be over before it is noted, and then nothing could ever be done again.
      running.current = outcome
      void outcome.finally(() => {
        running.current = undefined
      })
      return outcome
    },
    [page, queries, notify],
  )
  const reset = useCallback(() => setState({ busy: false }), [])
  return { run, reset, busy: state.busy, input: state.input, error: state.error }
}
