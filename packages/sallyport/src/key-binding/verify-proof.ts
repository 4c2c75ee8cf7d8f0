/**
 * Checks a proof of possession of a key (RFC 9449 section 4.3), all but its single use, which needs the database.
 *
 * @module
 */

import { createHash, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'

/** What the proof must be of. */
export interface ExpectedProof {
  /** The method of the request. */
  readonly method: string
  /** Its address by the configured public URL, never by what the request says its host is. */
  readonly url: string
  /** This node's clock. */
  readonly now: Date
  /** Whether a nonce is one of the server's, where the server asks for one. */
  readonly isNonce?: ((nonce: string) => boolean) | undefined
  /** Where the proof comes with an access token. */
  readonly accessToken?: BoundAccessToken | undefined
}

/** An access token, and the thumbprint of the key that it is bound to, where it is. */
export interface BoundAccessToken {
  readonly token: string
  readonly thumbprint: string | undefined
}

export type ProofVerdict =
  | {
      readonly kind: 'valid'
      /** RFC 7638, SHA-256. */
      readonly thumbprint: string
      /** Names this one proof: what is used once. */
      readonly id: Buffer
    }
  | { readonly kind: 'invalid'; readonly why: ProofFault }

/** Which check failed; for logs and tests, and no answer. */
export type ProofFault =
  | 'several'
  | 'malformed'
  | 'claims'
  | 'typ'
  | 'alg'
  | 'signature'
  | 'private-key'
  | 'htm'
  | 'htu'
  | 'nonce'
  | 'iat'
  | 'ath'

/** How far a proof's `iat` may be from this node's clock, either way. */
export const PROOF_WINDOW_MS = 60_000

const MAX_PROOF = 4096
const MAX_JTI = 256
const JWT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** Every member that only a private or a symmetric key has. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * @param proofs The proofs of the request: every `DPoP` header field that came.
 */
export function verifyProof(proofs: readonly string[], expected: ExpectedProof): ProofVerdict {
  const [proof] = proofs
  if (proof === undefined || proofs.length !== 1) return invalid('several')
  const parts = read(proof)
  if (parts === undefined) return invalid('malformed')
  const { header, claims, signed, signature } = parts
  const { jti, htm, htu, iat, nonce, ath } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) return invalid('claims')
  if (typeof htm !== 'string' || typeof htu !== 'string' || typeof iat !== 'number' || !Number.isFinite(iat)) {
    return invalid('claims')
  }
  if (header['typ'] !== 'dpop+jwt') return invalid('typ')
  // An extension that must be understood is one that is not.
  if (header['crit'] !== undefined) return invalid('malformed')
  const { jwk } = header
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return invalid('malformed')
  if (PRIVATE.some((member) => Object.hasOwn(jwk, member))) return invalid('private-key')
  const key = publicKeyOf(jwk as Readonly<Record<string, unknown>>, header['alg'])
  if (key === undefined) return invalid('alg')
  if (!isSigned(key, signed, signature)) return invalid('signature')
  if (htm !== expected.method) return invalid('htm')
  const address = normalised(htu)
  if (address === undefined || address !== normalised(expected.url)) return invalid('htu')
  if (expected.isNonce !== undefined && (typeof nonce !== 'string' || !expected.isNonce(nonce))) return invalid('nonce')
  if (Math.abs(iat * 1000 - expected.now.getTime()) > PROOF_WINDOW_MS) return invalid('iat')
  const thumbprint = thumbprintOf(key.jwk)
  if (expected.accessToken !== undefined) {
    const { token, thumbprint: bound } = expected.accessToken
    if (typeof ath !== 'string' || !isEqual(ath, base64url(token)) || bound !== thumbprint) return invalid('ath')
  }
  return { kind: 'valid', thumbprint, id: createHash('sha256').update(`${thumbprint}\0${jti}`).digest() }
}

function invalid(why: ProofFault): ProofVerdict {
  return { kind: 'invalid', why }
}

interface Parts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: Buffer
  readonly signature: Buffer
}

function read(proof: string): Parts | undefined {
  if (proof.length > MAX_PROOF || !JWT.test(proof)) return undefined
  const [header = '', payload = '', signature = ''] = proof.split('.')
  const [head, claims] = [objectOf(header), objectOf(payload)]
  if (head === undefined || claims === undefined) return undefined
  return {
    header: head,
    claims,
    signed: Buffer.from(`${header}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'))
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The public members alone, in the order of the thumbprint. */
type PublicKey =
  | {
      readonly alg: 'ES256'
      readonly jwk: { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string }
    }
  | { readonly alg: 'EdDSA'; readonly jwk: { readonly crv: 'Ed25519'; readonly kty: 'OKP'; readonly x: string } }

/** The algorithm is pinned to the kind of key; `none` and everything symmetric is not among them. */
function publicKeyOf({ kty, crv, x, y }: Readonly<Record<string, unknown>>, alg: unknown): PublicKey | undefined {
  if (alg === 'ES256' && kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y)) {
    return { alg, jwk: { crv, kty, x, y } }
  }
  // RFC 9864 gives EdDSA with this curve a name of its own.
  if ((alg === 'EdDSA' || alg === 'Ed25519') && kty === 'OKP' && crv === 'Ed25519' && isCoordinate(x)) {
    return { alg: 'EdDSA', jwk: { crv, kty, x } }
  }
  return undefined
}

/** 32 bytes in the one way to write them, so that one key has one thumbprint. */
function isCoordinate(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^[A-Za-z0-9_-]{43}$/.test(value) &&
    Buffer.from(value, 'base64url').toString('base64url') === value
  )
}

function isSigned({ alg, jwk }: PublicKey, signed: Buffer, signature: Buffer): boolean {
  try {
    const key = createPublicKey({ key: jwk as unknown as JsonWebKey, format: 'jwk' })
    return alg === 'ES256'
      ? verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
      : verify(null, signed, key, signature)
  } catch {
    // Not a point of the curve.
    return false
  }
}

/** RFC 7638: the required members in the order of their names. */
function thumbprintOf(jwk: PublicKey['jwk']): string {
  return base64url(JSON.stringify(jwk))
}

/** Without query and fragment, normalised by RFC 3986 sections 6.2.2 and 6.2.3. */
function normalised(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined
  const { protocol, host, pathname, username, password } = new URL(address)
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') return undefined
  const path = pathname.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
  return `${protocol}//${host}${path}`
}

function base64url(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
