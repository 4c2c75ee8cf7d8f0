/**
 * What to do after a theft or a stop, and how much of it has been done.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import { isPublicAddress } from '../risk/public-address.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { judgeAddress } from '../tenant-settings/policy.ts'
import { searchAll } from './search-all.ts'

export const ADVICE_CODES = [
  /** Ask the person whether they know the place, the device and the time. */
  'ask_person',
  /** Look through what was done since the two parted. */
  'review_actions',
  /** End what is open still and began before the incident. */
  'force_logout',
  /** Have the person set another password. */
  'reset_password',
  /** Have them enrol a second factor. */
  'enrol_factor',
  /** A token is read where it is kept: look at the device that it was stolen from. */
  'check_device',
  /** Deny the address that the other one came from. */
  'block_address',
  /** Bind sessions to a key, so that a copied token is worth nothing. */
  'bind_key',
] as const
export type AdviceCode = (typeof ADVICE_CODES)[number]

export interface Advice {
  readonly code: AdviceCode
  /** Null for what no data can tell. */
  readonly done: boolean | null
}

export interface AdviceInput {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly at: Date
  /** From where the one came who is not the owner, or who may not be. */
  readonly addresses: readonly string[]
  /** Whether there was anything done that may be the thief's. */
  readonly hasActions: boolean
  /** What the stolen family was bound to; `undefined` where no token was stolen. */
  readonly binding: 'none' | 'cookie' | 'key' | undefined
}

/** How many of the person's live sessions are looked at. */
const MOST_SESSIONS = 200

/** In the order in which to do it. */
export async function adviceFor(
  { store, live, settings }: Pick<Engine, 'store' | 'live' | 'settings'>,
  { tenantId, userId, at, addresses, hasActions, binding }: AdviceInput,
): Promise<readonly Advice[]> {
  const { idleMs, maxSessionLifeMs } = await limitsOf({ live, settings }, tenantId)
  const [open, passwords, factors, policy] = await Promise.all([
    store.sessions.list({ tenantId, userId, state: 'active', idleMs, maxSessionLifeMs, limit: MOST_SESSIONS }),
    searchAll(store.audit, { tenantId, from: at, userId, actions: ['PASSWORD_CHANGED'], outcome: 'SUCCESS' }, 1),
    store.stepUp.factors(userId),
    live.loadPolicy(tenantId),
  ])
  const outside = addresses.filter(isPublicAddress)
  const now = live.date().getTime()
  const denied = outside.every(
    (address) => policy !== undefined && judgeAddress(policy, address, now).kind === 'refused',
  )
  const stolen = binding !== undefined
  return [
    { code: 'ask_person', done: null },
    ...(hasActions ? [{ code: 'review_actions', done: null } as const] : []),
    { code: 'force_logout', done: !open.some(({ createdAt }) => createdAt < at) },
    { code: 'reset_password', done: passwords.rows.length > 0 ? true : passwords.complete ? false : null },
    { code: 'enrol_factor', done: factors.enrolled.some(({ disabledAt }) => disabledAt === null) },
    ...(stolen ? [{ code: 'check_device', done: null } as const] : []),
    ...(outside.length > 0 ? [{ code: 'block_address', done: denied } as const] : []),
    ...(stolen ? [{ code: 'bind_key', done: binding === 'key' } as const] : []),
  ]
}
