/**
 * The team in PostgreSQL.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { and, asc, eq, inArray, or } from 'drizzle-orm'
import type { StaffId, TenantId, UserId } from '../../ids.ts'
import type { EndedSessions, RevokeReason } from '../contract/ended-sessions.ts'
import type { ChangedMember, DeletedUser, MemberChange, PurgedRows, TeamStore } from '../contract/team.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, SqlValue, Statement, Tx } from './database.ts'
import { memberOf } from './directory-rows.ts'
import { endSessions } from './end-sessions.ts'
import { tenantStaff, tenants, users } from './schema.ts'

type Staff = typeof tenantStaff.$inferSelect

const NOTHING_ENDED: EndedSessions = { sessions: [], versions: [] }

export function teamStore(database: Database): TeamStore {
  return {
    change: ({ tenantId, staffId, actorStaffId, actorUserId, change, refuse }, audit) =>
      database.transaction(async (tx) => {
        const locked = await lockStaff(tx, tenantId, [staffId, actorStaffId])
        const staff = locked.find(({ id }) => id === staffId)
        const actor = locked.find(({ id }) => id === actorStaffId)
        if (staff === undefined || staff.status === 'removed' || actor?.status !== 'active') return { kind: 'unknown' }
        const [person] = await tx.db
          .select({ tenant: tenants, user: users })
          .from(users)
          .innerJoin(tenants, eq(tenants.id, tenantId))
          .where(eq(users.id, staff.userId))
        if (person === undefined) return { kind: 'unknown' }

        const wanted = { ...staff, ...given(change) }
        const member = memberOf(person.tenant, person.user, staff)
        const error = refuse({
          actor: memberOf(person.tenant, person.user, actor).staff,
          member,
          leavesNoOwner:
            isOwner(staff) && !isOwner(wanted) && !locked.some((one) => one.id !== staffId && isOwner(one)),
        })
        if (error !== undefined) return { kind: 'refused', error }

        await tx.db
          .update(tenantStaff)
          .set({ role: wanted.role, permissions: wanted.permissions, status: wanted.status })
          .where(and(eq(tenantStaff.tenantId, tenantId), eq(tenantStaff.id, staffId)))
        const leaving = wanted.status !== 'active' && wanted.status !== staff.status
        const ended = leaving ? await endAll(tx, tenantId, staffId, wanted.status, actorUserId) : NOTHING_ENDED
        if (!leaving) await insertChanges(tx, [{ tenantId, kind: 'staff', ref: staffId }])
        const changed: ChangedMember = {
          kind: 'changed',
          before: member.staff,
          member: memberOf(person.tenant, person.user, wanted),
          ended,
        }
        await insertAudit(tx, audit(changed, tx.now))
        return changed
      }),

    deleteUser: (userId, audit) => database.transaction((tx) => deleteUser(tx, userId, audit)),
  }
}

/** By id, as everyone locks staff rows who takes several: the owners whom "the last one stays" is about, and those named. */
function lockStaff(tx: Tx, tenantId: TenantId, named: readonly StaffId[]): Promise<Staff[]> {
  return tx.db
    .select()
    .from(tenantStaff)
    .where(
      and(eq(tenantStaff.tenantId, tenantId), or(inArray(tenantStaff.id, [...named]), eq(tenantStaff.role, 'owner'))),
    )
    .orderBy(asc(tenantStaff.id))
    .for('no key update')
}

function isOwner({ role, status }: Pick<Staff, 'role' | 'status'>): boolean {
  return role === 'owner' && status === 'active'
}

function given({ role, permissions, status }: MemberChange): Partial<Pick<Staff, 'role' | 'permissions' | 'status'>> {
  return {
    ...(role !== undefined && { role }),
    ...(permissions !== undefined && { permissions: [...permissions] }),
    ...(status !== undefined && { status }),
  }
}

async function endAll(
  tx: Tx,
  tenantId: TenantId,
  staffId: StaffId,
  status: Staff['status'],
  revokedBy: UserId,
): Promise<EndedSessions> {
  const reason: RevokeReason = status === 'removed' ? 'member_removed' : 'member_disabled'
  const ended = await endSessions(tx, { of: 'staff', tenantId, staffId }, { reason, revokedBy, bumpVersion: true })
  return ended ?? NOTHING_ENDED
}

interface Leaving {
  readonly userId: UserId
  readonly email: string | null
  /** Where they have or had a place. */
  readonly tenantIds: readonly TenantId[]
}

interface OfUser {
  readonly table: string
  /** Whether its rows belong to a tenant each. */
  readonly tenant: boolean
  /** What names a row in the digest. Defaults to its id. */
  readonly key?: string
  /** Defaults to the rows that have the user's id. */
  readonly where?: string
  readonly given?: (leaving: Leaving) => SqlValue[]
}

/**
 * What holds rows of a person, children before their parents. A sign-in that waits goes before its challenges: who is about to make
 * one holds it.
 */
