/**
 * What the beginnings of a tenant have in common: its ids, its slugs, and the rows that record it.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Member, NewTenant } from '../store/contract/directory.ts'
import { slugsFor } from './slugs.ts'

/** Gives the tenant, its owner and the place of the one in the other their ids. */
export function newTenant(asked: Pick<NewTenant, 'email' | 'tenantName' | 'userName' | 'passwordHash'>): NewTenant {
  return {
    ...asked,
    tenantId: newId<TenantId>(),
    userId: newId<UserId>(),
    staffId: newId<StaffId>(),
    slugs: slugsFor(asked.tenantName),
  }
}

/** `TENANT_CREATED` names the request; `USER_JOINED` stands beside it for the owner. */
export function newTenantRows(member: Member, request: RequestFacts, now: Date): readonly AuditRow[] {
  const by = {
    tenantId: member.tenant.id,
    userId: member.user.id,
    actorName: member.user.name,
    staffId: member.staff.id,
    request,
  }
  return [
    auditRow(
      {
        ...by,
        action: 'TENANT_CREATED',
        resource: 'security',
        resourceId: member.tenant.id,
        newValue: { name: member.tenant.name, slug: member.tenant.slug },
      },
      now,
    ),
    auditRow(
      {
        ...by,
        action: 'USER_JOINED',
        resource: 'tenant_staff',
        resourceId: member.staff.id,
        newValue: { role: member.staff.role },
        metadata: { by: 'sign_up' },
      },
      now,
    ),
  ]
}
