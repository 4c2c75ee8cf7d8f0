/**
 * Lists the sessions of a person in a tenant, newest seen first.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SessionId, UserId } from '../ids.ts'
import type { SessionRow } from '../store/contract/sessions.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import type { Caller } from './caller.ts'
import { readCursor, writeCursor } from '../internal/page-cursor.ts'

export interface ListSessionsInput {
  /** Another user of the caller's tenant: needs `SETTINGS_SECURITY_VIEW`. Defaults to the caller. */
  readonly userId?: UserId | undefined
  /** Defaults to `active`. */
  readonly state?: 'active' | 'ended' | 'all' | undefined
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
  /** 1 to 200. Defaults to 50. */
  readonly limit?: number | undefined
}

export interface SessionPage {
  readonly sessions: readonly SessionRow[]
  /** `null` on the last page. */
  readonly nextCursor: string | null
}

/**
 * Lists sessions. A user of another tenant has none here: the answer is the same as for nobody.
 *
 * @throws SallyportError `FORBIDDEN`, `INVALID_REQUEST` (the cursor), `UNAVAILABLE`.
 */
export async function listSessions(
  engine: Engine,
  caller: Caller,
  input: ListSessionsInput = {},
): Promise<SessionPage> {
  const { userId = caller.userId, state = 'active', cursor, limit = 50 } = input
  if (userId !== caller.userId && !caller.permissions.has('SETTINGS_SECURITY_VIEW')) {
    throw new SallyportError('FORBIDDEN', 'This needs the permission SETTINGS_SECURITY_VIEW.')
  }
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, caller.tenantId)
  const end = readCursor(cursor)
  // One more than asked for tells whether there is a next page, without counting.
  const rows = await engine.store.sessions.list({
    tenantId: caller.tenantId,
    userId,
    state,
    idleMs,
    maxSessionLifeMs,
    after: end && { lastSeenAt: end.at, id: end.id as SessionId },
    limit: limit + 1,
  })
  const sessions = rows.slice(0, limit)
  const last = rows.length > limit ? sessions.at(-1) : undefined
  return { sessions, nextCursor: last === undefined ? null : writeCursor({ at: last.lastSeenAt, id: last.id }) }
}
