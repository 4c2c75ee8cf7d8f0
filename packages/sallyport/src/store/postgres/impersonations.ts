/**
 * Impersonations in PostgreSQL.
 *
 * @module
 */

import { and, asc, eq, gt, inArray, isNull } from 'drizzle-orm'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { RevokeReason } from '../contract/ended-sessions.ts'
import type {
  ImpersonationRow,
  ImpersonationStore,
  LapsedImpersonation,
  NewImpersonation,
  StartedImpersonation,
} from '../contract/impersonations.ts'
import type { SessionRow } from '../contract/sessions.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import { confirmGeneration } from './confirm-generation.ts'
import type { Database, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { memberOf } from './directory-rows.ts'
import { tenantStaff, tenants, userSessions, users } from './schema.ts'

/** What an impersonation died of, as `judgeSession` would say it. */
const LAPSED: Statement = {
  name: 'sallyport_lapsed_impersonations',
  text: `with clock as materialized (select ${nowSql('$1')} as now),
    lapsed as (
      select i.id, clock.now, tu.name as user_name, case
          when r.id is null or r.revoked_at is not null then coalesce(r.revoke_reason, 'session_expired')
          when rs.status = 'removed' or ts.status = 'removed' then 'member_removed'
          when rs.status <> 'active' or ts.status <> 'active' or ru.disabled_at is not null or tu.disabled_at is not null
            or te.disabled_at is not null then 'member_disabled'
          when rs.session_version is distinct from i.real_session_version
            or ts.session_version is distinct from i.session_version then 'force_logout'
          else 'session_expired' end as reason
      from clock, user_sessions i
        left join user_sessions r on r.tenant_id = i.tenant_id and r.id = i.real_session_id
        left join tenant_staff rs on rs.tenant_id = i.tenant_id and rs.id = i.real_staff_id
        left join tenant_staff ts on ts.tenant_id = i.tenant_id and ts.id = i.staff_id
        left join users ru on ru.id = i.real_user_id
        left join users tu on tu.id = i.user_id
        left join tenants te on te.id = i.tenant_id
      where i.kind = 'impersonation' and i.revoked_at is null and (
        i.expires_at <= clock.now or r.id is null or r.revoked_at is not null
        or rs.session_version is distinct from i.real_session_version
        or ts.session_version is distinct from i.session_version
        or rs.status <> 'active' or ts.status <> 'active' or ru.disabled_at is not null or tu.disabled_at is not null
        or te.disabled_at is not null)
      order by i.id limit 500 for update of i skip locked)
    update user_sessions i set revoked_at = lapsed.now, revoke_reason = lapsed.reason
    from lapsed where i.id = lapsed.id
    returning i.tenant_id, i.id, i.user_id, i.staff_id, i.real_user_id, lapsed.user_name, i.revoke_reason`,
}

const REGISTER: Statement = {
  name: 'sallyport_impersonation_register',
  text: `select i.id, i.real_user_id, coalesce(r.name, '') as real_name, i.user_id, coalesce(u.name, '') as user_name,
      i.staff_id, coalesce(i.reason, '') as reason, i.created_at, i.expires_at, i.revoked_at, i.revoke_reason, i.ip_address
    from user_sessions i
      left join users r on r.id = i.real_user_id
      left join users u on u.id = i.user_id
    where i.tenant_id = $1 and i.kind = 'impersonation'
      and ($3::timestamptz is null or (i.created_at, i.id) < ($3::timestamptz, $4::uuid))
    order by i.created_at desc, i.id desc limit $2`,
}

export function impersonationStore(database: Database): ImpersonationStore {
  return {
    start: (input, audit) => database.transaction((tx) => start(tx, input, audit)),

    endLapsed: (audit) =>
      database.transaction(async (tx) => {
        const rows = await tx.run<{
          tenant_id: TenantId
          id: SessionId
          user_id: UserId
          staff_id: StaffId
          real_user_id: UserId
          user_name: string | null
          revoke_reason: RevokeReason
        }>(LAPSED, [database.clock.offsetMs])
        const lapsed: LapsedImpersonation[] = rows.map((row) => ({
          tenantId: row.tenant_id,
          sessionId: row.id,
          userId: row.user_id,
          staffId: row.staff_id,
          realUserId: row.real_user_id,
          userName: row.user_name ?? '',
          reason: row.revoke_reason,
        }))
        if (lapsed.length === 0) return lapsed
        await insertChanges(
          tx,
          lapsed.map(({ tenantId, sessionId }) => ({ tenantId, kind: 'session' as const, ref: sessionId })),
        )
        await insertAudit(tx, audit(lapsed, tx.now))
        return lapsed
      }),

    async register({ tenantId, limit, after }) {
      const rows = await database.run<{
        id: SessionId
        real_user_id: UserId
        real_name: string
        user_id: UserId
        user_name: string
        staff_id: StaffId
        reason: string
        created_at: Date
        expires_at: Date
        revoked_at: Date | null
        revoke_reason: RevokeReason | null
        ip_address: string | null
      }>(REGISTER, [tenantId, limit, after?.startedAt.toISOString() ?? null, after?.id ?? null])
      return rows.map(
        (row): ImpersonationRow => ({
          sessionId: row.id,
          realUser: { id: row.real_user_id, name: row.real_name },
          user: { id: row.user_id, name: row.user_name },
          staffId: row.staff_id,
          reason: row.reason,
          startedAt: row.created_at,
          expiresAt: row.expires_at,
          endedAt: row.revoked_at,
          endReason: row.revoke_reason,
          ipAddress: row.ip_address,
        }),
      )
    },
  }
}

async function start(
  tx: Tx,
  input: NewImpersonation,
  audit: Parameters<ImpersonationStore['start']>[1],
): ReturnType<ImpersonationStore['start']> {
  const { tenantId, staffId, real } = input
  // Both places, in the order of all who lock staff rows: whatever ends either waits, and then finds the session; or was first.
  const locked = await tx.db
    .select()
    .from(tenantStaff)
    .where(and(eq(tenantStaff.tenantId, tenantId), inArray(tenantStaff.id, [staffId, real.staffId])))
    .orderBy(asc(tenantStaff.id))
    .for('share')
  const [from] = await tx.db
    .select()
    .from(userSessions)
    .where(
      and(
        eq(userSessions.tenantId, tenantId),
        eq(userSessions.id, real.sessionId),
        eq(userSessions.kind, 'login'),
        isNull(userSessions.revokedAt),
        gt(userSessions.expiresAt, tx.now),
      ),
    )
    .for('share')
  const actor = locked.find(({ id }) => id === real.staffId)
  if (from === undefined || actor === undefined || actor.status !== 'active') return { kind: 'session-ended' }
  if (from.sessionVersion !== actor.sessionVersion) return { kind: 'session-ended' }
  const staff = locked.find(({ id }) => id === staffId)
  if (staff === undefined || staff.status === 'removed') return { kind: 'unknown' }
  const [person] = await tx.db
    .select({ tenant: tenants, user: users })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, tenantId))
    .where(eq(users.id, staff.userId))
  if (person === undefined) return { kind: 'unknown' }
  const target = memberOf(person.tenant, person.user, staff)
  const error = input.refuse({
    real: memberOf(person.tenant, person.user, actor).staff,
    target,
    targetDisabled: person.user.disabledAt !== null,
  })
  if (error !== undefined) return { kind: 'refused', error }

  const [session] = await tx.db
    .insert(userSessions)
    .values({
      id: input.id,
      tenantId,
      userId: staff.userId,
      staffId,
      kind: 'impersonation',
      delivery: 'body',
      sessionVersion: staff.sessionVersion,
      createdAt: tx.now,
      lastSeenAt: tx.now,
      expiresAt: new Date(Math.min(tx.now.getTime() + input.lifeMs, from.expiresAt.getTime())),
      ipAddress: input.ipAddress,
      userAgent: input.userAgent,
      // How the person acting has authenticated: the one acted as did not.
      amr: from.amr,
      authTime: from.authTime,
      realUserId: real.userId,
      realSessionId: real.sessionId,
      realStaffId: real.staffId,
      realSessionVersion: actor.sessionVersion,
      reason: input.reason,
    })
    .returning()
  await confirmGeneration(tx, { tenantId, sessionId: real.sessionId })
  const started: StartedImpersonation = { kind: 'started', session: session as unknown as SessionRow, target }
  await insertAudit(tx, audit(started, tx.now))
  return started
}
