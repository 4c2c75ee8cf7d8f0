/**
 * Acting as another member, and the register of it.
 *
 * @module
 */

import type { Impersonation, Operations, SignedInState } from '@sallyport/client'
import { useContextOf, useMessages } from '../context.ts'
import type { LoadedPages } from './query.ts'
import { useLoadedPages } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'
import { useSession } from './use-session.ts'

export interface ImpersonationState {
  /** Set while somebody acts as another on this page. */
  readonly current: Impersonation | undefined
  /** Whom they act as. */
  readonly actingAs: SignedInState['user'] | undefined
  readonly start: Action<Operations['startImpersonation']['input'], SignedInState>
  readonly exit: Action<void, SignedInState | undefined>
}

export function useImpersonation(): ImpersonationState {
  const { client } = useContextOf('useImpersonation')
  const { impersonation } = useMessages()
  const auth = useSession()
  const current = auth.status === 'signed-in' ? (auth.impersonation ?? undefined) : undefined
  return {
    current,
    actingAs: auth.status === 'signed-in' && current !== undefined ? auth.user : undefined,
    start: useAction((input) => client.impersonate(input)),
    exit: useAction(() => client.exitImpersonation(), { notice: () => impersonation.exited }),
  }
}

type RegisterPage = Operations['listImpersonations']['output']
export type ImpersonationEntry = RegisterPage['impersonations'][number]

/** Who acted as whom, why, when, and how it ended: newest first. */
export function useImpersonations(): LoadedPages<ImpersonationEntry> {
  return useLoadedPages<RegisterPage, ImpersonationEntry>(
    ['impersonations'],
    ({ api }, cursor, signal) => api.listImpersonations({ cursor, limit: 50 }, { signal }),
    (page) => page.impersonations,
  )
}
