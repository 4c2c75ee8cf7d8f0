/**
 * Lists what was detected in a tenant: thefts of refresh tokens, and sign-ins and sessions that were stopped.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { AuditId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import { readCursor, writeCursor } from '../internal/page-cursor.ts'

/** One incident, as its audit row tells it. */
export interface Incident {
  readonly id: AuditId
  readonly at: Date
  /** `reuse_detected`, `high_risk_activity`, `rapid_token_creation`. */
  readonly reason: string
  readonly level: string
  readonly score: number | null
  readonly reasons: readonly string[]
  /** Whom it happened to. */
  readonly userId: string | null
  /** As they are called now; null where they are not known in the tenant. */
  readonly userName: string | null
  readonly staffId: string | null
  readonly sessionId: string | null
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string
}

/** The caller stands behind `SETTINGS_SECURITY_VIEW`. @throws SallyportError `INVALID_REQUEST` (the cursor), `UNAVAILABLE`. */
export async function listIncidents(
  engine: Pick<Engine, 'store'>,
  { tenantId }: Pick<Caller, 'tenantId'>,
  { cursor, limit = 50 }: { readonly cursor?: string | undefined; readonly limit?: number | undefined } = {},
): Promise<{ readonly incidents: readonly Incident[]; readonly nextCursor: string | null }> {
  const end = readCursor(cursor)
  const after = end && { createdAt: end.at, id: end.id }
  // One more than asked for tells whether there is a next page.
  const rows = await engine.store.risk.incidents({ tenantId, after, limit: limit + 1 })
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    incidents: await describeIncidents(engine, tenantId, page),
    nextCursor: last === undefined ? null : writeCursor({ at: last.createdAt, id: last.id }),
  }
}

/** The rows as incidents, with the names of those whom they happened to. */
export async function describeIncidents(
  { store }: Pick<Engine, 'store'>,
  tenantId: Caller['tenantId'],
  rows: readonly AuditRow[],
): Promise<readonly Incident[]> {
  const targets = rows.map((row) => detailsOf(row)['targetUserId']).filter((id) => typeof id === 'string')
  const names = await store.directory.names(tenantId, targets)
  return rows.map((row) => incidentOf(row, names))
}

function incidentOf(row: AuditRow, names: ReadonlyMap<string, string>): Incident {
  const { reason, level, score, reasons, targetUserId, targetStaffId } = detailsOf(row)
  return {
    id: row.id,
    at: row.createdAt,
    reason: typeof reason === 'string' ? reason : 'unknown',
    level: typeof level === 'string' ? level : 'critical',
    score: typeof score === 'number' ? score : null,
    reasons: Array.isArray(reasons) ? reasons.filter((one) => typeof one === 'string') : [],
    userId: typeof targetUserId === 'string' ? targetUserId : null,
    userName: typeof targetUserId === 'string' ? (names.get(targetUserId) ?? null) : null,
    staffId: typeof targetStaffId === 'string' ? targetStaffId : null,
    sessionId: row.sessionId,
    ipAddress: row.ipAddress,
    country: row.country,
    city: row.city,
    userAgent: row.userAgent,
    correlationId: row.correlationId,
  }
}

/** The row's own words: signals with their evidence, both uses of a stolen token. */
export function detailsOf({ metadata }: Pick<AuditRow, 'metadata'>): Readonly<Record<string, unknown>> {
  return typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {}
}
