/**
 * Refresh tokens in PostgreSQL. The family row is the lock and the truth of a lineage: whoever changes a lineage changes it
 * first.
 *
 * @module
 */

import { and, eq, inArray, isNull, lte, or, sql } from 'drizzle-orm'
import { SallyportError } from '../../errors.ts'
import { batched } from '../../internal/batcher.ts'
import type { ChallengeId, FamilyId, SessionId, StaffId, TenantId, TokenId, UserId } from '../../ids.ts'
import type { Role } from '../../directory/roles.ts'
import type { EndedSessions, EndScope, RevokeReason } from '../contract/ended-sessions.ts'
import type { WaitReason } from '../contract/risk.ts'
import type {
  Binding,
  FamilyRecord,
  NewToken,
  RefreshFacts,
  RiskWindows,
  Rotation,
  TokenStore,
} from '../contract/tokens.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Rowset } from './columns.ts'
import { rowsetSql, rowsetValues } from './columns.ts'
import type { Database, Sql, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { endSessions } from './end-sessions.ts'
import { TryAgain } from './errors.ts'
import { liveSessionsSql } from './live-sessions.ts'
import { recentFailuresSql, stableNowSql } from './risk.ts'
import { refreshTokens, stepUpChallenges, tokenFamilies, userSessions, users } from './schema.ts'
import { distrustDevicesOf } from './trusted-devices.ts'

/** One rotation that must wait for its family keeps no more than these waiting. */
const MOST_TOGETHER = 32

/** What is counted for the risk score, of the member `t`, whose session is `s`, on the device `asked.device`. */
const COUNTED = countedSql({
  shift: '$1',
  idleMs: 'asked.idle_ms',
  maxSessionLifeMs: 'asked.life_ms',
  rapidWindowMs: '$2',
  of: 't',
  device: 'asked.device',
})

function countedSql(given: {
  readonly shift: string
  readonly idleMs: string
  readonly maxSessionLifeMs: string
  readonly rapidWindowMs: string
  readonly of: string
  readonly device: string
}) {
  const { of, device, idleMs, maxSessionLifeMs } = given
  const now = stableNowSql(given.shift)
  const sessions = { tenantId: `${of}.tenant_id`, staffId: `${of}.staff_id`, now, idleMs, maxSessionLifeMs }
  return {
    liveSessions: liveSessionsSql(sessions),
    youngSessions: `case when s.created_at > ${now} - ${given.rapidWindowMs}::float8 * interval '1 millisecond'
      then ${liveSessionsSql({ ...sessions, withinMs: given.rapidWindowMs })} else 0 end`,
    recentFailures: recentFailuresSql(`${of}.user_id`, now),
    deviceTrusted: `exists (select 1 from trusted_devices d where d.tenant_id = ${of}.tenant_id
      and d.staff_id = ${of}.staff_id and d.device_hash = ${device} and d.trusted_until > ${now})`,
  }
}

const ASKED: Rowset<Asked> = {
  tenant_id: { type: 'uuid', of: ({ tenantId }) => tenantId },
  token_hash: { type: 'bytea', of: ({ hash }) => hash },
  device: { type: 'text', of: ({ windows }) => windows?.device },
  // By the tenant, which may have tightened them.
  idle_ms: { type: 'float8', of: ({ windows }) => windows?.idleMs ?? 0 },
  life_ms: { type: 'float8', of: ({ windows }) => windows?.maxSessionLifeMs ?? 0 },
}

/**
 * Many presented tokens in one trip. Each is looked up within the tenant that its own MAC names. The LIMIT keeps the planner
 * from starting elsewhere than at the token.
 */
const FACTS: Statement = {
  name: 'sallyport_refresh_facts',
  text: `select asked.at::int4 as at, ${nowSql('$1')} as now, found.*
    from ${rowsetSql(ASKED, 3)} asked
    cross join lateral (select
      t.id as token_id, t.generation as token_generation, t.issued_at, t.expires_at as token_expires_at, t.consumed_at,
      t.is_revoked as token_is_revoked, t.revoke_reason as token_revoke_reason, t.ip_address as token_ip,
      t.user_agent as token_user_agent, t.device_fingerprint as token_device, t.tenant_id, t.user_id,
      f.id as family_id, f.generation as family_generation, f.binding, f.binding_value,
      f.session_started_at, f.shared_generation, f.shared_run, f.revoked_at as family_revoked_at, f.revoke_reason as family_revoke_reason,
      n.id as successor_id, n.token_hash as successor_hash, n.nonce as successor_nonce, n.secret_id as successor_secret_id,
      n.generation as successor_generation, n.expires_at as successor_expires_at, n.consumed_at as successor_consumed_at,
      n.confirmed_at as successor_confirmed_at, n.is_revoked as successor_is_revoked, n.ip_address as successor_ip,
      n.user_agent as successor_user_agent, n.device_fingerprint as successor_device,
      s.id as session_id, s.staff_id, s.kind, s.delivery, s.session_version, s.created_at, s.last_seen_at,
      s.expires_at as session_expires_at, s.ip_address, s.country, s.city, s.latitude, s.longitude, s.user_agent,
      s.device_fingerprint, encode(s.device_cookie_hash, 'hex') as device_cookie_hash, s.amr, s.auth_time,
      s.step_up_required_at, s.step_up_risk, s.revoked_at as session_revoked_at, s.revoke_reason as session_revoke_reason,
      st.role, st.session_version as staff_version, st.status, u.name as user_name, u.last_mfa_at,
      u.disabled_at is not null as user_disabled, te.disabled_at is not null as tenant_disabled,
      ${COUNTED.liveSessions} as live_sessions, ${COUNTED.youngSessions} as young_sessions,
      ${COUNTED.recentFailures} as recent_failures, ${COUNTED.deviceTrusted} as device_trusted
    from refresh_tokens t
    join token_families f on f.tenant_id = t.tenant_id and f.id = t.family_id
    left join refresh_tokens n on t.consumed_at is not null and n.tenant_id = t.tenant_id and n.family_id = t.family_id
      and n.generation = t.generation + 1
    left join user_sessions s on s.tenant_id = t.tenant_id and s.id = t.session_id
    left join tenant_staff st on st.tenant_id = s.tenant_id and st.id = s.staff_id
    left join users u on u.id = s.user_id
    left join tenants te on te.id = s.tenant_id
    where t.tenant_id = asked.tenant_id and t.token_hash = asked.token_hash limit 1) found`,
}

interface FactsRow {
  readonly at: number
  readonly now: Date
  readonly token_id: TokenId
  readonly token_generation: number
  readonly issued_at: Date
  readonly token_expires_at: Date
  readonly consumed_at: Date | null
  readonly token_is_revoked: boolean
  readonly token_revoke_reason: RevokeReason | null
  readonly token_ip: string | null
  readonly token_user_agent: string | null
  readonly token_device: string | null
  readonly tenant_id: TenantId
  readonly user_id: UserId
  readonly family_id: FamilyId
  readonly family_generation: number
  readonly binding: Binding['type']
  readonly binding_value: string | null
  readonly session_started_at: Date
  readonly shared_generation: number
  readonly shared_run: number
  readonly family_revoked_at: Date | null
  readonly family_revoke_reason: RevokeReason | null
  readonly successor_id: TokenId | null
  readonly successor_hash: Uint8Array
  readonly successor_nonce: Uint8Array | null
  readonly successor_secret_id: string
  readonly successor_generation: number
  readonly successor_expires_at: Date
  readonly successor_consumed_at: Date | null
  readonly successor_confirmed_at: Date | null
  readonly successor_is_revoked: boolean
  readonly successor_ip: string | null
  readonly successor_user_agent: string | null
  readonly successor_device: string | null
  readonly session_id: SessionId | null
  readonly staff_id: StaffId
  readonly kind: 'login' | 'impersonation'
  readonly delivery: 'body' | 'cookie'
  readonly session_version: number
  readonly created_at: Date
  readonly last_seen_at: Date
  readonly session_expires_at: Date
  readonly ip_address: string | null
  readonly country: string | null
  readonly city: string | null
  readonly latitude: number | null
  readonly longitude: number | null
  readonly user_agent: string | null
  readonly device_fingerprint: string | null
  readonly device_cookie_hash: string | null
  readonly amr: readonly string[]
  readonly auth_time: Date
  readonly step_up_required_at: Date | null
  readonly step_up_risk: WaitReason | null
  readonly session_revoked_at: Date | null
  readonly session_revoke_reason: RevokeReason | null
  readonly role: Role
  readonly staff_version: number
  readonly status: 'active' | 'disabled' | 'removed'
  readonly user_name: string
  readonly last_mfa_at: Date | null
  readonly user_disabled: boolean
  readonly tenant_disabled: boolean
  readonly live_sessions: number
  readonly young_sessions: number
  readonly recent_failures: number
  readonly device_trusted: boolean
}

const ROTATION: Rowset<Rotation> = {
  tenant_id: { type: 'uuid', of: ({ tenantId }) => tenantId },
  family_id: { type: 'uuid', of: ({ familyId }) => familyId },
  parent_id: { type: 'uuid', of: ({ parentId }) => parentId },
  generation: { type: 'int4', of: ({ generation }) => generation },
  ttl_ms: { type: 'float8', of: ({ ttlMs }) => ttlMs },
  id: { type: 'uuid', of: ({ successor }) => successor.id },
  token_hash: { type: 'bytea', of: ({ successor }) => successor.tokenHash },
  nonce: { type: 'bytea', of: ({ successor }) => successor.nonce },
  secret_id: { type: 'text', of: ({ successor }) => successor.secretId },
  ip_address: { type: 'text', of: ({ successor }) => successor.ipAddress },
  user_agent: { type: 'text', of: ({ successor }) => successor.userAgent },
  device_fingerprint: { type: 'text', of: ({ successor }) => successor.deviceFingerprint },
  device_info: { type: 'jsonb', of: ({ successor }) => jsonOf(successor.deviceInfo) },
  audit_id: { type: 'uuid', of: ({ audit }) => audit.id },
  created_at: { type: 'timestamptz', of: ({ audit }) => audit.createdAt },
  action: { type: 'text', of: ({ audit }) => audit.action },
  actor_id: { type: 'uuid', of: ({ audit }) => audit.userId },
  actor_name: { type: 'text', of: ({ audit }) => audit.actorName },
  actor_staff_id: { type: 'uuid', of: ({ audit }) => audit.staffId },
  actor_session_id: { type: 'uuid', of: ({ audit }) => audit.sessionId },
  real_user_id: { type: 'uuid', of: ({ audit }) => audit.realUserId },
  is_impersonating: { type: 'bool', of: ({ audit }) => audit.isImpersonating },
  resource: { type: 'text', of: ({ audit }) => audit.resource },
  resource_id: { type: 'text', of: ({ audit }) => audit.resourceId },
  metadata: { type: 'jsonb', of: ({ audit }) => jsonOf(audit.metadata) },
  audit_ip: { type: 'text', of: ({ audit }) => audit.ipAddress },
  country: { type: 'text', of: ({ audit }) => audit.country },
  city: { type: 'text', of: ({ audit }) => audit.city },
  audit_agent: { type: 'text', of: ({ audit }) => audit.userAgent },
  correlation_id: { type: 'text', of: ({ audit }) => audit.correlationId },
  salt: { type: 'bytea', of: ({ audit }) => audit.salt },
  leaf_hash: { type: 'bytea', of: ({ audit }) => audit.leafHash },
  relied: { type: 'bool', of: ({ relied }) => relied !== undefined },
  relied_idle: { type: 'float8', of: ({ relied }) => relied?.windows.idleMs ?? 0 },
  relied_life: { type: 'float8', of: ({ relied }) => relied?.windows.maxSessionLifeMs ?? 0 },
  relied_device: { type: 'text', of: ({ relied }) => relied?.windows.device },
  relied_live: { type: 'int4', of: ({ relied }) => relied?.liveSessions },
  relied_young: { type: 'int4', of: ({ relied }) => relied?.youngSessions },
  relied_failures: { type: 'int4', of: ({ relied }) => relied?.recentFailures },
  relied_trusted: { type: 'bool', of: ({ relied }) => relied?.deviceTrusted },
  relied_mfa: { type: 'timestamptz', of: ({ relied }) => relied?.lastMfaAt },
  relied_name: { type: 'text', of: ({ relied }) => relied?.userName },
  relied_shared: { type: 'int4', of: ({ relied }) => relied?.sharedGeneration },
  relied_run: { type: 'int4', of: ({ relied }) => relied?.sharedRun },
}

const RELIED = countedSql({
  shift: '$1',
  idleMs: 'asked.relied_idle',
  maxSessionLifeMs: 'asked.relied_life',
  rapidWindowMs: '$2',
  of: 's',
  device: 'asked.relied_device',
})

const MARKED_ROTATION: Rowset<Rotation> = {
  ...ROTATION,
  marked: { type: 'bool', of: ({ mark }) => mark !== undefined },
  mark_ip: { type: 'text', of: ({ mark }) => mark?.ipAddress },
  mark_agent: { type: 'text', of: ({ mark }) => mark?.userAgent },
  mark_country: { type: 'text', of: ({ mark }) => mark?.country },
  mark_city: { type: 'text', of: ({ mark }) => mark?.city },
  mark_latitude: { type: 'float8', of: ({ mark }) => mark?.latitude },
  mark_longitude: { type: 'float8', of: ({ mark }) => mark?.longitude },
  mark_fingerprint: { type: 'text', of: ({ mark }) => mark?.deviceFingerprint },
  mark_cookie: { type: 'text', of: ({ mark }) => mark?.deviceCookieHash },
}

/**
 * Consume, successor, audit row: one statement, one commit, for each of the rotations that were asked for together. The
 * compare-and-set of a family's generation names the winner, and its row lock makes a containment beside it wait, or this
 * find the family ended. Of two that ask for one family, at most one is updated and returned.
 *
 * What the session rests on is asked in scalar subqueries: the planner turns joins and EXISTS into hash joins over whole tables,
 * as long as those are small when it plans.
 */
function rotateSql(rowset: Rowset<Rotation>, marked: string): string {
  return `with asked as materialized (
      select asked.*, ${nowSql('$1')} as now from ${rowsetSql(rowset, 3)} asked
    ), fit as materialized (
      select asked.*, f.session_id, f.shared_generation, f.shared_run
      from asked cross join lateral (select f.session_id, f.shared_generation, f.shared_run from token_families f
        where f.tenant_id = asked.tenant_id and f.id = asked.family_id limit 1) f
      where (select p.id = asked.parent_id and p.consumed_at is null and not p.is_revoked and p.expires_at > asked.now
          from refresh_tokens p where p.tenant_id = asked.tenant_id and p.family_id = asked.family_id
            and p.generation = asked.generation)
        and (f.session_id is null or (
          select s.revoked_at is null and s.step_up_required_at is null and s.expires_at > asked.now
            and (select st.session_version from tenant_staff st where st.tenant_id = s.tenant_id and st.id = s.staff_id
              and st.status = 'active') = s.session_version
            and (select u.disabled_at is null and (not asked.relied
              or (u.name = asked.relied_name and u.last_mfa_at is not distinct from asked.relied_mfa))
              from users u where u.id = s.user_id)
            and (select t.disabled_at is null from tenants t where t.id = s.tenant_id)
            and (not asked.relied or (
              f.shared_generation = asked.relied_shared and f.shared_run = asked.relied_run
              and ${RELIED.liveSessions} = asked.relied_live and ${RELIED.youngSessions} = asked.relied_young
              and ${RELIED.recentFailures} = asked.relied_failures
              and ${RELIED.deviceTrusted} = asked.relied_trusted))
          from user_sessions s where s.tenant_id = asked.tenant_id and s.id = f.session_id))
    ), family as (
      update token_families f set generation = f.generation + 1
      from fit
      where f.tenant_id = fit.tenant_id and f.id = fit.family_id and f.generation = fit.generation
        and f.revoked_at is null and f.shared_generation = fit.shared_generation and f.shared_run = fit.shared_run
      returning fit.at, f.user_id, f.staff_id, f.session_started_at
    ), won as materialized (
      select fit.*, family.user_id, family.staff_id, family.session_started_at from family join fit on fit.at = family.at
    ), parent as (
      update refresh_tokens p set consumed_at = won.now, replaced_by_token_id = won.id, usage_count = p.usage_count + 1,
        nonce = null, confirmed_at = coalesce(p.confirmed_at, won.now)
      from won where p.tenant_id = won.tenant_id and p.family_id = won.family_id and p.generation = won.generation
        and p.id = won.parent_id
    ), successor as (
      insert into refresh_tokens (id, tenant_id, user_id, staff_id, session_id, token_hash, family_id, parent_id, generation,
        nonce, secret_id, issued_at, expires_at, session_started_at, ip_address, user_agent, device_fingerprint, device_info)
      select id, tenant_id, user_id, staff_id, session_id, token_hash, family_id, parent_id, generation + 1, nonce,
        secret_id, now, now + ttl_ms * interval '1 millisecond', session_started_at, ip_address, user_agent,
        device_fingerprint, device_info
      from won
    ), ${marked}log as (
      insert into audit_logs (id, tenant_id, created_at, action, outcome, user_id, actor_name, staff_id, session_id,
        real_user_id, is_impersonating, resource, resource_id, metadata, ip_address, country, city, user_agent,
        correlation_id, salt, leaf_hash)
      select audit_id, tenant_id, created_at, action, 'SUCCESS', actor_id, actor_name, actor_staff_id, actor_session_id,
        real_user_id, is_impersonating, resource, resource_id, metadata, audit_ip, country, city, audit_agent, correlation_id, salt, leaf_hash
      from won
    ), pending as (
      insert into audit_pending (id, tenant_id, leaf_hash) select audit_id, tenant_id, leaf_hash from won
    )
    select at::int4 from won`
}

const ROTATE: Statement = { name: 'sallyport_rotate', text: rotateSql(ROTATION, '') }

/** For rotations of which some leave a mark. Apart, because a statement opens each table and index that it names. */
const ROTATE_MARKED: Statement = {
  name: 'sallyport_rotate_marked',
  text: rotateSql(
    MARKED_ROTATION,
    `marked as (
      update user_sessions s set ip_address = won.mark_ip, user_agent = won.mark_agent, country = won.mark_country,
        city = won.mark_city, latitude = won.mark_latitude, longitude = won.mark_longitude,
        device_fingerprint = won.mark_fingerprint, device_cookie_hash = decode(won.mark_cookie, 'hex')
      from won where won.marked and s.tenant_id = won.tenant_id and s.id = won.session_id
    ), `,
  ),
}

/** In milliseconds; the same for all that one instance asks. */
function rapidWindowOf(asked: readonly (RiskWindows | undefined)[]): number {
  return asked.find((one) => one !== undefined)?.rapidWindowMs ?? 0
}

/** @returns The positions of those that won, from 1. */
async function rotateRows(sql: Sql, shiftMs: number, rotations: readonly Rotation[]): Promise<ReadonlySet<number>> {
  const given = [shiftMs, rapidWindowOf(rotations.map(({ relied }) => relied?.windows))]
  const rows = rotations.some(({ mark }) => mark !== undefined)
    ? await sql.run<{ at: number }>(ROTATE_MARKED, [...given, ...rowsetValues(MARKED_ROTATION, rotations)])
    : await sql.run<{ at: number }>(ROTATE, [...given, ...rowsetValues(ROTATION, rotations)])
  return new Set(rows.map(({ at }) => at))
}

function jsonOf(value: unknown): string | null {
  return value == null ? null : JSON.stringify(value)
}

export function tokenStore(database: Database): TokenStore {
  const together = { most: MOST_TOGETHER, lanes: database.lanes }
  const factsOf = batched(async (asked: readonly Asked[]) => {
    const rows = await database.run<FactsRow>(FACTS, [
      database.clock.offsetMs,
      rapidWindowOf(asked.map(({ windows }) => windows)),
      ...rowsetValues(ASKED, asked),
    ])
    const facts = new Array<RefreshFacts | undefined>(asked.length)
    for (const row of rows) facts[row.at - 1] = toFacts(row)
    return facts
  }, together)

  const rotateTogether = batched((rotations: readonly Rotation[]) => rotateAll(database, rotations), together)

  return {
    facts: (tenantId, hash, windows) => factsOf({ tenantId, hash, windows }),

    async rotate(rotation) {
      if (rotation.stepUp !== undefined) return redeem(database, rotation, rotation.stepUp)
      const claim = await rotateTogether(rotation)
      if (claim instanceof Error) throw claim
      return claim
    },

    replayed: ({ tenantId, familyId, generation, shared, audit }) =>
      shared
        ? database.transaction(async (tx) => {
            await tx.run(SHARED, [tenantId, familyId, generation])
            await insertAudit(tx, [audit])
          })
        : insertAudit(database, [audit]),

    async family({ tenantId, familyId, fromGeneration, limit }) {
      const rows = await database.run<FamilyRow>(FAMILY, [tenantId, familyId, fromGeneration, limit])
      const [first] = rows
      return first && toFamilyRecord(first, rows)
    },

    async endedFamilies(tenantId, sessionIds) {
      const [row] = await database.run<{ ended: number }>(ENDED_FAMILIES, [tenantId, sessionIds])
      return row?.ended ?? 0
    },

    contain: ({ tenantId, familyId, tokenId, reach, reason, audit }) =>
      database.transaction(async (tx) => {
        const scope = await containmentScope(tx, tenantId, familyId, reach)
        // Staff rows before the family, as everyone who takes both does, or two containments of one person could deadlock.
        const family = await lockFamilyAfterStaff(tx, tenantId, familyId, scope)
        if (family === undefined) return undefined
        await endFamilyRow(tx, tenantId, familyId, reason)
        if (reason === 'reuse_detected') {
          await tx.db
            .update(refreshTokens)
            .set({ suspiciousReuseAt: tx.now })
            .where(and(eq(refreshTokens.tenantId, tenantId), eq(refreshTokens.id, tokenId)))
        }
        const ended = await endScope(tx, scope, family.sessionId, tenantId, { reason, bumpVersion: reach !== 'family' })
        await insertAudit(tx, audit(ended, tx.now))
        return ended
      }),

    endFamily: ({ tenantId, familyId, reason, audit }) =>
      database.transaction(async (tx) => {
        const family = await lockLiveFamily(tx, tenantId, familyId)
        if (family === undefined) return false
        await endFamilyRow(tx, tenantId, familyId, reason)
        const ended = await endScope(tx, undefined, family.sessionId, tenantId, { reason, bumpVersion: false })
        await insertAudit(tx, audit(ended, tx.now))
        return true
      }),

    expire: ({ tenantId, familyId, tokenId, audit }) =>
      database.transaction(async (tx) => {
        // The family first: whoever consumes the token, or ends the lineage, was first or waits.
        const family = await lockLiveFamily(tx, tenantId, familyId)
        const token = family && (await unusedAndExpired(tx, tenantId, tokenId))
        if (family === undefined || token === undefined) {
          await insertAudit(tx, audit(NOTHING_ENDED, tx.now))
          return undefined
        }
        await endFamilyRow(tx, tenantId, familyId, 'session_expired')
        const ended = await endScope(tx, undefined, family.sessionId, tenantId, {
          reason: 'session_expired',
          bumpVersion: false,
        })
        await tx.db.update(users).set({ lastMfaAt: null }).where(eq(users.id, token.userId))
        if (family.sessionId !== null) await distrustDevicesOf(tx, [{ tenantId, sessionId: family.sessionId }])
        await insertAudit(tx, audit(ended, tx.now))
        return ended
      }),

    async confirm(seen) {
      if (seen.length === 0) return
      await database.run(CONFIRM, [
        seen.map(({ tenantId }) => tenantId),
        seen.map(({ sessionId }) => sessionId),
        seen.map(({ generation }) => generation),
        database.clock.offsetMs,
      ])
    },

    insertFamily: (family) =>
      database.transaction(async (tx) => {
        const expiresAt = new Date(tx.now.getTime() + family.ttlMs)
        const sessionStartedAt = family.sessionStartedAt ?? tx.now
        const owner = {
          tenantId: family.tenantId,
          userId: family.userId,
          staffId: family.staffId,
          sessionId: family.sessionId,
          sessionStartedAt,
        }
        await tx.db.insert(tokenFamilies).values({ ...owner, id: family.familyId, ...bindingColumns(family.binding) })
        await tx.db.insert(refreshTokens).values({
          ...owner,
          ...tokenColumns(family.token),
          familyId: family.familyId,
          generation: 0,
          issuedAt: tx.now,
          expiresAt,
        })
        return { issuedAt: tx.now, expiresAt }
      }),

    revokeToken: ({ tenantId, tokenHash, reason, audit }) =>
      database.transaction(async (tx) => {
        const [token] = await tx.db
          .update(refreshTokens)
          .set({ isRevoked: true, revokedAt: tx.now, revokeReason: reason })
          .where(
            and(
              eq(refreshTokens.tenantId, tenantId),
              eq(refreshTokens.tokenHash, Buffer.from(tokenHash)),
              eq(refreshTokens.isRevoked, false),
            ),
          )
          .returning({ id: refreshTokens.id, familyId: refreshTokens.familyId, userId: refreshTokens.userId })
        if (token === undefined) return false
        const facts = {
          tokenId: token.id as TokenId,
          familyId: token.familyId as FamilyId,
          userId: token.userId as UserId,
        }
        await insertAudit(tx, audit(facts, tx.now))
        return true
      }),

    revokeAllOfUser: ({ userId, reason, audit }) =>
      database.transaction(async (tx) => {
        const [{ count } = { count: 0 }] = await tx.db
          .select({ count: sql<number>`count(*)::int4` })
          .from(tokenFamilies)
          .where(and(eq(tokenFamilies.userId, userId), isNull(tokenFamilies.revokedAt)))
        const ended = await endSessions(tx, { of: 'user', userId }, { reason, bumpVersion: false })
        const facts = { ...(ended ?? NOTHING_ENDED), families: count }
        await insertAudit(tx, audit(facts, tx.now))
        return facts
      }),

    replaceExpired: ({ tenantId, userId, tokenHash, graceMs, successor, ttlMs, audit }) =>
      database.transaction(async (tx) => {
        const [old] = await tx.db
          .select()
          .from(refreshTokens)
          .where(
            and(
              eq(refreshTokens.tenantId, tenantId),
              eq(refreshTokens.tokenHash, Buffer.from(tokenHash)),
              eq(refreshTokens.userId, userId),
            ),
          )
        if (old === undefined) return undefined
        const family = await lockFamilyNotEndedOtherwise(tx, tenantId, old.familyId)
        if (family === undefined || family.generation !== old.generation) return undefined
        const [replaced] = await tx.db
          .update(refreshTokens)
          .set({
            consumedAt: tx.now,
            nonce: null,
            replacedByTokenId: successor.id,
            usageCount: sql`${refreshTokens.usageCount} + 1`,
          })
          .where(
            and(
              eq(refreshTokens.tenantId, tenantId),
              eq(refreshTokens.id, old.id),
              isNull(refreshTokens.consumedAt),
              sql`${refreshTokens.expiresAt} <= ${tx.now.toISOString()}`,
              sql`${refreshTokens.expiresAt} > ${new Date(tx.now.getTime() - graceMs).toISOString()}`,
              sql`(not ${refreshTokens.isRevoked} or ${refreshTokens.revokeReason} = 'session_expired')`,
            ),
          )
          .returning({ id: refreshTokens.id })
        if (replaced === undefined) return undefined
        const expiresAt = new Date(tx.now.getTime() + ttlMs)
        await tx.db
          .update(tokenFamilies)
          .set({ generation: old.generation + 1, revokedAt: null, revokeReason: null })
          .where(and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.id, old.familyId)))
        await tx.db.insert(refreshTokens).values({
          tenantId,
          userId,
          staffId: old.staffId,
          sessionId: old.sessionId,
          sessionStartedAt: old.sessionStartedAt,
          ...tokenColumns(successor),
          familyId: old.familyId,
          parentId: old.id,
          generation: old.generation + 1,
          issuedAt: tx.now,
          expiresAt,
        })
        await insertAudit(tx, audit({ familyId: old.familyId as FamilyId }, tx.now))
        return { expiresAt }
      }),
  }
}

