/**
 * Finds a user's place in one tenant.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import type { StaffRow, UserRow } from '../store/contract/directory.ts'

/** `undefined` for a user who is not, or no longer, of this tenant. */
export async function membershipOf(
  { store }: Pick<Engine, 'store'>,
  tenantId: TenantId,
  userId: UserId,
): Promise<{ readonly user: UserRow; readonly staff: StaffRow } | undefined> {
  const account = await store.directory.account({ userId })
  const membership = account?.memberships.find(({ tenant }) => tenant.id === tenantId)
  if (account === undefined || membership === undefined || membership.staff.status === 'removed') return undefined
  return { user: account.user, staff: membership.staff }
}
