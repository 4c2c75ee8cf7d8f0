/**
 * Decides in which tenant's audit log something is filed that happened to a person outside of any session.
 *
 * @module
 */

import type { TenantId } from '../ids.ts'
import type { Account, Membership } from '../store/contract/directory.ts'

/**
 * The tenant that is named, where it is one of the person's, else the only one they have; `null`, the service's own log,
 * where neither tells. A tenant of others never hears of somebody who typed its name.
 */
export function filedUnder(account: Account | undefined, named?: string): TenantId | null {
  const own = (account?.memberships ?? []).filter(({ staff }) => staff.status !== 'removed')
  const meant = named === undefined ? undefined : own.find((membership) => isNamed(membership, named))
  return (meant ?? (own.length === 1 ? own[0] : undefined))?.tenant.id ?? null
}

/** Whether an id or a slug means this tenant. */
export function isNamed({ tenant }: Membership, named: string): boolean {
  return tenant.id === named || tenant.slug === named.toLowerCase()
}
