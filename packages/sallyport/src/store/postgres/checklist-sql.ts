/**
 * The counts that the checklist is judged by, in one statement, so that they are of one instant.
 *
 * A tenant's log and its tables have no bound, and the answer is to come at any size: of each, the oldest and the newest rows
 * are looked at, which is where what a control looks for shows. What the tables are to hold to at all sizes, the database
 * itself refuses to break.
 *
 * @module
 */

import type { ChecklistCount } from '../contract/evidence.ts'
import { CHECKLIST_WINDOW } from '../contract/evidence.ts'
import type { Statement } from './database.ts'
import { nowSql } from './database.ts'
import { liveSql } from './live-sessions.ts'

/** The newest events, and of each table the oldest and the newest rows; ids are in the order of time. */
const WINDOWS: Readonly<Record<string, string>> = {
  events: `select id, created_at, action, outcome, session_id, user_id, resource_id, correlation_id, metadata->>'targetUserId' as target
    from audit_logs where tenant_id = $1::uuid order by created_at desc, id desc limit ${CHECKLIST_WINDOW}`,
  // Of a log that is shorter than the window every event is looked at, and so whatever happened should have one.
  since: `select case when count(*) < ${CHECKLIST_WINDOW} then '-infinity' else min(created_at) end as at from events`,
  tokens: bothEnds(
    'refresh_tokens',
    'id, tenant_id, family_id, token_hash, consumed_at, is_revoked, expires_at, suspicious_reuse_at',
  ),
  sessions: bothEnds(
    'user_sessions',
    'id, user_id, staff_id, kind, created_at, last_seen_at, expires_at, revoked_at, reason, real_user_id',
  ),
  challenges: bothEnds('step_up_challenges', 'id, created_at, verified_at, expires_at'),
  ended: `select id, user_id, revoked_at from user_sessions, since where tenant_id = $1::uuid and revoked_at >= since.at
    order by revoked_at desc limit 1000`,
  reused: `select suspicious_reuse_at as at from tokens, since where suspicious_reuse_at >= since.at
    order by suspicious_reuse_at desc limit 1000`,
}

function bothEnds(table: string, columns: string): string {
  const end = (order: string): string =>
    `(select ${columns} from ${table} where tenant_id = $1::uuid order by id ${order} limit ${CHECKLIST_WINDOW})`
  return `select distinct on (id) * from (${end('')} union all ${end('desc')}) ends`
}

/** Each counts what its name says, of the tenant `$1` with its limits `$3` and `$4`; `clock.now` is the database's clock. A day's grace is the cleanup's. */
const COUNTS: Readonly<Record<ChecklistCount, string>> = {
  live_sessions: `from sessions s where ${liveSql('s', { now: 'clock.now', idleMs: '$3', maxSessionLifeMs: '$4' })}`,
  sessions_past_end: "from sessions where revoked_at is null and expires_at < clock.now - interval '1 day'",
  ended_sessions_without_event: `from ended where not (
    id in (select session_id from events where outcome = 'SUCCESS' and session_id is not null)
    or id::text in (select resource_id from events where outcome = 'SUCCESS' and resource_id is not null)
    or user_id in (select user_id from events where outcome = 'SUCCESS' and user_id is not null)
    or user_id::text in (select target from events where outcome = 'SUCCESS' and target is not null))`,
  tokens_unhashed: 'from tokens where octet_length(token_hash) <> 32',
  tokens_of_no_family: `from tokens t where not exists (
    select from token_families f where f.id = t.family_id and f.tenant_id = t.tenant_id)`,
  live_tokens_past_expiry: `from tokens where consumed_at is null and not is_revoked and expires_at < clock.now - interval '1 day'`,
  forked_generations: `from (select from tokens where consumed_at is null and not is_revoked
    group by family_id having count(*) > 1) forked`,
  live_tokens_of_ended_families: `from tokens t join token_families f on f.id = t.family_id and f.tenant_id = t.tenant_id
    where f.revoked_at is not null and not t.is_revoked and t.consumed_at is null`,
  reuses: 'from tokens where suspicious_reuse_at is not null',
  reuses_without_event: `from reused where not exists (
    select from events l where l.action in ('AUTH_REFRESH_FAILED', 'SUSPICIOUS_LOGIN_DETECTED', 'SESSION_INVALIDATED')
      and l.created_at between reused.at - interval '1 hour' and reused.at + interval '1 hour')`,
  challenges_without_end: `from challenges where expires_at > created_at + interval '1 hour'`,
  challenges_verified_late: 'from challenges where verified_at > expires_at',
  step_ups: `from events where action = 'STEP_UP_VERIFIED'`,
  suspicious_sign_ins: `from events where action = 'SUSPICIOUS_LOGIN_DETECTED'`,
  impersonations: `from sessions where kind = 'impersonation'`,
  impersonations_of_owners: `from sessions s join tenant_staff m on m.tenant_id = $1::uuid and m.id = s.staff_id
    where s.kind = 'impersonation' and m.role = 'owner' and m.created_at <= s.created_at and s.revoked_at is null`,
  impersonations_without_reason: `from sessions where kind = 'impersonation'
    and (coalesce(reason, '') = '' or real_user_id is null)`,
  impersonations_open_too_long: `from sessions where kind = 'impersonation' and expires_at > created_at + interval '8 hours'`,
  events: 'from events',
  events_without_correlation: `from events where correlation_id = ''`,
  events_unsealed_late: `from audit_pending p join audit_logs l on l.tenant_id = p.tenant_id and l.id = p.id
    where p.tenant_id = $1::uuid and l.created_at < clock.now - interval '10 minutes'`,
  exports: `from events where action = 'DATA_EXPORT_STARTED'`,
  exports_without_end: `from events s where s.action = 'DATA_EXPORT_STARTED' and s.created_at < clock.now - interval '1 day'
    and not s.resource_id in (select e.resource_id from events e
      where e.action in ('DATA_EXPORT_COMPLETED', 'DATA_EXPORT_FAILED') and e.resource_id is not null)`,
  purges: `from events where action = 'EVIDENCE_PURGED'`,
  factors: `from tenant_staff m where m.tenant_id = $1::uuid and m.status = 'active' and exists (
    select from mfa_factors f where f.user_id = m.user_id and f.verified_at is not null and f.disabled_at is null)`,
  ip_rules: `from events where action in ('IP_RULE_CREATED', 'IP_RULE_UPDATED', 'IP_RULE_DELETED')`,
}

export const COUNTS_SQL: Statement = {
  name: 'sallyport_evidence_counts',
  text: `with clock as materialized (select ${nowSql('$2')} as now),
    ${Object.entries(WINDOWS)
      .map(([name, text]) => `${name} as materialized (${text})`)
      .join(',\n    ')}
    select clock.now, ${Object.entries(COUNTS)
      .map(([name, from]) => `(select count(*) ${from})::float8 as ${name}`)
      .join(', ')}
    from clock`,
}
