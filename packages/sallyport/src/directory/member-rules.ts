/**
 * Who may change whose place in a tenant: the one judgement behind roles, grants, disabling and removing.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { MemberChange, MemberChangeFacts } from '../store/contract/team.ts'
import type { PermissionRegistry } from './permissions.ts'
import { outranks } from './roles.ts'

/** @returns What the change is refused with, judged by both people as they stand in the transaction that would make it. */
export function refusalOfChange(
  { actor, member, leavesNoOwner }: MemberChangeFacts,
  change: MemberChange,
  registry: PermissionRegistry,
): SallyportError | undefined {
  const { staff } = member
  const held = registry.of(actor)
  if (!held.has('SETTINGS_TEAM_EDIT')) return forbidden('This needs the permission SETTINGS_TEAM_EDIT.')
  // First of all: it is the answer that tells the last owner what to do about it.
  if (leavesNoOwner) return new SallyportError('LAST_OWNER', 'A tenant keeps one owner: make another one first.')

  const self = actor.id === staff.id
  const role = change.role ?? staff.role
  if (self && role !== staff.role) return forbidden('Nobody changes their own role.')
  if (self && change.status === 'disabled') return forbidden('Nobody disables themselves.')
  if (role !== staff.role && (role === 'owner' || staff.role === 'owner') && actor.role !== 'owner') {
    return forbidden('Only an owner makes or unmakes an owner.')
  }
  if (outranks(staff.role, actor.role)) return forbidden('Nobody changes the place of one who outranks them.')
  if (outranks(role, actor.role)) return forbidden('A role above your own is not yours to give.')

  const before = registry.of(staff)
  const after = registry.of({ role, permissions: change.permissions ?? staff.permissions })
  // Enabling hands everything back at once, so it is a grant of all of it.
  const comesBack = change.status === 'active' && staff.status !== 'active'
  const beyond = [...after].filter((one) => (comesBack || !before.has(one)) && !held.has(one))
  return beyond.length === 0 ? undefined : forbidden(`Nobody grants what they do not hold: ${beyond.join(', ')}.`)
}

function forbidden(message: string): SallyportError {
  return new SallyportError('FORBIDDEN', message)
}
