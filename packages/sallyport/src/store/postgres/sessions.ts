/**
 * Sessions in PostgreSQL.
 *
 * @module
 */

import { and, asc, desc, eq, isNull, sql } from 'drizzle-orm'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { Role } from '../../directory/roles.ts'
import type { EndedSessions, RevokeReason } from '../contract/ended-sessions.ts'
import type { WaitReason } from '../contract/risk.ts'
import type {
  LiveFacts,
  NewSession,
  RealFacts,
  SessionCreation,
  SessionQuery,
  SessionRow,
  SessionStore,
} from '../contract/sessions.ts'
import { insertAudit } from './audit.ts'
import type { Database, Drizzle, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { endSessions } from './end-sessions.ts'
import { mapDriverError } from './errors.ts'
import { isLive, liveSessionsSql } from './live-sessions.ts'
import { stableNowSql } from './risk.ts'
import { refreshTokens, tenantStaff, tenants, tokenFamilies, userSessions, users } from './schema.ts'
import { bindingColumns, tokenColumns } from './tokens.ts'

const LIVE: Statement = {
  name: 'sallyport_session_live',
  text: `select ${nowSql('$3')} as now, s.id, s.tenant_id, s.user_id, s.staff_id, s.kind, s.session_version,
      s.created_at, s.last_seen_at, s.expires_at, s.step_up_required_at, s.step_up_risk, s.revoked_at, s.revoke_reason, s.real_user_id,
      st.session_version as staff_version, st.status, st.role, st.permissions, u.name as user_name,
      u.disabled_at is not null as user_disabled, te.disabled_at is not null as tenant_disabled,
      s.real_session_id, s.real_staff_id, s.real_session_version, rs.revoked_at as real_revoked_at,
      rs.created_at as real_created_at, rs.expires_at as real_expires_at, rst.session_version as real_staff_version, rst.status as real_status,
      rst.role as real_role, rst.permissions as real_permissions, ru.name as real_name,
      ru.disabled_at is not null as real_disabled,
      coalesce((select max(r.generation) from token_families f
        join refresh_tokens r on r.tenant_id = f.tenant_id and r.family_id = f.id and r.confirmed_at is not null
        where f.tenant_id = s.tenant_id and f.session_id = s.id), -1) as confirmed_generation
    from user_sessions s
    join tenant_staff st on st.tenant_id = s.tenant_id and st.id = s.staff_id
    join users u on u.id = s.user_id
    join tenants te on te.id = s.tenant_id
    left join user_sessions rs on rs.tenant_id = s.tenant_id and rs.id = s.real_session_id
    left join tenant_staff rst on rst.tenant_id = s.tenant_id and rst.id = s.real_staff_id
    left join users ru on ru.id = s.real_user_id
    where s.tenant_id = $1 and s.id = $2`,
}

interface LiveRow {
  readonly now: Date
  readonly id: SessionId
  readonly tenant_id: TenantId
  readonly user_id: UserId
  readonly staff_id: StaffId
  readonly kind: 'login' | 'impersonation'
  readonly session_version: number
  readonly created_at: Date
  readonly last_seen_at: Date
  readonly expires_at: Date
  readonly step_up_required_at: Date | null
  readonly step_up_risk: WaitReason | null
  readonly revoked_at: Date | null
  readonly revoke_reason: RevokeReason | null
  readonly real_user_id: UserId | null
  readonly staff_version: number
  readonly status: 'active' | 'disabled' | 'removed'
  readonly role: Role
  readonly permissions: readonly string[]
  readonly user_name: string
  readonly user_disabled: boolean
  readonly tenant_disabled: boolean
  readonly confirmed_generation: number
  readonly real_session_id: SessionId | null
  readonly real_staff_id: StaffId
  readonly real_session_version: number
  readonly real_revoked_at: Date | null
  readonly real_created_at: Date | null
  readonly real_expires_at: Date | null
  readonly real_staff_version: number | null
  readonly real_status: 'active' | 'disabled' | 'removed' | null
  readonly real_role: Role
  readonly real_permissions: readonly string[]
  readonly real_name: string | null
  readonly real_disabled: boolean
}

const TOUCH: Statement = {
  name: 'sallyport_touch',
  text: `update user_sessions s set last_seen_at = seen.at::timestamptz
    from unnest($1::text[], $2::text[], $3::text[]) as seen (tenant, id, at)
    where s.tenant_id = seen.tenant::uuid and s.id = seen.id::uuid and s.last_seen_at < seen.at::timestamptz
      and s.revoked_at is null`,
}

export function sessionStore(database: Database): SessionStore {
  return {
    create: (session, audit) =>
      database.transaction(async (tx) => {
        const creation = await insertSession(tx, session)
        if (creation.kind === 'created') await insertAudit(tx, audit(creation, tx.now))
        return creation
      }),

    async live(tenantId, sessionId) {
      const [row] = await database.run<LiveRow>(LIVE, [tenantId, sessionId, database.clock.offsetMs])
      return row && { facts: toLiveFacts(row), now: row.now }
    },

    async find(tenantId, sessionId) {
      try {
        const [row] = await listing(database.db).where(
          and(eq(userSessions.tenantId, tenantId), eq(userSessions.id, sessionId)),
        )
        return row && listed(row)
      } catch (error) {
        throw mapDriverError(error, 'session find')
      }
    },

    async list(query) {
      try {
        const rows = await listing(database.db)
          .where(asked(query, database.clock.offsetMs))
          .orderBy(desc(userSessions.lastSeenAt), desc(userSessions.id))
          .limit(query.limit)
        return rows.map(listed)
      } catch (error) {
        throw mapDriverError(error, 'session list')
      }
    },

    async touch(seen) {
      if (seen.length === 0) return
      await database.run(TOUCH, [
        seen.map(({ tenantId }) => tenantId),
        seen.map(({ sessionId }) => sessionId),
        seen.map(({ at }) => at.toISOString()),
      ])
    },

    end: (scope, options, audit) =>
      database.transaction(async (tx) => {
        const ended = await endSessions(tx, scope, options)
        if (ended === undefined) return undefined
        await insertAudit(tx, audit(ended, tx.now))
        return ended
      }),
  }
}

/** Session, family and first token, in the caller's transaction. */
export async function insertSession(tx: Tx, session: NewSession): Promise<SessionCreation> {
  const asked = tx.db
    .select({ version: tenantStaff.sessionVersion })
    .from(tenantStaff)
    .innerJoin(users, eq(users.id, tenantStaff.userId))
    .innerJoin(tenants, eq(tenants.id, tenantStaff.tenantId))
    .where(
      and(
        eq(tenantStaff.tenantId, session.tenantId),
        eq(tenantStaff.id, session.staffId),
        eq(tenantStaff.userId, session.userId),
        eq(tenantStaff.status, 'active'),
        isNull(users.disabledAt),
        isNull(tenants.disabledAt),
      ),
    )
  // Held until the transaction ends: of parallel sign-ins each counts those before it.
  const [staff] = await (session.limits === undefined ? asked : asked.for('no key update', { of: tenantStaff }))
  if (staff === undefined) return { kind: 'not-enabled' }
  const room = await makeRoom(tx, session)
  if ('kind' in room) return room
  const owner = { tenantId: session.tenantId, userId: session.userId, staffId: session.staffId }
  const [row] = await tx.db
    .insert(userSessions)
    .values({
      ...owner,
      id: session.id,
      kind: 'login',
      delivery: session.delivery,
      // A version that is raised beside this leaves the session behind its staff's: it is then refused at its first check.
      sessionVersion: staff.version,
      createdAt: tx.now,
      lastSeenAt: tx.now,
      expiresAt: new Date(tx.now.getTime() + session.lifeMs),
      ipAddress: session.ipAddress,
      userAgent: session.userAgent,
      ...session.place,
      deviceFingerprint: session.deviceFingerprint,
      deviceCookieHash: session.deviceCookieHash === null ? null : Buffer.from(session.deviceCookieHash, 'hex'),
      deviceInfo: session.deviceInfo,
      amr: [...session.amr],
      authTime: tx.now,
    })
    .returning()
  await tx.db.insert(tokenFamilies).values({
    ...owner,
    id: session.familyId,
    sessionId: session.id,
    sessionStartedAt: tx.now,
    ...bindingColumns(session.binding),
  })
  await tx.db.insert(refreshTokens).values({
    ...owner,
    ...tokenColumns(session.token),
    sessionId: session.id,
    familyId: session.familyId,
    generation: 0,
    issuedAt: tx.now,
    expiresAt: new Date(tx.now.getTime() + session.tokenTtlMs),
    sessionStartedAt: tx.now,
  })
  return { kind: 'created', session: row as unknown as SessionRow, evicted: room }
}

/** Sessions, and for impersonations who acts. */
function listing(db: Drizzle) {
  return db
    .select({ session: userSessions, impersonator: { id: users.id, name: users.name } })
    .from(userSessions)
    .leftJoin(users, and(eq(userSessions.kind, 'impersonation'), eq(users.id, userSessions.realUserId)))
}

function listed({
  session,
  impersonator,
}: {
  readonly session: typeof userSessions.$inferSelect
  readonly impersonator: { readonly id: string; readonly name: string } | null
}): SessionRow {
  return { ...(session as unknown as SessionRow), impersonator: (impersonator as SessionRow['impersonator']) ?? null }
}

const COUNTED = { now: stableNowSql('$5'), idleMs: '$3', maxSessionLifeMs: '$7' } as const
const COUNT_LIVE: Statement = {
  name: 'sallyport_count_live_sessions',
  text: `select ${liveSessionsSql({ tenantId: '$1', staffId: '$2', ...COUNTED })} as live,
    ${liveSessionsSql({ tenantId: '$1', staffId: '$2', ...COUNTED, withinMs: '$4' })} as young,
    (select last_mfa_at from users where id = $6) as last_mfa_at`,
}

/** Judges the limits, and ends the oldest sessions where that is the policy. Resolves to those that ended. */
async function makeRoom(
  tx: Tx,
  { tenantId, staffId, userId, limits }: NewSession,
): Promise<EndedSessions | Extract<SessionCreation, { readonly kind: 'rapid' | 'over-cap' }>> {
  if (limits === undefined) return NOTHING_ENDED
  const { idleMs, maxSessionLifeMs, rapid, cap } = limits
  const windowMs = rapid?.windowMs ?? 0
  const [row] = await tx.run<{ live: number; young: number; last_mfa_at: Date | null }>(COUNT_LIVE, [
    tenantId,
    staffId,
    idleMs,
    windowMs,
    tx.shiftMs,
    userId,
    maxSessionLifeMs,
  ])
  if (row === undefined) throw new TypeError('sessions: a count answered no row')
  if (rapid !== undefined && row.young > rapid.sessions) return { kind: 'rapid', sessions: row.young }
  if (cap === undefined || row.live < cap.max) return NOTHING_ENDED
  if (row.last_mfa_at !== null && tx.now.getTime() - row.last_mfa_at.getTime() < cap.graceMs) return NOTHING_ENDED
  if (!cap.evict) return { kind: 'over-cap', sessions: row.live }
  const oldest = await tx.db
    .select({ id: userSessions.id })
    .from(userSessions)
    .where(
      and(
        eq(userSessions.tenantId, tenantId),
        eq(userSessions.staffId, staffId),
        eq(userSessions.kind, 'login'),
        isLive(tx.now, limits),
      ),
    )
    .orderBy(asc(userSessions.lastSeenAt), asc(userSessions.id))
    .limit(row.live - cap.max + 1)
  const ended: EndedSessions['sessions'][number][] = []
  for (const { id } of oldest) {
    const scope = { of: 'session', tenantId, sessionId: id as SessionId } as const
    const one = await endSessions(tx, scope, { reason: 'evicted', bumpVersion: false })
    ended.push(...(one?.sessions ?? []))
  }
  return { sessions: ended, versions: [] }
}

const NOTHING_ENDED: EndedSessions = { sessions: [], versions: [] }

function asked({ tenantId, userId, state, after, ...limits }: SessionQuery, offsetMs: number) {
  const live = isLive(sql`(clock_timestamp() + ${offsetMs}::float8 * interval '1 millisecond')`, limits)
  return and(
    eq(userSessions.tenantId, tenantId),
    eq(userSessions.userId, userId),
    state === 'active' ? live : state === 'ended' ? sql`not ${live}` : undefined,
    after &&
      sql`(${userSessions.lastSeenAt}, ${userSessions.id}) < (${after.lastSeenAt.toISOString()}::timestamptz, ${after.id}::uuid)`,
  )
}

/** What is not there any more counts as ended: an impersonation never outlives what it rests on. */
function toRealFacts(row: LiveRow): RealFacts {
  return {
    sessionId: row.real_session_id ?? row.id,
    userId: row.real_user_id ?? row.user_id,
    staffId: row.real_staff_id,
    versionAtStart: row.real_session_version,
    revokedAt: row.real_expires_at === null ? row.now : row.real_revoked_at,
    createdAt: row.real_created_at ?? row.now,
    expiresAt: row.real_expires_at ?? row.now,
    staff: {
      sessionVersion: row.real_staff_version ?? -1,
      status: row.real_status ?? 'removed',
      role: row.real_role,
      permissions: row.real_permissions ?? [],
    },
    user: { name: row.real_name ?? '', disabled: row.real_disabled },
  }
}

function toLiveFacts(row: LiveRow): LiveFacts {
  return {
    sessionId: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    staffId: row.staff_id,
    kind: row.kind,
    sessionVersion: row.session_version,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    stepUpRequiredAt: row.step_up_required_at,
    stepUpRisk: row.step_up_risk,
    revokedAt: row.revoked_at,
    revokeReason: row.revoke_reason,
    realUserId: row.real_user_id,
    real: row.kind === 'impersonation' ? toRealFacts(row) : null,
    confirmedGeneration: row.confirmed_generation,
    staff: {
      sessionVersion: row.staff_version,
      status: row.status,
      role: row.role,
      permissions: row.permissions,
    },
    user: { name: row.user_name, disabled: row.user_disabled },
    tenant: { disabled: row.tenant_disabled },
  }
}
