/**
 * Changes a member's role and extra permissions, and disables and enables them.
 *
 * @module
 */

import type { AuditEvent, AuditRow } from '../audit/record.ts'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { StaffId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import type { Member } from '../store/contract/directory.ts'
import type { ChangedMember, MemberChange } from '../store/contract/team.ts'
import { refusalOfChange } from './member-rules.ts'
import type { Role } from './roles.ts'

export interface ChangeMemberInput {
  readonly staffId: StaffId
  readonly role?: Role | undefined
  /** The extra grants, all of them: those left out are taken away. */
  readonly permissions?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
  readonly request: RequestFacts
}

/**
 * Roles and grants bite at the member's next request, on every node, and sign nobody out. Disabling ends everything that the
 * member has open, the impersonations of them and by them included. The caller stands behind the step-up `team_change`.
 *
 * @throws SallyportError `FORBIDDEN` for what is not the caller's to change, `LAST_OWNER`, `NOT_FOUND` (no such member in this
 * tenant), `INVALID_REQUEST` for a permission that nobody registered.
 */
export async function changeMember(engine: Engine, caller: Caller, input: ChangeMemberInput): Promise<Member> {
  const { staffId, role, disabled, request } = input
  refuseWhileImpersonating(caller)
  const permissions = input.permissions === undefined ? undefined : [...new Set(input.permissions)].sort()
  const unknown = permissions?.find((one) => !engine.settings.permissions.has(one))
  if (unknown !== undefined) throw invalidField('permissions', 'names a permission that there is not')
  const change: MemberChange = {
    role,
    permissions,
    ...(disabled !== undefined && { status: disabled ? ('disabled' as const) : ('active' as const) }),
  }
  return applyChange(engine, caller, staffId, change, request)
}

/** Makes the change if it may be made, and makes it true on this node at once. */
export async function applyChange(
  engine: Engine,
  caller: Caller,
  staffId: StaffId,
  change: MemberChange,
  request: RequestFacts,
): Promise<Member> {
  const outcome = await engine.store.team.change(
    {
      tenantId: caller.tenantId,
      staffId,
      actorStaffId: caller.staffId,
      actorUserId: caller.userId,
      change,
      refuse: (facts) => refusalOfChange(facts, change, engine.settings.permissions),
    },
    (changed, now) => rowsOf(changed, caller, request, now),
  )
  if (outcome.kind === 'unknown') throw new SallyportError('NOT_FOUND', 'There is no such member in this tenant.')
  if (outcome.kind === 'refused') throw outcome.error
  engine.live.forget({ kind: 'staff', ref: staffId })
  const reason = outcome.member.staff.status === 'removed' ? 'member_removed' : 'member_disabled'
  announceEnded(engine, outcome.ended, { reason })
  return outcome.member
}

/** Acting as another is for seeing what they see, not for handing out rights in their name. */
export function refuseWhileImpersonating(caller: Caller): void {
  if (caller.kind === 'impersonation') {
    throw new SallyportError('NOT_WHILE_IMPERSONATING', 'The team is not changed while impersonating.')
  }
}

/** One row for each thing that changed; who asked for what is so is told that it is, and nothing is written. */
function rowsOf(
  { before, member, ended }: ChangedMember,
  caller: Caller,
  request: RequestFacts,
  now: Date,
): readonly AuditRow[] {
  const { staff } = member
  const rows: AuditRow[] = []
  const write = (event: Pick<AuditEvent, 'action' | 'oldValue' | 'newValue'>): void => {
    rows.push(
      auditRow(
        {
          ...actor(caller),
          resource: 'tenant_staff',
          resourceId: staff.id,
          metadata: { targetUserId: member.user.id, sessionsEnded: ended.sessions.length },
          request,
          ...event,
        },
        now,
      ),
    )
  }
  if (before.role !== staff.role) {
    write({ action: 'USER_ROLE_UPDATED', oldValue: { role: before.role }, newValue: { role: staff.role } })
  }
  if (before.permissions.join() !== staff.permissions.join()) {
    write({
      action: 'USER_PERMISSIONS_UPDATED',
      oldValue: { permissions: before.permissions },
      newValue: { permissions: staff.permissions },
    })
  }
  if (before.status !== staff.status) {
    const action =
      staff.status === 'removed' ? 'USER_REMOVED' : staff.status === 'disabled' ? 'USER_DISABLED' : 'USER_ENABLED'
    write({ action, oldValue: { status: before.status }, newValue: { status: staff.status } })
  }
  const reason = staff.status === 'removed' ? 'member_removed' : 'member_disabled'
  return [...rows, ...endedRows(ended, reason, { ...actor(caller), request }, now)]
}
