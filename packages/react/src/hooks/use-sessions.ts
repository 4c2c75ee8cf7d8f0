/**
 * Sessions: one's own, or those of a member.
 *
 * @module
 */

import type { Operations, Session } from '@sallyport/client'
import { useContextOf } from '../context.ts'
import type { LoadedPages } from './query.ts'
import { useKey, useLoadedPages } from './query.ts'
import type { Action } from './use-action.ts'
import { useAction } from './use-action.ts'
import { useMessages } from '../context.ts'

export interface UseSessionsOptions {
  /** Whose; one's own where it is left out. */
  readonly userId?: string | undefined
  /** Defaults to `active`. */
  readonly state?: 'active' | 'ended' | 'all'
  readonly enabled?: boolean
}

export interface Sessions extends LoadedPages<Session> {
  /** The session that this page speaks from. */
  readonly currentSessionId: string | undefined
  /** Ends one. */
  readonly revoke: Action<string, Operations['revokeSession']['output']>
  /** Ends all of one's own but this one. */
  readonly revokeOthers: Action<void, Operations['revokeOtherSessions']['output']>
}

type SessionsPage = Operations['listSessions']['output']

export function useSessions({ userId, state = 'active', enabled = true }: UseSessionsOptions = {}): Sessions {
  const { client } = useContextOf('useSessions')
  const { sessions } = useMessages()
  const key = useKey()
  const list = useLoadedPages<SessionsPage, Session>(
    ['sessions', { userId, state }],
    ({ api }, cursor, signal) => api.listSessions({ userId, state, cursor, limit: 50 }, { signal }),
    (page) => page.sessions,
    { enabled, every: 60_000 },
  )
  const refreshes = [key('sessions'), key('team')]
  const revoke = useAction((sessionId: string) => client.api.revokeSession({ sessionId }), {
    refreshes,
    notice: () => sessions.revoked,
  })
  const revokeOthers = useAction(() => client.api.revokeOtherSessions(), {
    refreshes,
    notice: ({ revoked }) => sessions.othersRevoked(revoked),
  })
  return { ...list, currentSessionId: list.pages[0]?.currentSessionId, revoke, revokeOthers }
}