/** A rotation that another was faster than. Thrown, so that what was done for it is undone. */
class Lost extends Error {}

/** Uses up the step-up, ends the wait, rotates: all of it or nothing. */
async function redeem(database: Database, rotation: Rotation, stepUp: ChallengeId): Promise<'won' | 'lost'> {
  const { tenantId, familyId } = rotation
  try {
    return await database.transaction<'won'>(async (tx) => {
      // The family first, as everyone who takes it and its session does.
      const family = await lockLiveFamily(tx, tenantId, familyId)
      if (family === undefined || family.sessionId === null) throw new Lost()
      const used = await tx.db
        .update(stepUpChallenges)
        .set({ consumedAt: tx.now })
        .where(
          and(
            eq(stepUpChallenges.tenantId, tenantId),
            eq(stepUpChallenges.id, stepUp),
            eq(stepUpChallenges.sessionId, family.sessionId),
            isNull(stepUpChallenges.consumedAt),
          ),
        )
        .returning({ id: stepUpChallenges.id })
      if (used.length === 0) throw new Lost()
      await tx.db
        .update(userSessions)
        .set({ stepUpRequiredAt: null, stepUpRisk: null })
        .where(and(eq(userSessions.tenantId, tenantId), eq(userSessions.id, family.sessionId)))
      const won = await rotateRows(tx, tx.shiftMs, [rotation])
      if (won.size === 0) throw new Lost()
      await insertChanges(tx, [{ tenantId, kind: 'session', ref: family.sessionId }])
      return 'won'
    })
  } catch (error) {
    if (error instanceof Lost) return 'lost'
    throw error
  }
}

