/**
 * What the token-level API tells of a token.
 *
 * @module
 */

import type { TenantId, UserId } from '../../ids.ts'
import { assertNever } from '../../internal/assert-never.ts'
import type { RefreshFacts } from '../../store/contract/tokens.ts'
import type { Verdict } from '../judge.ts'

/**
 * Why a token is no good, or not now: after `retry` (another call was faster) and `waiting` (its session waits for a step-up) it still
 * is; one that is `bound` to a key is redeemed by a refresh with a proof, and by nothing here. `not_expired`: it need not be replaced.
 */
export type TokenRefusal =
  | 'malformed'
  | 'not_found'
  | 'revoked'
  | 'expired'
  | 'reused'
  | 'not_owner'
  | 'retry'
  | 'waiting'
  | 'bound'
  | 'not_expired'

/** What a check of a token tells. */
export type VerifiedToken =
  | {
      readonly valid: true
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly familyId: string
      readonly visitorId: string | null
      readonly sessionStartedAt: Date
      readonly issuedAt: Date
      readonly expiresAt: Date
    }
  | { readonly valid: false; readonly reason: TokenRefusal; readonly userId?: UserId }

export type RotatedToken =
  | { readonly rotated: true; readonly raw: string; readonly expiresAt: Date }
  | { readonly rotated: false; readonly reason: TokenRefusal }

export function validToken({ token, family, tenantId, userId }: RefreshFacts): VerifiedToken {
  return {
    valid: true,
    tenantId,
    userId,
    familyId: family.id,
    visitorId: token.deviceFingerprint,
    sessionStartedAt: family.sessionStartedAt,
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
  }
}

/** What a token is refused with, in a word. A family that ran out reads as expired to whoever holds its last token, and as revoked to all others. */
export function refusalOf(verdict: Verdict, { token }: Pick<RefreshFacts, 'token'>): TokenRefusal {
  switch (verdict.kind) {
    case 'expired':
      return 'expired'
    case 'family-ended':
      return verdict.reason === 'session_expired' && token.consumedAt === null ? 'expired' : 'revoked'
    case 'session-over':
      return verdict.code === 'SESSION_EXPIRED' ? 'expired' : 'revoked'
    case 'try-again':
      return 'retry'
    case 'reuse':
    case 'replay':
      return 'reused'
    case 'waiting':
      return 'waiting'
    case 'proof-missing':
      return 'bound'
    case 'revoked-alone':
      return 'revoked'
    case 'rotate':
      return 'not_expired'
    default:
      return assertNever(verdict)
  }
}
