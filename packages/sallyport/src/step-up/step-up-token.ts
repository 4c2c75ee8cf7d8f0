/**
 * The token that a 428 hands out: it opens the step-up endpoints of one session or of one sign-in, and nothing else.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { retryOnUnknownKey } from '../access-tokens/retry-on-unknown-key.ts'
import { signToken } from '../access-tokens/sign-token.ts'
import type { CommonClaims, TokenKind } from '../access-tokens/token-kind.ts'
import { numericDate } from '../access-tokens/token-times.ts'
import { verifyToken } from '../access-tokens/verify-token.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId, SessionId, TenantId, UserId } from '../ids.ts'
import { isId } from '../ids.ts'
import { deviceDigest } from '../internal/device-digest.ts'

/** How long it is good for. */
export const STEP_UP_TOKEN_TTL_MS = 10 * 60_000

/** What a step-up token is for: a session that waits, bound to the refresh token that was presented, or a sign-in that waits. */
export type StepUpTarget =
  | { readonly purpose: 'session_risk'; readonly sessionId: SessionId; readonly tokenHash: Uint8Array }
  | { readonly purpose: 'sign_in'; readonly signInId: ChallengeId }

/** Whom and what the token speaks of. */
export interface StepUpSubject {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly target: StepUpTarget
  /** What is known of the device that was answered 428; `undefined` where it showed none. Kept as a digest. */
  readonly device?: string | undefined
}

/** The claims, with the names that they have on the wire. Times are seconds since 1970. */
export interface StepUpTokenClaims extends CommonClaims {
  readonly sub: UserId
  readonly jti: string
  readonly tenant_id: TenantId
  readonly purpose: 'session_risk' | 'sign_in'
  /** The session that waits; of a sign-in there is none yet. */
  readonly sid?: SessionId
  /** The sign-in that waits. */
  readonly sign_in?: ChallengeId
  /** A digest of the stored hash of the refresh token that was presented. */
  readonly presented?: string
  /** A digest of the device. */
  readonly device?: string
}

const DIGEST = /^[A-Za-z0-9_-]{43}$/

/** Step-up tokens, as told apart from every other JWT of this server. */
export const STEP_UP_TOKEN: TokenKind<StepUpTokenClaims> = {
  typ: 'step-up+jwt',
  read(payload, common) {
    const { sub, jti, tenant_id, purpose, sid, sign_in, presented, device } = payload
    if (!isId(sub) || !isId(jti) || !isId(tenant_id)) return undefined
    if (device !== undefined && !isDigest(device)) return undefined
    const whose = {
      ...common,
      sub: sub as UserId,
      jti,
      tenant_id: tenant_id as TenantId,
      ...(device !== undefined && { device }),
    }
    // One or the other and never both: a token of a sign-in must not open a session, nor the other way round.
    if (purpose === 'session_risk' && isId(sid) && isDigest(presented) && sign_in === undefined) {
      return { ...whose, purpose, sid: sid as SessionId, presented }
    }
    if (purpose === 'sign_in' && isId(sign_in) && sid === undefined && presented === undefined) {
      return { ...whose, purpose, sign_in: sign_in as ChallengeId }
    }
    return undefined
  },
}

/**
 * Signs a step-up token.
 *
 * @param now This node's clock, which stamps and checks JWTs.
 */
export function issueStepUpToken(
  { keys, settings }: Pick<Engine, 'keys' | 'settings'>,
  { tenantId, userId, target, device }: StepUpSubject,
  now: Date = new Date(),
): string {
  return signToken(keys, STEP_UP_TOKEN, {
    iss: settings.issuer,
    aud: settings.audience,
    sub: userId,
    exp: numericDate(new Date(now.getTime() + STEP_UP_TOKEN_TTL_MS)),
    iat: numericDate(now),
    jti: randomUUID(),
    tenant_id: tenantId,
    purpose: target.purpose,
    ...(target.purpose === 'session_risk'
      ? { sid: target.sessionId, presented: deviceDigest(target.tokenHash) }
      : { sign_in: target.signInId }),
    ...(device !== undefined && { device: deviceDigest(device) }),
  })
}

/**
 * Verifies a step-up token.
 *
 * `valid` proves that this server handed it out in the last ten minutes. It does not prove that the session or the sign-in still
 * waits: the store is asked for that.
 *
 * @throws SallyportError `INVALID_TOKEN`, `TOKEN_EXPIRED`.
 */
export async function readStepUpToken(
  { keys, settings }: Pick<Engine, 'keys' | 'settings'>,
  token: string,
  now: Date = new Date(),
): Promise<StepUpTokenClaims> {
  const { issuer, audience } = settings
  const outcome = await retryOnUnknownKey(keys, () =>
    verifyToken(keys, STEP_UP_TOKEN, { issuer, audience }, token, now),
  )
  if (outcome.kind === 'valid') return outcome.claims
  if (outcome.kind === 'expired') {
    throw new SallyportError('TOKEN_EXPIRED', 'This step-up took too long. Begin again.')
  }
  throw new SallyportError('INVALID_TOKEN', 'This is no step-up token of this server.')
}

/** Whether a token was handed out to whoever presented this refresh token. */
export function isOfToken(claims: StepUpTokenClaims, tokenHash: Uint8Array): boolean {
  return claims.presented === deviceDigest(tokenHash)
}

/**
 * What a step-up that is passed with this token is bound to, as kept: the device that was answered 428; where it showed none, the
 * token itself, or somebody else without a device could use what the owner has passed.
 */
export function boundTo({ device, jti }: StepUpTokenClaims): string {
  return device ?? deviceDigest(`token:${jti}`)
}

/** Whether a request comes from the device that was answered 428. One without a device fits only a request without one. */
export function isOfDevice(claims: StepUpTokenClaims, device: string | undefined): boolean {
  return claims.device === (device === undefined ? undefined : deviceDigest(device))
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && DIGEST.test(value)
}