// A generation counts once, however often it is handed out again.
const SHARED: Statement = {
  name: 'sallyport_shared_generation',
  text: `update token_families set shared_generation = $3,
      shared_run = case when shared_generation = $3 - 1 then shared_run + 1 else 1 end
    where tenant_id = $1 and id = $2 and shared_generation < $3`,
}

interface Asked {
  readonly tenantId: TenantId
  readonly hash: Uint8Array
  readonly windows: RiskWindows | undefined
}

/** What became of each rotation: one that fails takes none of the others with it. */
async function rotateAll(database: Database, rotations: readonly Rotation[]): Promise<('won' | 'lost' | Error)[]> {
  // In the order of the families, so that two statements that share several do not lock them crosswise.
  const inOrder = rotations.toSorted((a, b) => (a.familyId < b.familyId ? -1 : 1))
  try {
    const won = await rotateRows(database, database.clock.offsetMs, inOrder)
    const winners = new Set(inOrder.filter((_, index) => won.has(index + 1)))
    return rotations.map((rotation) => (winners.has(rotation) ? 'won' : 'lost'))
  } catch (error) {
    // A deadlock's victim has changed nothing, and looks again as one who lost.
    if (error instanceof TryAgain && rotations.length === 1) return ['lost']
    // What the database did not answer may have been done, for all of them.
    if (rotations.length === 1 || (error instanceof SallyportError && error.code === 'UNAVAILABLE')) {
      return rotations.map(() => error as Error)
    }
    return (await Promise.all(rotations.map((rotation) => rotateAll(database, [rotation])))).flat()
  }
}

