/**
 * Lists the tenants that the caller is in: where they can sign in to next.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import type { Role } from './roles.ts'

export interface MembershipDescription {
  readonly tenant: { readonly id: TenantId; readonly slug: string; readonly name: string }
  readonly role: Role
  /** Whether this request speaks from there. */
  readonly isCurrent: boolean
}

/** The active ones, in enabled tenants, oldest first. Who acts as another sees the tenant that they act in alone. */
export async function listMemberships(
  { store }: Pick<Engine, 'store'>,
  { userId, tenantId, kind }: Pick<Caller, 'userId' | 'tenantId' | 'kind'>,
): Promise<readonly MembershipDescription[]> {
  const account = await store.directory.account({ userId })
  return (account?.memberships ?? [])
    .filter(({ tenant, staff }) => staff.status === 'active' && !tenant.disabled)
    .filter(({ tenant }) => kind === 'login' || tenant.id === tenantId)
    .map(({ tenant: { id, slug, name }, staff: { role } }) => ({
      tenant: { id, slug, name },
      role,
      isCurrent: id === tenantId,
    }))
}
