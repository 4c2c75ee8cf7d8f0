/**
 * When a session still counts as live, in SQL: one predicate for whatever lists or counts sessions, so that no count tells
 * otherwise than the judgement of a request.
 *
 * @module
 */

import { type SQL, sql } from 'drizzle-orm'
import type { LiveLimits } from '../contract/sessions.ts'

/** Counting beyond this tells nothing more, and a heap of forgotten sessions must not slow every refresh down. */
const MOST_COUNTED = 200

/** SQL expressions: the clock, and the limits in milliseconds. */
export interface LiveSql {
  readonly now: string
  readonly idleMs: string
  readonly maxSessionLifeMs: string
}

/**
 * Whether the row `session` is live: not ended, and within its own end and the limits that hold now. A row keeps the end that it was
 * made with; limits that were tightened since hold for it all the same.
 */
export function liveSql(session: string, { now, idleMs, maxSessionLifeMs }: LiveSql): string {
  return `(${session}.revoked_at is null and ${session}.expires_at > ${now}
    and ${session}.created_at > ${now} - ${maxSessionLifeMs}::float8 * interval '1 millisecond'
    and ${session}.last_seen_at > ${now} - ${idleMs}::float8 * interval '1 millisecond')`
}

/** The same for Drizzle's queries of `user_sessions`. */
export function isLive(now: SQL | Date, { idleMs, maxSessionLifeMs }: LiveLimits): SQL {
  const clock = now instanceof Date ? sql`${now.toISOString()}::timestamptz` : now
  const values = [clock, sql`${idleMs}`, sql`${maxSessionLifeMs}`]
  const text = liveSql('user_sessions', { now: '$1', idleMs: '$2', maxSessionLifeMs: '$3' })
  return sql.join(text.split(/\$(\d)/).map((part, at) => (at % 2 === 0 ? sql.raw(part) : values[Number(part) - 1])))
}

/** How many live sign-in sessions a member has. The arguments are SQL expressions. */
export function liveSessionsSql(
  of: LiveSql & {
    readonly tenantId: string
    readonly staffId: string
    /** Only those made within this many milliseconds. */
    readonly withinMs?: string
  },
): string {
  const young = of.withinMs && `and l.created_at > ${of.now} - ${of.withinMs}::float8 * interval '1 millisecond'`
  return `(select count(*)::int4 from (select 1 from user_sessions l
    where l.tenant_id = ${of.tenantId} and l.staff_id = ${of.staffId} and l.kind = 'login' and ${liveSql('l', of)}
      ${young ?? ''} limit ${MOST_COUNTED}) live)`
}