const FAMILY: Statement = {
  name: 'sallyport_family',
  text: `select f.id as family_id, f.session_id, f.user_id, f.staff_id, f.binding, f.generation as newest,
      f.session_started_at, f.revoked_at, f.revoke_reason, t.generation, t.issued_at, t.consumed_at, t.suspicious_reuse_at,
      t.ip_address, t.user_agent, t.device_fingerprint
    from token_families f
    left join lateral (select * from refresh_tokens t where t.tenant_id = f.tenant_id and t.family_id = f.id
      and t.generation >= $3 order by t.generation limit $4) t on true
    where f.tenant_id = $1::uuid and f.id = $2::uuid order by t.generation`,
}

const ENDED_FAMILIES: Statement = {
  name: 'sallyport_ended_families',
  text: `select count(*)::int4 as ended from token_families
    where tenant_id = $1::uuid and session_id = any($2::uuid[]) and revoked_at is not null`,
}

interface FamilyRow {
  readonly family_id: FamilyId
  readonly session_id: SessionId | null
  readonly user_id: UserId
  readonly staff_id: StaffId | null
  readonly binding: Binding['type']
  readonly newest: number
  readonly session_started_at: Date
  readonly revoked_at: Date | null
  readonly revoke_reason: RevokeReason | null
  readonly generation: number | null
  readonly issued_at: Date
  readonly consumed_at: Date | null
  readonly suspicious_reuse_at: Date | null
  readonly ip_address: string | null
  readonly user_agent: string | null
  readonly device_fingerprint: string | null
}

