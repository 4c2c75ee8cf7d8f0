/**
 * Hands a client and texts down to the components and hooks.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import { SallyportContext, TextsContext } from './context.ts'
import type { Sallyport } from './create-sallyport.ts'
import type { MessageOverrides } from './messages/messages.ts'
import { withOverrides } from './messages/messages.ts'
import { StepUpDialog } from './step-up/step-up-dialog.tsx'
import { Notices } from './ui/notices.tsx'

export interface SallyportProviderProps {
  /** Of `createSallyport()`. */
  readonly sallyport: Sallyport
  /** Texts in the place of the English ones. */
  readonly messages?: MessageOverrides
  /** For dates, numbers and names of countries. Defaults to `en`, as the texts. */
  readonly locale?: string
  /** Whether the step-up dialog opens by itself. Set it to false where you render one of your own with `useStepUp`. Defaults to true. */
  readonly dialog?: boolean
  /** Whether notices are shown at the bottom of the page. Set it to false to show them yourself, with `useNotices`. Defaults to true. */
  readonly notices?: boolean
  readonly children?: ReactNode
}

/**
 * Resumes the session of the page, opens the step-up dialog when an action needs it, and waits for a service that is away.
 *
 * @example
 * <SallyportProvider sallyport={sallyport}><App /></SallyportProvider>
 */
export function SallyportProvider({
  sallyport,
  messages,
  locale = 'en',
  dialog = true,
  notices = true,
  children,
}: SallyportProviderProps): ReactNode {
  const texts = useMemo(() => ({ messages: withOverrides(messages), locale }), [messages, locale])
  useResumed(sallyport)
  useReconnecting(sallyport)
  return (
    <SallyportContext value={sallyport}>
      <TextsContext value={texts}>
        {children}
        {dialog && <StepUpDialog />}
        {notices && <Notices />}
      </TextsContext>
    </SallyportContext>
  )
}

const SOON_MS = 1000
const AT_MOST_MS = 5000

/** Looks once who is signed in. */
function useResumed({ resume }: Sallyport): void {
  useEffect(() => void resume(), [resume])
}

/** While the service is away it is asked again and again; once it answers, everything in sight is loaded anew. */
function useReconnecting({ page, queries, resume }: Sallyport): void {
  const down = useStore(page, ({ connection }) => connection === 'down')
  useEffect(() => {
    if (!down) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let wait = SOON_MS
    const ask = async (): Promise<void> => {
      await resume()
      if (page.getState().connection === 'up') return queries.refetchQueries({ type: 'active' })
      wait = Math.min(AT_MOST_MS, wait * 1.5)
      timer = setTimeout(() => void ask(), wait)
    }
    timer = setTimeout(() => void ask(), wait)
    return () => clearTimeout(timer)
  }, [down, page, queries, resume])
}
