/**
 * Verifies an access token.
 *
 * @module
 */

import type { AccessTokenClaims } from './claims.ts'
import { ACCESS_TOKEN } from './claims.ts'
import type { TokenExpectations, TokenOutcome, VerifyingDeps } from './verify-token.ts'
import { verifyToken } from './verify-token.ts'

export type AccessTokenOutcome = TokenOutcome<AccessTokenClaims>

/**
 * Verifies what a client presents as its access token.
 *
 * `valid` proves that this service issued it, for this audience, and that its time has not run out. It does not prove
 * that the session still lives: ask the live view before acting on it.
 */
export function verifyAccessToken(
  keys: VerifyingDeps,
  expected: TokenExpectations,
  input: unknown,
  now: Date,
): AccessTokenOutcome {
  return verifyToken(keys, ACCESS_TOKEN, expected, input, now)
}