function toFamilyRecord(family: FamilyRow, rows: readonly FamilyRow[]): FamilyRecord {
  return {
    familyId: family.family_id,
    sessionId: family.session_id,
    userId: family.user_id,
    staffId: family.staff_id,
    binding: family.binding,
    generation: family.newest,
    startedAt: family.session_started_at,
    revokedAt: family.revoked_at,
    revokeReason: family.revoke_reason,
    tokens: rows.flatMap((row) =>
      row.generation === null
        ? []
        : [
            {
              generation: row.generation,
              issuedAt: row.issued_at,
              consumedAt: row.consumed_at,
              suspiciousReuseAt: row.suspicious_reuse_at,
              ipAddress: row.ip_address,
              userAgent: row.user_agent,
              deviceFingerprint: row.device_fingerprint,
            },
          ],
    ),
  }
}

const CONFIRM: Statement = {
  name: 'sallyport_confirm',
  text: `update refresh_tokens t set confirmed_at = ${nowSql('$4')}
    from unnest($1::text[], $2::text[], $3::int4[]) as seen (tenant, session, generation)
    join token_families f on f.tenant_id = seen.tenant::uuid and f.session_id = seen.session::uuid
    where t.tenant_id = f.tenant_id and t.family_id = f.id and t.generation = seen.generation and t.confirmed_at is null`,
}

