/**
 * People, tenants and places in them, in the words of the API.
 *
 * @module
 */

import type { StaffId, TenantId, UserId } from '../ids.ts'
import type { Member, StaffRow, TenantRow, UserRow } from '../store/contract/directory.ts'
import type { PermissionRegistry } from './permissions.ts'
import type { Role } from './roles.ts'

export interface UserDescription {
  readonly id: UserId
  readonly email: string | null
  readonly name: string
  readonly emailVerified: boolean
}

export interface TenantDescription {
  readonly id: TenantId
  readonly name: string
  readonly slug: string
}

export interface StaffDescription {
  readonly id: StaffId
  readonly role: Role
  /** The role's own and the extra grants together. */
  readonly permissions: readonly string[]
}

export interface MemberDescription {
  readonly user: UserDescription
  readonly tenant: TenantDescription
  readonly staff: StaffDescription
}

export function describeMember({ user, tenant, staff }: Member, registry: PermissionRegistry): MemberDescription {
  return { user: describeUser(user), tenant: describeTenant(tenant), staff: describeStaff(staff, registry) }
}

export function describeUser({ id, email, name, emailVerifiedAt }: UserRow): UserDescription {
  return { id, email, name, emailVerified: emailVerifiedAt !== null }
}

export function describeTenant({ id, name, slug }: TenantRow): TenantDescription {
  return { id, name, slug }
}

export function describeStaff({ id, role, permissions }: StaffRow, registry: PermissionRegistry): StaffDescription {
  return { id, role, permissions: [...registry.of({ role, permissions })] }
}
