/**
 * Finds whom to tell of what happened to an account: the person, and the active owners and admins of the tenant.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'

/** Beyond these, whoever runs a tenant reads its audit log. */
const MOST_ADMINS = 20

export interface Recipient {
  readonly id: UserId
  readonly name: string
  readonly email: string
}

export interface Recipients {
  /** What the person is called, whether or not they can be reached. */
  readonly about: string
  /** `undefined` for one without an address. */
  readonly person: Recipient | undefined
  /** The person is not among them, nor is anybody without an address. */
  readonly admins: readonly Recipient[]
}

/** Never rejects: `undefined`, and logged, where it cannot be read; `undefined` too for one who is not of the tenant. */
export async function recipientsOf(
  { store, log }: Pick<Engine, 'store' | 'log'>,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
): Promise<Recipients | undefined> {
  try {
    const { members } = await store.directory.team(tenantId)
    const one = members.find(({ user }) => user.id === userId)
    if (one === undefined) return undefined
    const admins = members.filter(
      ({ user, staff }) =>
        user.id !== userId && staff.status === 'active' && (staff.role === 'owner' || staff.role === 'admin'),
    )
    return {
      about: one.user.name,
      person: reachable(one.user),
      admins: admins.slice(0, MOST_ADMINS).flatMap(({ user }) => reachable(user) ?? []),
    }
  } catch (error) {
    log.error({ err: error, userId }, 'whom to tell of a security event could not be read')
    return undefined
  }
}

/** What an incident keeps of it: to whom mails went, by id. Null where that is not known. */
export function alertedTo(recipients: Recipients | undefined): Readonly<Record<string, unknown>> | null {
  if (recipients === undefined) return null
  return { person: recipients.person !== undefined, admins: recipients.admins.map(({ id }) => id) }
}

function reachable({ id, name, email }: { readonly id: UserId; readonly name: string; readonly email: string | null }) {
  return email === null ? undefined : { id, name, email }
}
