/**
 * Tells the caller who they are: person, tenant, place, session, second factors, and who acts in their name.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { UserId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import type { SessionDescription } from '../sessions/describe.ts'
import { describeSession } from '../sessions/describe.ts'
import type { MemberDescription } from './describe.ts'
import { describeMember } from './describe.ts'

export interface WhoAmI extends MemberDescription {
  readonly session: SessionDescription
  readonly impersonation: {
    readonly realUser: { readonly id: UserId; readonly name: string }
    readonly startedAt: string
    readonly expiresAt: string
    readonly reason: string | null
  } | null
  readonly factors: readonly {
    readonly id: string
    readonly type: string
    readonly label: string
    readonly createdAt: string
    readonly lastUsedAt: string | null
  }[]
}

/** @throws SallyportError `SESSION_REVOKED` when the session was removed meanwhile. */
export async function whoAmI(
  { store, live, settings }: Pick<Engine, 'store' | 'live' | 'settings'>,
  caller: Caller,
): Promise<WhoAmI> {
  // Apps ask at every page: between changes the answer differs in one thing.
  const known = await live.remember(caller.sessionId, 'who-am-i', () => read({ store, settings }, caller))
  const lastSeen = live.get(caller.sessionId)?.lastSeen
  if (lastSeen === undefined) return known
  return { ...known, session: { ...known.session, lastSeenAt: new Date(lastSeen).toISOString() } }
}

async function read({ store, settings }: Pick<Engine, 'store' | 'settings'>, caller: Caller): Promise<WhoAmI> {
  const [profile, session, factors] = await Promise.all([
    store.directory.profile(caller),
    store.sessions.find(caller.tenantId, caller.sessionId),
    store.stepUp.factors(caller.userId),
  ])
  if (profile === undefined || session === undefined) {
    throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  }
  const { member, impersonation } = profile
  const description = describeMember(member, settings.permissions)
  return {
    ...description,
    // What the caller may do now: under impersonation less than the person themselves.
    staff: { ...description.staff, permissions: [...caller.permissions] },
    session: describeSession(session, caller.sessionId),
    impersonation: impersonation
      ? {
          realUser: impersonation.realUser,
          startedAt: impersonation.startedAt.toISOString(),
          expiresAt: impersonation.expiresAt.toISOString(),
          reason: impersonation.reason,
        }
      : null,
    factors: factors.enrolled.map(({ id, type, label, createdAt, lastUsedAt }) => ({
      id,
      type,
      label,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    })),
  }
}
