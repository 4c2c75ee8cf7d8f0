/**
 * Verifies a JWT of any kind, strictly: what this server would not have written is refused (RFC 8725).
 *
 * @module
 */

import { isUtf8 } from 'node:buffer'
import type { VerifyingKey } from './signing-key.ts'
import { SIGNATURE_BYTES } from './signing-key.ts'
import type { CommonClaims, TokenKind } from './token-kind.ts'
import { LEEWAY_SECONDS, numericDate } from './token-times.ts'

/** Ours are below 1 KiB. Longer input costs a look at its length. */
const MAX_LENGTH = 4096
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])

/** Why a token is invalid, for logs and metrics; a client is told only that it is. */
export type InvalidReason = 'malformed' | 'kind' | 'unknown-key' | 'signature' | 'issuer' | 'audience' | 'claims'

export type TokenOutcome<Claims> =
  | { readonly kind: 'valid'; readonly claims: Claims }
  /** Genuine, of this kind, and past its time. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'invalid'; readonly reason: InvalidReason }

/** The part of the ring that verifying needs. */
export interface VerifyingDeps {
  find(kid: string): VerifyingKey | undefined
}

/** What the token must say of where it comes from and whom it is for. Compared exactly, as strings. */
export interface TokenExpectations {
  readonly issuer: string
  readonly audience: string
}

/**
 * Verifies a token: form, kind, key, signature, issuer, audience, times and claims, in this order. Asks nobody: a key
 * comes from the ring or not at all.
 *
 * @param input Whatever a client sent.
 * @param now This node's clock, allowed {@link LEEWAY_SECONDS} either way.
 * @returns An outcome for any input; it throws only when the ring itself refuses to answer.
 */
export function verifyToken<Claims extends CommonClaims>(
  keys: VerifyingDeps,
  kind: TokenKind<Claims>,
  { issuer, audience }: TokenExpectations,
  input: unknown,
  now: Date,
): TokenOutcome<Claims> {
  if (typeof input !== 'string' || input.length > MAX_LENGTH) return invalid('malformed')
  const match = COMPACT.exec(input)
  if (!match) return invalid('malformed')
  const [, headerText = '', payloadText = '', signatureText = ''] = match
  const header = parseObject(decode(headerText))
  const payloadBytes = decode(payloadText)
  const signature = decode(signatureText)
  if (!header || !payloadBytes || signature?.length !== SIGNATURE_BYTES) return invalid('malformed')

  // Not only `crit`, `jwk`, `jku`, `x5u` and `x5c`: a member that we do not write means that we did not write the token.
  for (const name of Object.keys(header)) if (!HEADER_MEMBERS.has(name)) return invalid('malformed')
  const { alg, typ, kid } = header
  if (typ !== kind.typ) return invalid('kind')
  if (typeof kid !== 'string') return invalid('malformed')
  const key = keys.find(kid)
  if (!key) return invalid('unknown-key')
  // The key decides how it is verified. The header may only agree: this is what stops `none` and HS256 with a public key.
  if (alg !== key.alg) return invalid('signature')
  const signed = Buffer.from(input.slice(0, headerText.length + 1 + payloadText.length), 'latin1')
  if (!key.verify(signed, signature)) return invalid('signature')

  const payload = parseObject(payloadBytes)
  if (!payload) return invalid('claims')
  const { iss, aud, exp, iat, nbf } = payload
  if (iss !== issuer) return invalid('issuer')
  // A list is refused even with our name in it: a token for several is a token that each of them can use at the others.
  if (aud !== audience) return invalid('audience')
  if (!isTime(exp) || !isTime(iat)) return invalid('claims')
  const seconds = numericDate(now)
  if (iat > seconds + LEEWAY_SECONDS) return invalid('claims')
  if (nbf !== undefined && !(isTime(nbf) && nbf <= seconds + LEEWAY_SECONDS)) return invalid('claims')
  const claims = kind.read(payload, { iss: issuer, aud: audience, exp, iat })
  if (!claims) return invalid('claims')
  return seconds >= exp + LEEWAY_SECONDS ? { kind: 'expired' } : { kind: 'valid', claims }
}

/** The bytes of a segment, or `undefined` where it is not the one way to write them (RFC 4648, section 3.5). */
function decode(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.toString('base64url') === segment ? bytes : undefined
}

function parseObject(bytes: Buffer | undefined): Readonly<Record<string, unknown>> | undefined {
  if (!bytes || !isUtf8(bytes)) return undefined
  try {
    const text = bytes.toString('utf8')
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    // A member that is there twice is read as the last by some and as the first by others (RFC 8725, section 2.4 and RFC 7515,
    // section 4). What we write reads back as it is written, so that no two readers can differ.
    if (JSON.stringify(value) !== text) return undefined
    return value as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function invalid(reason: InvalidReason): { readonly kind: 'invalid'; readonly reason: InvalidReason } {
  return { kind: 'invalid', reason }
}
