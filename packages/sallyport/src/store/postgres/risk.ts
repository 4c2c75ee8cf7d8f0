/**
 * Risk in PostgreSQL: history, waiting sessions, and proofs of keys.
 *
 * @module
 */

import { and, eq, isNull } from 'drizzle-orm'
import type { ChallengeId } from '../../ids.ts'
import type { SeenSession } from '../../risk/facts.ts'
import type { RiskStore } from '../contract/risk.ts'
import { FAILURES_WITHIN_MS, HISTORY_SESSIONS } from '../contract/risk.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Statement } from './database.ts'
import { nowSql } from './database.ts'
import { incidentStore } from './incidents.ts'
import { liveSessionsSql } from './live-sessions.ts'
import { userSessions } from './schema.ts'

/** The clock as a value that an index can be searched by. `parameter` is bound to the shift in milliseconds. */
export function stableNowSql(parameter: string): string {
  return `(statement_timestamp() + ${parameter}::float8 * interval '1 millisecond')`
}

/** Counting beyond this tells nothing more. */
const MOST_COUNTED = 200

/** How many sign-ins and step-ups failed on an account lately. */
export function recentFailuresSql(userId: string, now: string): string {
  const since = `${now} - interval '${FAILURES_WITHIN_MS} milliseconds'`
  return `((select count(*)::int4 from (select 1 from audit_logs a where a.action = 'AUTH_LOGIN_FAILED'
      and a.resource_id = ${userId}::text and a.created_at > ${since}
      and a.failure_reason in ('INVALID_CREDENTIALS', 'RATE_LIMITED') limit ${MOST_COUNTED}) signs)
    + (select count(*)::int4 from (select 1 from audit_logs a where a.action = 'STEP_UP_VERIFIED' and a.outcome = 'FAIL'
      and a.user_id = ${userId} and a.created_at > ${since}
      and a.failure_reason in ('INVALID_OTP', 'RATE_LIMITED') limit ${MOST_COUNTED}) steps))`
}

/** $1 tenant, $2 user, $3 staff. Only sign-in sessions: an admin's place never becomes the target's. */
const HISTORY = `(select coalesce(json_agg(h), '[]'::json) from (
    select extract(epoch from last_seen_at) * 1000 as "lastSeenAt", ip_address as "ipAddress", user_agent as "userAgent",
      country, city, latitude, longitude, device_fingerprint as fingerprint,
      encode(device_cookie_hash, 'hex') as "cookieHash"
    from user_sessions where tenant_id = $1 and user_id = $2 and staff_id = $3 and kind = 'login'
    order by last_seen_at desc, id desc limit ${HISTORY_SESSIONS}) h)`

/** $1 tenant, $3 staff, $4 the device's digest. */
const trustedSql = (now: string) => `exists (select 1 from trusted_devices d
    where d.tenant_id = $1 and d.staff_id = $3 and d.device_hash = $4 and d.trusted_until > ${now})`

const SIGN_IN: Statement = {
  name: 'sallyport_risk_sign_in',
  text: `select ${nowSql('$7')} as now, ${HISTORY} as history,
    ${liveSessionsSql({ tenantId: '$1', staffId: '$3', now: stableNowSql('$7'), idleMs: '$5', maxSessionLifeMs: '$8' })} as live_sessions,
    ${liveSessionsSql({ tenantId: '$1', staffId: '$3', now: stableNowSql('$7'), idleMs: '$5', maxSessionLifeMs: '$8', withinMs: '$6' })} as young_sessions,
    ${recentFailuresSql('$2::uuid', stableNowSql('$7'))} as recent_failures,
    (select last_mfa_at from users where id = $2) as last_mfa_at,
    ${trustedSql(stableNowSql('$7'))} as device_trusted`,
}

const REFRESH: Statement = {
  name: 'sallyport_risk_refresh',
  text: `select ${HISTORY} as history,
    (select c.id from step_up_challenges c where c.tenant_id = $1 and c.session_id = $5 and c.purpose = 'session_risk'
      and c.presented = $6 and c.device = $7 and c.verified_at is not null and c.consumed_at is null
      and c.expires_at > ${stableNowSql('$4')} order by c.verified_at desc limit 1) as step_up`,
}

// What is too old to be accepted for its age makes room now and then, a little at a time.
const USE_PROOF: Statement = {
  name: 'sallyport_use_proof',
  text: `with gone as (delete from dpop_proofs where proof_hash in (
      select proof_hash from dpop_proofs where expires_at < ${stableNowSql('$3')} limit 4 for update skip locked))
    insert into dpop_proofs (proof_hash, expires_at)
    values ($1, ${nowSql('$3')} + $2::float8 * interval '1 millisecond')
    on conflict (proof_hash) do nothing returning 1 as used`,
}

interface HistoryRow extends Omit<SeenSession, 'lastSeenAt'> {
  readonly lastSeenAt: number
}

export function riskStore(database: Database): RiskStore {
  return {
    ...incidentStore(database),

    async signInFacts({ tenantId, userId, staffId, device, idleMs, maxSessionLifeMs, rapidWindowMs }) {
      const [row] = await database.run<{
        now: Date
        history: readonly HistoryRow[]
        live_sessions: number
        young_sessions: number
        recent_failures: number
        last_mfa_at: Date | null
        device_trusted: boolean
      }>(SIGN_IN, [
        tenantId,
        userId,
        staffId,
        device ?? null,
        idleMs,
        rapidWindowMs,
        database.clock.offsetMs,
        maxSessionLifeMs,
      ])
      if (row === undefined) throw new TypeError('risk: the facts of a sign-in answered no row')
      return {
        now: row.now,
        history: row.history.map(toSeen),
        liveSessions: row.live_sessions,
        youngSessions: row.young_sessions,
        recentFailures: row.recent_failures,
        lastMfaAt: row.last_mfa_at,
        deviceTrusted: row.device_trusted,
      }
    },

    async refreshHistory({ tenantId, userId, staffId, sessionId, presented, boundTo }) {
      const [row] = await database.run<{
        history: readonly HistoryRow[]
        step_up: ChallengeId | null
      }>(REFRESH, [tenantId, userId, staffId, database.clock.offsetMs, sessionId, presented, boundTo ?? null])
      if (row === undefined) throw new TypeError('risk: the history of a refresh answered no row')
      return { history: row.history.map(toSeen), stepUp: row.step_up }
    },

    wait: ({ tenantId, sessionId, reason, audit }) =>
      database.transaction(async (tx) => {
        const ours = and(
          eq(userSessions.tenantId, tenantId),
          eq(userSessions.id, sessionId),
          isNull(userSessions.revokedAt),
        )
        const began = await tx.db
          .update(userSessions)
          .set({ stepUpRequiredAt: tx.now, stepUpRisk: reason })
          .where(and(ours, isNull(userSessions.stepUpRequiredAt)))
          .returning({ id: userSessions.id })
        await insertAudit(tx, audit(undefined, tx.now))
        if (began.length > 0) {
          await insertChanges(tx, [{ tenantId, kind: 'session', ref: sessionId }])
          return true
        }
        const waiting = await tx.db.select({ id: userSessions.id }).from(userSessions).where(ours)
        return waiting.length > 0
      }),

    async useProof(proofHash, ttlMs) {
      return (await database.run(USE_PROOF, [proofHash, ttlMs, database.clock.offsetMs])).length === 1
    },
  }
}

function toSeen({ lastSeenAt, ...seen }: HistoryRow): SeenSession {
  return { ...seen, lastSeenAt: new Date(Number(lastSeenAt)) }
}