const NOTHING_ENDED: EndedSessions = { sessions: [], versions: [] }

interface LockedFamily {
  readonly sessionId: SessionId | null
  readonly generation: number
}

/** Whose sessions a containment ends beside the family's own; `undefined` for none. */
async function containmentScope(
  tx: Tx,
  tenantId: TenantId,
  familyId: FamilyId,
  reach: 'family' | 'staff' | 'user',
): Promise<EndScope | undefined> {
  if (reach === 'family') return undefined
  const [owner] = await tx.db
    .select({ userId: tokenFamilies.userId, staffId: tokenFamilies.staffId })
    .from(tokenFamilies)
    .where(and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.id, familyId)))
  if (owner === undefined) return undefined
  if (reach === 'user') return { of: 'user', userId: owner.userId as UserId }
  return owner.staffId === null ? undefined : { of: 'staff', tenantId, staffId: owner.staffId as StaffId }
}

async function lockFamilyAfterStaff(
  tx: Tx,
  tenantId: TenantId,
  familyId: FamilyId,
  scope: EndScope | undefined,
): Promise<LockedFamily | undefined> {
  // All families that will end, in the order in which rotations of many take them; the replayed one is among them.
  if (scope?.of === 'staff') {
    await tx.run(LOCK_STAFF, [scope.tenantId, scope.staffId])
    await tx.run(LOCK_FAMILIES_OF_STAFF, [scope.tenantId, scope.staffId])
  }
  if (scope?.of === 'user') {
    await tx.run(LOCK_STAFF_OF_USER, [scope.userId])
    await tx.run(LOCK_FAMILIES_OF_USER, [scope.userId])
  }
  return lockLiveFamily(tx, tenantId, familyId)
}

