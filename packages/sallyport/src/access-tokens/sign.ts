/**
 * Makes an access token for a session.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import type { AccessTokenClaims } from './claims.ts'
import { ACCESS_TOKEN } from './claims.ts'
import type { SigningDeps } from './sign-token.ts'
import { signTokenAside } from './sign-token.ts'
import { numericDate } from './token-times.ts'

/** What is the same in every access token of a service. */
export interface AccessTokenSettings {
  readonly issuer: string
  readonly audience: string
  /** How long a token lives. Ten minutes unless configured otherwise. */
  readonly ttlMs: number
}

/** Whom and what an access token speaks of. */
export interface AccessTokenSubject {
  readonly userId: UserId
  readonly staffId: StaffId
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly sessionVersion: number
  /** The refresh generation that it is minted with. */
  readonly generation: number
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string
  /** When the session ends at the latest: no token outlives it. */
  readonly sessionEndsAt: Date
  /** Under impersonation, the person acting. */
  readonly realUserId?: UserId | undefined
  /** The thumbprint of the client's key, where the session is bound to one. */
  readonly keyThumbprint?: string | undefined
}

export interface SignedAccessToken {
  readonly token: string
  /** For the client's `expiresIn`; the claim, exactly. */
  readonly expiresAt: Date
}

/**
 * Signs an access token with the ring's active key.
 *
 * @param now This node's clock: what stamps a token is what checks it elsewhere, within the leeway.
 */
export async function signAccessToken(
  keys: SigningDeps,
  { issuer, audience, ttlMs }: AccessTokenSettings,
  subject: AccessTokenSubject,
  now: Date,
): Promise<SignedAccessToken> {
  const exp = numericDate(new Date(Math.min(now.getTime() + ttlMs, subject.sessionEndsAt.getTime())))
  const claims: AccessTokenClaims = {
    iss: issuer,
    aud: audience,
    sub: subject.userId,
    exp,
    iat: numericDate(now),
    jti: randomUUID(),
    sid: subject.sessionId,
    tenant_id: subject.tenantId,
    staff_id: subject.staffId,
    session_version: subject.sessionVersion,
    gen: subject.generation,
    auth_time: numericDate(subject.authTime),
    amr: subject.amr,
    acr: subject.acr,
    ...(subject.realUserId !== undefined && { act: { sub: subject.realUserId } }),
    ...(subject.keyThumbprint !== undefined && { cnf: { jkt: subject.keyThumbprint } }),
  }
  return { token: await signTokenAside(keys, ACCESS_TOKEN, claims), expiresAt: new Date(exp * 1000) }
}
