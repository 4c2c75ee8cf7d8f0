/**
 * Accounts and members, as the directory's statements read them.
 *
 * @module
 */

import type { Role } from '../../directory/roles.ts'
import type { StaffId, TenantId, UserId } from '../../ids.ts'
import type { Account, Member, Membership, StaffRow, UserRow } from '../contract/directory.ts'
import type { Sql, Statement } from './database.ts'
import type { tenantStaff, tenants, users } from './schema.ts'

const ACCOUNT = `select u.id, u.email, u.name, u.email_verified_at, u.password_hash, u.disabled_at is not null as disabled,
    st.id as staff_id, st.role, st.permissions, st.status,
    te.id as tenant_id, te.slug, te.name as tenant_name, te.disabled_at is not null as tenant_disabled
  from users u
  left join tenant_staff st on st.user_id = u.id
  left join tenants te on te.id = st.tenant_id`

const BY_EMAIL: Statement = {
  name: 'sallyport_account_by_email',
  text: `${ACCOUNT} where lower(u.email) = lower($1) order by st.created_at, st.id`,
}
const BY_ID: Statement = {
  name: 'sallyport_account_by_id',
  text: `${ACCOUNT} where u.id = $1 order by st.created_at, st.id`,
}

interface AccountRow {
  readonly id: UserId
  readonly email: string | null
  readonly name: string
  readonly email_verified_at: Date | null
  readonly password_hash: string | null
  readonly disabled: boolean
  readonly staff_id: StaffId | null
  readonly role: Role
  readonly permissions: readonly string[]
  readonly status: StaffRow['status']
  readonly tenant_id: TenantId
  readonly slug: string
  readonly tenant_name: string
  readonly tenant_disabled: boolean
}

/** One statement for the person and all their places, so that the unknown take no fewer round trips than the known. */
export async function readAccount(
  sql: Sql,
  key: { readonly email: string } | { readonly userId: UserId },
): Promise<Account | undefined> {
  const rows =
    'email' in key ? await sql.run<AccountRow>(BY_EMAIL, [key.email]) : await sql.run<AccountRow>(BY_ID, [key.userId])
  const [first] = rows
  if (first === undefined) return undefined
  return {
    user: {
      id: first.id,
      email: first.email,
      name: first.name,
      emailVerifiedAt: first.email_verified_at,
      disabled: first.disabled,
    },
    passwordHash: first.password_hash,
    memberships: rows.flatMap(membershipOf),
  }
}

function membershipOf(row: AccountRow): readonly Membership[] {
  if (row.staff_id === null) return []
  return [
    {
      tenant: { id: row.tenant_id, slug: row.slug, name: row.tenant_name, disabled: row.tenant_disabled },
      staff: { id: row.staff_id, role: row.role, permissions: row.permissions, status: row.status },
    },
  ]
}

/** A member from whole rows of the three tables. */
export function memberOf(
  tenant: typeof tenants.$inferSelect,
  user: typeof users.$inferSelect,
  staff: typeof tenantStaff.$inferSelect,
): Member {
  return {
    tenant: { id: tenant.id as TenantId, slug: tenant.slug, name: tenant.name },
    user: userOf(user),
    staff: { id: staff.id as StaffId, role: staff.role, permissions: staff.permissions, status: staff.status },
  }
}

export function userOf({ id, email, name, emailVerifiedAt }: typeof users.$inferSelect): UserRow {
  return { id: id as UserId, email, name, emailVerifiedAt }
}
