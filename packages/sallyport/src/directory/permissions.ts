/**
 * The permissions of one instance: those that Sallyport itself asks for, and those that a host registers.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { Permission, Role } from './roles.ts'
import { PERMISSIONS, ROLE_PERMISSIONS, ROLES } from './roles.ts'

/** What a host says of a permission when it registers it. */
export interface PermissionRule {
  /** The roles that carry it, beside `owner`, who may do everything. Defaults to none: it is then granted person by person. */
  readonly roles?: readonly Role[] | undefined
}

/** The permissions that can be asked for and granted. */
export interface PermissionRegistry {
  readonly names: readonly string[]
  has(name: string): boolean
  /** What a role carries by itself. */
  ofRole(role: Role): readonly string[]
  /** What a staff member holds: by the role, and by extra grants. A grant of a permission that is no longer registered is none. */
  of(staff: { readonly role: Role; readonly permissions: readonly string[] }): ReadonlySet<string>
}

const MAX = 200

/**
 * Registers the built-in permissions and a host's.
 *
 * @throws SallyportError `CONFIG_INVALID` for a name in another form or taken already, and for a role that there is not.
 */
export function permissionRegistry(host: Readonly<Record<string, PermissionRule>> = {}): PermissionRegistry {
  const carried = new Map<Role, string[]>(ROLES.map((role) => [role, [...ROLE_PERMISSIONS[role]]]))
  const names: string[] = [...PERMISSIONS]
  for (const [name, { roles = [] }] of Object.entries(host)) {
    if (!/^[A-Z][A-Z0-9_]{1,63}$/.test(name)) throw invalid(name, 'must be in upper snake case, 2 to 64 characters')
    if (names.includes(name)) throw invalid(name, 'is a permission of its own already')
    if (names.length >= MAX) throw invalid(name, `is one too many: at most ${MAX} permissions`)
    names.push(name)
    for (const role of new Set<Role>(['owner', ...roles])) {
      const list = carried.get(role)
      if (list === undefined) throw invalid(name, `names the role ${String(role)}; known are ${ROLES.join(', ')}`)
      list.push(name)
    }
  }
  const known = new Set(names)
  const ofRole = (role: Role): readonly string[] => carried.get(role) ?? []
  return {
    names,
    has: (name) => known.has(name),
    ofRole,
    of: ({ role, permissions }) => new Set([...ofRole(role), ...permissions.filter((one) => known.has(one))]),
  }
}

/** A permission that may be asked for: built in, or one of the names that a host registered. */
export type AnyPermission<Host extends string = never> = Permission | Host

function invalid(name: string, rule: string): SallyportError {
  const option = `permissions.${name}`
  return new SallyportError('CONFIG_INVALID', `option "${option}" ${rule}`, { facts: { option } })
}