const LOCK_STAFF: Statement = {
  name: 'sallyport_lock_staff',
  text: 'select 1 from tenant_staff where tenant_id = $1 and id = $2 for no key update',
}
const LOCK_STAFF_OF_USER: Statement = {
  name: 'sallyport_lock_staff_of_user',
  text: 'select 1 from tenant_staff where user_id = $1 order by id for no key update',
}

const LOCK_FAMILIES_OF_STAFF: Statement = {
  name: 'sallyport_lock_families_of_staff',
  text: `select 1 from token_families where tenant_id = $1 and staff_id = $2 and revoked_at is null
    order by id for no key update`,
}
const LOCK_FAMILIES_OF_USER: Statement = {
  name: 'sallyport_lock_families_of_user',
  text: 'select 1 from token_families where user_id = $1 and revoked_at is null order by id for no key update',
}

/** A family that is live, or ended by nothing but the expiry of its last token: that one may be replaced for a while. */
async function lockFamilyNotEndedOtherwise(
  tx: Tx,
  tenantId: TenantId,
  familyId: string,
): Promise<Pick<LockedFamily, 'generation'> | undefined> {
  const [family] = await tx.db
    .select({ generation: tokenFamilies.generation })
    .from(tokenFamilies)
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        eq(tokenFamilies.id, familyId),
        or(isNull(tokenFamilies.revokedAt), eq(tokenFamilies.revokeReason, 'session_expired')),
      ),
    )
    .for('no key update')
  return family
}

async function lockLiveFamily(tx: Tx, tenantId: TenantId, familyId: string): Promise<LockedFamily | undefined> {
  const [family] = await tx.db
    .select({ sessionId: tokenFamilies.sessionId, generation: tokenFamilies.generation })
    .from(tokenFamilies)
    .where(and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.id, familyId), isNull(tokenFamilies.revokedAt)))
    .for('no key update')
  return family as LockedFamily | undefined
}

