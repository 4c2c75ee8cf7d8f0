/**
 * Keeps the small shadow rows of tenants, users and members for hosts whose sign-in is their own.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { EnsuredMemberFacts, Named, StaffRow } from '../store/contract/directory.ts'
import { emailAddress } from './email-address.ts'
import type { Role } from './roles.ts'
import { ROLES } from './roles.ts'
import { slugsFor } from './slugs.ts'

export interface EnsureMemberInput {
  /** `id` names a tenant that is there; `externalId`, the host's own id, one that is made when it is not. */
  readonly tenant: Named<TenantId> & { readonly name?: string | undefined }
  readonly user: Named<UserId> & { readonly email?: string | undefined; readonly name: string }
  /** Where it is given it is kept in step with the host; a new member without one is a `member`. */
  readonly role?: Role | undefined
  readonly request?: RequestFacts | undefined
}

export interface EnsuredMember {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  /** One who was disabled or removed here stays so, whatever the host says: no session starts for them. */
  readonly status: StaffRow['status']
}

/**
 * Makes sure that the host's tenant, user and membership have their rows, and answers their ids. Safe to call at every
 * sign-in, from many nodes at once; where nothing has changed it only reads.
 *
 * A user is known by the host's id alone, never by the address: two people who are given one address must not become one.
 *
 * @throws SallyportError `NOT_FOUND` when an `id` names nothing, `CONFLICT` when another user has the address,
 * `INVALID_REQUEST`.
 */
export async function ensureMember(engine: Engine, input: EnsureMemberInput): Promise<EnsuredMember> {
  const { tenant, user, role, request } = input
  for (const [field, named] of Object.entries({ tenant, user })) {
    const { externalId } = named as { readonly externalId?: unknown }
    if (externalId === undefined) continue
    if (
      typeof externalId !== 'string' ||
      externalId === '' ||
      externalId.length > 255 ||
      externalId.includes('\u0000')
    ) {
      throw invalidField(`${field}.externalId`, 'must be a text of 1 to 255 characters')
    }
  }
  if (role !== undefined && !ROLES.includes(role)) throw invalidField('role', `must be one of ${ROLES.join(', ')}`)
  const email = user.email === undefined ? undefined : emailAddress(user.email, 'user.email')

  const member = await engine.store.directory.ensureMember(
    {
      tenant: { ...tenant, slugs: slugsFor(tenant.name ?? ('externalId' in tenant ? tenant.externalId : '')) },
      user: { ...user, email },
      role,
      newIds: { tenantId: newId<TenantId>(), userId: newId<UserId>(), staffId: newId<StaffId>() },
    },
    (facts, now) => rowsOf(facts, request, now),
  )
  if (member === undefined) throw new SallyportError('NOT_FOUND', 'there is no tenant or user with this id')
  if (member === 'email-taken') {
    throw new SallyportError('CONFLICT', 'another user has this address', {
      facts: { field: 'user.email', reason: 'email_taken' },
    })
  }
  return {
    tenantId: member.tenant.id,
    userId: member.user.id,
    staffId: member.staff.id,
    status: member.staff.status,
  }
}

/** The host is who acts, and no person. */
function rowsOf(facts: EnsuredMemberFacts, request: RequestFacts | undefined, now: Date): readonly AuditRow[] {
  const { tenant, staff, user } = facts.member
  const common = { tenantId: tenant.id, metadata: { actor: 'host', targetUserId: user.id }, request }
  const rows: AuditRow[] = []
  if (facts.tenantCreated) {
    rows.push(
      auditRow(
        {
          ...common,
          action: 'TENANT_CREATED',
          resource: 'security',
          resourceId: tenant.id,
          newValue: { name: tenant.name, slug: tenant.slug },
        },
        now,
      ),
    )
  }
  const place = { ...common, resource: 'tenant_staff', resourceId: staff.id, newValue: { role: staff.role } }
  if (facts.joined) rows.push(auditRow({ ...place, action: 'USER_JOINED' }, now))
  if (facts.roleBefore !== undefined) {
    rows.push(auditRow({ ...place, action: 'USER_ROLE_UPDATED', oldValue: { role: facts.roleBefore } }, now))
  }
  return rows
}