const OF_USER: readonly OfUser[] = [
  { table: 'pending_sign_ins', tenant: true },
  { table: 'refresh_tokens', tenant: true },
  { table: 'token_families', tenant: true },
  { table: 'step_up_challenges', tenant: true },
  {
    // Those in which they acted as somebody, too: the audit log keeps who did what.
    table: 'user_sessions',
    tenant: true,
    where: 'user_id = $1 or (tenant_id = any($2::uuid[]) and real_user_id = $1)',
    given: ({ userId, tenantIds }) => [userId, tenantIds],
  },
  {
    // An invitation names an address and no user.
    table: 'one_time_tokens',
    tenant: true,
    where: 'user_id = $1 or lower(email) = lower($2)',
    given: ({ userId, email }) => [userId, email],
  },
  { table: 'recovery_codes', tenant: false, key: "encode(code_hash, 'hex')" },
  { table: 'guess_budgets', tenant: false, key: 'factor' },
  { table: 'mfa_factors', tenant: false },
  {
    table: 'trusted_devices',
    tenant: true,
    key: 'device_hash',
    where: '(tenant_id, staff_id) in (select tenant_id, id from tenant_staff where user_id = $1)',
  },
  { table: 'tenant_staff', tenant: true },
  { table: 'users', tenant: false, where: 'id = $1' },
]

/** What goes on without them, and no longer says that it was theirs. */
const NAMED_BESIDE: readonly Statement[] = [
  {
    name: 'sallyport_unname_revoker',
    text: 'update user_sessions set revoked_by = null where tenant_id = any($2::uuid[]) and revoked_by = $1',
  },
  {
    name: 'sallyport_unname_rule_maker',
    text: 'update ip_rules set created_by = null where tenant_id = any($2::uuid[]) and created_by = $1',
  },
  {
    name: 'sallyport_unname_inviter',
    text: `update one_time_tokens set data = data - 'invitedBy' where tenant_id = any($2::uuid[]) and data ->> 'invitedBy' = $1::text`,
  },
]

async function deleteUser(tx: Tx, userId: UserId, audit: Parameters<TeamStore['deleteUser']>[1]): Promise<DeletedUser> {
  const places = await tx.run<{ tenant_id: TenantId }>(
    { name: 'sallyport_user_places', text: 'select tenant_id from tenant_staff where user_id = $1' },
    [userId],
  )
  // With the other owners of each tenant, in the one order of all who lock staff rows.
  const locked = await tx.db
    .select()
    .from(tenantStaff)
    .where(
      or(
        eq(tenantStaff.userId, userId),
        and(
          inArray(
            tenantStaff.tenantId,
            places.length === 0 ? [userId] : places.map(({ tenant_id }) => tenant_id as string),
          ),
          eq(tenantStaff.role, 'owner'),
        ),
      ),
    )
    .orderBy(asc(tenantStaff.id))
    .for('no key update')
  const [user] = await tx.db.select({ email: users.email }).from(users).where(eq(users.id, userId)).for('update')
  if (user === undefined) return { kind: 'unknown' }
  for (const own of locked.filter((staff) => staff.userId === userId && isOwner(staff))) {
    const another = locked.some((staff) => staff.tenantId === own.tenantId && staff.userId !== userId && isOwner(staff))
    if (!another) return { kind: 'last-owner', tenantId: own.tenantId as TenantId }
  }

  const ended = await endSessions(tx, { of: 'user', userId }, { reason: 'member_removed', bumpVersion: true })
  const purged: PurgedRows[] = []
  const leaving: Leaving = { userId, email: user.email, tenantIds: places.map(({ tenant_id }) => tenant_id) }
  for (const { table, tenant, key = 'id::text', where = 'user_id = $1', given = ofUserAlone } of OF_USER) {
    const rows = await tx.run<{ tenant_id: TenantId | null; id: string }>(
      {
        name: `sallyport_purge_${table}`,
        text: `delete from ${table} where ${where} returning ${tenant ? 'tenant_id' : 'null::uuid as tenant_id'}, ${key} as id`,
      },
      given(leaving),
    )
    purged.push(...purgedOf(table, rows))
  }
  for (const statement of NAMED_BESIDE) await tx.run(statement, [userId, leaving.tenantIds])
  await insertChanges(tx, [{ tenantId: null, kind: 'user', ref: userId }])
  const facts = { kind: 'deleted' as const, ended: ended ?? NOTHING_ENDED, purged }
  await insertAudit(tx, audit(facts, tx.now))
  return facts
}

const ofUserAlone = ({ userId }: Leaving): SqlValue[] => [userId]

function purgedOf(
  table: string,
  rows: readonly { readonly tenant_id: TenantId | null; readonly id: string }[],
): PurgedRows[] {
  const byTenant = new Map<TenantId | null, string[]>()
  for (const { tenant_id, id } of rows) byTenant.set(tenant_id, [...(byTenant.get(tenant_id) ?? []), id])
  return [...byTenant].map(([tenantId, ids]) => ({
    tenantId,
    table,
    count: ids.length,
    sha256: createHash('sha256').update(ids.sort().join('\n')).digest('hex'),
  }))
}