async function endFamilyRow(tx: Tx, tenantId: TenantId, familyId: FamilyId, reason: RevokeReason): Promise<void> {
  await tx.db
    .update(tokenFamilies)
    .set({ revokedAt: tx.now, revokeReason: reason })
    .where(and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.id, familyId), isNull(tokenFamilies.revokedAt)))
  // A statement of its own, so that its snapshot holds the successor of a rotation that was first.
  await tx.db
    .update(refreshTokens)
    .set({ isRevoked: true, revokedAt: tx.now, revokeReason: reason, nonce: null })
    .where(
      and(
        eq(refreshTokens.tenantId, tenantId),
        inArray(refreshTokens.familyId, [familyId]),
        eq(refreshTokens.isRevoked, false),
      ),
    )
}

/** Ends the sessions of the scope, or the family's own session where there is none. */
async function endScope(
  tx: Tx,
  scope: EndScope | undefined,
  sessionId: SessionId | null,
  tenantId: TenantId,
  options: { readonly reason: RevokeReason; readonly bumpVersion: boolean },
): Promise<EndedSessions> {
  const own: EndScope | undefined = sessionId === null ? undefined : { of: 'session', tenantId, sessionId }
  const whose = scope ?? own
  return (whose && (await endSessions(tx, whose, options))) ?? NOTHING_ENDED
}

async function unusedAndExpired(
  tx: Tx,
  tenantId: TenantId,
  tokenId: TokenId,
): Promise<{ readonly userId: string } | undefined> {
  const [token] = await tx.db
    .select({ userId: refreshTokens.userId })
    .from(refreshTokens)
    .where(
      and(
        eq(refreshTokens.tenantId, tenantId),
        eq(refreshTokens.id, tokenId),
        isNull(refreshTokens.consumedAt),
        eq(refreshTokens.isRevoked, false),
        lte(refreshTokens.expiresAt, tx.now),
      ),
    )
  return token
}

/** The columns of a token about to be stored. */
export function tokenColumns(token: NewToken) {
  return {
    ...token,
    tokenHash: Buffer.from(token.tokenHash),
    nonce: token.nonce === null ? null : Buffer.from(token.nonce),
  }
}

/** A binding as the family's two columns. */
export function bindingColumns(binding: Binding) {
  return { binding: binding.type, bindingValue: 'value' in binding ? binding.value : null }
}

function toFacts(row: FactsRow): RefreshFacts {
  return {
    now: row.now,
    tenantId: row.tenant_id,
    userId: row.user_id,
    token: {
      id: row.token_id,
      generation: row.token_generation,
      issuedAt: row.issued_at,
      expiresAt: row.token_expires_at,
      consumedAt: row.consumed_at,
      isRevoked: row.token_is_revoked,
      revokeReason: row.token_revoke_reason,
      ipAddress: row.token_ip,
      userAgent: row.token_user_agent,
      deviceFingerprint: row.token_device,
    },
    family: {
      id: row.family_id,
      generation: row.family_generation,
      binding: row.binding === 'none' ? { type: 'none' } : { type: row.binding, value: row.binding_value ?? '' },
      sessionStartedAt: row.session_started_at,
      sharedGeneration: row.shared_generation,
      sharedRun: row.shared_run,
      revokedAt: row.family_revoked_at,
      revokeReason: row.family_revoke_reason,
    },
    successor: row.successor_id === null ? null : toSuccessor(row, row.successor_id),
    session: row.session_id === null ? null : toSession(row, row.session_id),
  }
}

function toSuccessor(row: FactsRow, id: TokenId): NonNullable<RefreshFacts['successor']> {
  return {
    id,
    tokenHash: row.successor_hash,
    nonce: row.successor_nonce,
    secretId: row.successor_secret_id,
    generation: row.successor_generation,
    expiresAt: row.successor_expires_at,
    consumedAt: row.successor_consumed_at,
    confirmedAt: row.successor_confirmed_at,
    isRevoked: row.successor_is_revoked,
    ipAddress: row.successor_ip,
    userAgent: row.successor_user_agent,
    deviceFingerprint: row.successor_device,
  }
}

function toSession(row: FactsRow, id: SessionId): NonNullable<RefreshFacts['session']> {
  return {
    id,
    staffId: row.staff_id,
    kind: row.kind,
    delivery: row.delivery,
    sessionVersion: row.session_version,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.session_expires_at,
    ipAddress: row.ip_address,
    country: row.country,
    city: row.city,
    latitude: row.latitude,
    longitude: row.longitude,
    userAgent: row.user_agent,
    deviceFingerprint: row.device_fingerprint,
    deviceCookieHash: row.device_cookie_hash,
    amr: row.amr,
    authTime: row.auth_time,
    stepUpRequiredAt: row.step_up_required_at,
    stepUpRisk: row.step_up_risk,
    revokedAt: row.session_revoked_at,
    revokeReason: row.session_revoke_reason,
    staff: { role: row.role, sessionVersion: row.staff_version, status: row.status },
    user: { name: row.user_name, disabled: row.user_disabled, lastMfaAt: row.last_mfa_at },
    tenant: { disabled: row.tenant_disabled },
    liveSessions: row.live_sessions,
    youngSessions: row.young_sessions,
    recentFailures: row.recent_failures,
    deviceTrusted: row.device_trusted,
  }
}
