/**
 * Starts the session of a member who has just proven who they are, for all the ways of doing so.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Place } from '../risk/facts.ts'
import { isStrong } from '../sessions/acr.ts'
import type { SessionStart } from '../sessions/create.ts'
import { startLimitedSession } from '../sessions/create.ts'
import type { IssuedSession } from '../sessions/issued.ts'
import { sessionLimitsOf } from '../sessions/limits.ts'
import type { Member } from '../store/contract/directory.ts'
import type { Binding } from '../store/contract/tokens.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'

/** How the client wants its tokens, and from where it asks. */
export interface SessionWish {
  readonly request: RequestFacts
  readonly delivery?: 'body' | 'cookie' | undefined
  /** What the token family is bound to. Defaults to nothing. */
  readonly binding?: Binding | undefined
  /** The hash of the device cookie that the answer hands out, or that the client has. */
  readonly deviceCookieHash?: string | undefined
}

/** A member with a session and its first tokens. */
export interface SignedIn {
  readonly member: Member
  readonly issued: IssuedSession
}

/** What was proven, and what is known of the place it was proven from. */
export interface SessionGround {
  /** By which methods (RFC 8176). */
  readonly amr: readonly string[]
  readonly metadata: NonNullable<AuditEvent['metadata']>
  /** Where the request came from. Looked up where it is not given. */
  readonly place?: Place | undefined
}

/**
 * Starts a session within the limits of the settings and the tenant.
 *
 * @throws SallyportError `UNAVAILABLE` where the place could not be looked up.
 */
export async function startSessionWithin(
  engine: Engine,
  member: Member,
  { request, delivery, binding, deviceCookieHash }: SessionWish,
  { amr, metadata, place }: SessionGround,
): Promise<SessionStart> {
  return startLimitedSession(engine, {
    tenantId: member.tenant.id,
    userId: member.user.id,
    staffId: member.staff.id,
    userName: member.user.name,
    amr,
    request,
    delivery,
    binding,
    deviceCookieHash: deviceCookieHash ?? request.deviceCookieHash,
    place: place ?? (await engine.places.of(request)),
    limits: sessionLimitsOf(engine.settings, await limitsOf(engine, member.tenant.id), isStrong(amr)),
    cause: { action: 'AUTH_LOGIN', resource: 'user', resourceId: member.user.id, metadata },
  })
}

/**
 * Starts the first session of somebody who has just joined.
 *
 * @returns `undefined` when the member, the user or the tenant is not enabled at this moment, or has too many sessions.
 */
export async function startSession(
  engine: Engine,
  member: Member,
  wish: SessionWish,
  metadata: NonNullable<AuditEvent['metadata']>,
): Promise<SignedIn | undefined> {
  const start = await startSessionWithin(engine, member, wish, { amr: ['pwd'], metadata })
  return start.kind === 'started' ? { member, issued: start.issued } : undefined
}
