/**
 * Signs a JWT of any kind.
 *
 * @module
 */

import type { SigningKey } from './signing-key.ts'
import type { CommonClaims, TokenKind } from './token-kind.ts'

/** The part of the ring that signing needs. */
export interface SigningDeps {
  /** The active key. */
  readonly signing: Pick<SigningKey, 'header' | 'sign'>
}

/**
 * Signs claims as they are, in the compact form. Synchronous: a signature costs less than a trip through the thread pool.
 */
export function signToken<Claims extends CommonClaims>(
  keys: SigningDeps,
  kind: TokenKind<Claims>,
  claims: Claims,
): string {
  const key = keys.signing
  const input = `${key.header(kind.typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  return `${input}.${key.sign(Buffer.from(input, 'latin1')).toString('base64url')}`
}
