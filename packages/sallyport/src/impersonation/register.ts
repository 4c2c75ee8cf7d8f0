/**
 * The register of impersonations: who acted as whom, why, when, and how it ended.
 *
 * @module
 */

import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import type { SessionId, StaffId, UserId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import { howEnded } from '../sessions/ended-rows.ts'
import type { ImpersonationRow } from '../store/contract/impersonations.ts'
import { readCursor, writeCursor } from '../internal/page-cursor.ts'

export interface ImpersonationDescription {
  readonly sessionId: SessionId
  readonly realUser: { readonly id: UserId; readonly name: string }
  readonly user: { readonly id: UserId; readonly name: string }
  readonly staffId: StaffId
  readonly reason: string
  readonly ipAddress: string | null
  readonly startedAt: string
  readonly expiresAt: string
  /** Null while it lasts. */
  readonly endedAt: string | null
  /** `exit`, `expired`, or what ended the session behind it; null while it lasts. */
  readonly ended: string | null
  /** Where the rows are that were written meanwhile. */
  readonly events: string
}

export interface RegisterPage {
  readonly impersonations: readonly ImpersonationDescription[]
  /** `null` on the last page. */
  readonly nextCursor: string | null
}

/** @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_VIEW`, `INVALID_REQUEST` (the cursor). */
export async function listImpersonations(
  engine: Engine,
  caller: Caller,
  { cursor, limit = 50 }: { readonly cursor?: string | undefined; readonly limit?: number | undefined } = {},
): Promise<RegisterPage> {
  requirePermission(caller, 'SETTINGS_SECURITY_VIEW')
  const end = readCursor(cursor)
  const rows = await engine.store.impersonations.register({
    tenantId: caller.tenantId,
    limit: limit + 1,
    after: end && { startedAt: end.at, id: end.id as SessionId },
  })
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  const now = engine.live.now() ?? Number.POSITIVE_INFINITY
  return {
    impersonations: shown.map((row) => describe(engine, row, now)),
    nextCursor: last === undefined ? null : writeCursor({ at: last.startedAt, id: last.sessionId }),
  }
}

function describe(engine: Engine, row: ImpersonationRow, now: number): ImpersonationDescription {
  // Its end may not have been written yet: by its time it is over all the same.
  const lapsed = row.endedAt === null && row.expiresAt.getTime() <= now
  const endedAt = row.endedAt ?? (lapsed ? row.expiresAt : null)
  const range = new URLSearchParams({
    // Its own rows alone: the person acted as may have been busy meanwhile.
    sessionId: row.sessionId,
    from: row.startedAt.toISOString(),
    // Half-open: the row of the end itself belongs to it.
    ...(endedAt !== null && { to: new Date(endedAt.getTime() + 1000).toISOString() }),
  })
  return {
    sessionId: row.sessionId,
    realUser: row.realUser,
    user: row.user,
    staffId: row.staffId,
    reason: row.reason,
    ipAddress: row.ipAddress,
    startedAt: row.startedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    ended: lapsed ? 'expired' : row.endReason === null ? null : howEnded(row.endReason),
    events: `${engine.settings.basePath}/audit/events?${range.toString()}`,
  }
}
