/**
 * The roles of a tenant's staff, and the permissions that each role carries.
 *
 * @module
 */

export const ROLES = ['owner', 'admin', 'auditor', 'member'] as const
/** What a staff member is in a tenant. */
export type Role = (typeof ROLES)[number]

/** The permissions that Sallyport itself asks for; hosts register more. */
export const PERMISSIONS = [
  'SETTINGS_SECURITY_VIEW',
  'SETTINGS_SECURITY_EDIT',
  'SETTINGS_TEAM_VIEW',
  'SETTINGS_TEAM_EDIT',
] as const
/** A permission of Sallyport's own. */
export type Permission = (typeof PERMISSIONS)[number]

/** What each role may do, before extra grants. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  owner: PERMISSIONS,
  admin: PERMISSIONS,
  auditor: ['SETTINGS_SECURITY_VIEW', 'SETTINGS_TEAM_VIEW'],
  member: [],
}

const RANK: Readonly<Record<Role, number>> = { owner: 3, admin: 2, auditor: 1, member: 0 }

/** The one of two roles that may do less. */
export function lowerRole(a: Role, b: Role): Role {
  return outranks(a, b) ? b : a
}

/** Whether `a` outranks `b`: nobody acts on the sessions of one who outranks them. */
export function outranks(a: Role, b: Role): boolean {
  return RANK[a] > RANK[b]
}
