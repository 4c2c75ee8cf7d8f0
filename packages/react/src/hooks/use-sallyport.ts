/**
 * The client, and what happens around it on this page.
 *
 * @module
 */

import type { Client, SallyportError } from '@sallyport/client'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { useContextOf } from '../context.ts'
import type { Connection, Notice, Sallyport } from '../create-sallyport.ts'

/** The client of the provider, and words to the person. */
export function useSallyport(): { readonly client: Client } & Pick<Sallyport, 'notify' | 'dismiss'> {
  const { client, notify, dismiss } = useContextOf('useSallyport')
  return useMemo(() => ({ client, notify, dismiss }), [client, notify, dismiss])
}

/** Whether the service could be reached the last time. While it is `down` it is asked again by itself. */
export function useConnection(): Connection {
  return useStore(useContextOf('useConnection').page, ({ connection }) => connection)
}

/** Why it could not be told who is signed in, and another try; `error` is undefined where it could. */
export function useResume(): { readonly error: SallyportError | undefined; retry(): Promise<void> } {
  const { page, resume } = useContextOf('useResume')
  const error = useStore(page, ({ resumeError }) => resumeError)
  return useMemo(() => ({ error, retry: resume }), [error, resume])
}

/** The notices that are to be shown, for those who show them themselves. */
export function useNotices(): readonly Notice[] {
  return useStore(useContextOf('useNotices').page, ({ notices }) => notices)
}
