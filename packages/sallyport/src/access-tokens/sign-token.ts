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
  readonly signing: Pick<SigningKey, 'header' | 'sign' | 'signAside'>
}

/** Signs claims as they are, in the compact form. */
export function signToken<Claims extends CommonClaims>(
  keys: SigningDeps,
  kind: TokenKind<Claims>,
  claims: Claims,
): string {
  const key = keys.signing
  const input = inputOf(key, kind, claims)
  return compact(input, key.sign(Buffer.from(input, 'latin1')))
}

/**
 * The same in the thread pool, for tokens that are asked for by the thousand: a signature takes a tenth of what a refresh takes, and
 * meanwhile this thread has others to answer.
 */
export async function signTokenAside<Claims extends CommonClaims>(
  keys: SigningDeps,
  kind: TokenKind<Claims>,
  claims: Claims,
): Promise<string> {
  const key = keys.signing
  const input = inputOf(key, kind, claims)
  return compact(input, await key.signAside(Buffer.from(input, 'latin1')))
}

function inputOf<Claims extends CommonClaims>(
  key: SigningDeps['signing'],
  kind: TokenKind<Claims>,
  claims: Claims,
): string {
  return `${key.header(kind.typ)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
}

function compact(input: string, signature: Buffer): string {
  return `${input}.${signature.toString('base64url')}`
}
