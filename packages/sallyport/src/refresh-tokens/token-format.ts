/**
 * The format of refresh tokens: recognisable, bound to a tenant, a family and a generation, and authenticated before
 * anything is read from the database.
 *
 * `sprt_` and base64url of: version (1 byte), key id (5), tenant (16), family (16), generation (4, big-endian), secret (32),
 * truncated HMAC-SHA-256 over all of that (16). The 90 bytes fill 120 characters without spare bits, so that a token has
 * exactly one spelling.
 *
 * @module
 */

import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { FamilyId, TenantId } from '../ids.ts'
import type { SecretKey, SecretRing } from '../secrets/secret-ring.ts'

const PREFIX = 'sprt_'
const FORM = /^sprt_[A-Za-z0-9_-]{120}$/
const VERSION = 1
const MAC_AT = 74
const SIZE = 90
/** Far beyond any family's life at one refresh a minute; a bound keeps the four bytes from wrapping. */
const MAX_GENERATION = 0x7fffffff

/** A token that this server, or one with the same secrets, has issued. Whether it is still good, the database knows. */
export interface ParsedToken {
  readonly raw: string
  readonly hash: Buffer
  readonly tenantId: TenantId
  readonly familyId: FamilyId
  readonly generation: number
}

/** Spells a token out, under the key that is given. */
export function formatRefreshToken(
  key: SecretKey,
  token: { readonly tenantId: TenantId; readonly familyId: FamilyId; readonly generation: number },
  secret: Uint8Array,
): string {
  if (token.generation > MAX_GENERATION) throw new RangeError('refresh token: the family has too many generations')
  const bytes = Buffer.alloc(SIZE)
  bytes[0] = VERSION
  key.id.copy(bytes, 1)
  writeId(bytes, 6, token.tenantId)
  writeId(bytes, 22, token.familyId)
  bytes.writeUInt32BE(token.generation, 38)
  bytes.set(secret, 42)
  mac(key, bytes).copy(bytes, MAC_AT, 0, SIZE - MAC_AT)
  return PREFIX + bytes.toString('base64url')
}

/** `undefined` for anything that no holder of our secrets can have issued; reads nothing, never throws on client input. */
export function parseRefreshToken(ring: SecretRing, input: unknown): ParsedToken | undefined {
  if (typeof input !== 'string' || input.length !== PREFIX.length + 120 || !FORM.test(input)) return undefined
  const bytes = Buffer.from(input.slice(PREFIX.length), 'base64url')
  if (bytes.length !== SIZE || bytes[0] !== VERSION) return undefined
  const key = ring.find(bytes.toString('hex', 1, 6))
  if (key === undefined) return undefined
  if (!timingSafeEqual(mac(key, bytes).subarray(0, SIZE - MAC_AT), bytes.subarray(MAC_AT))) return undefined
  return {
    raw: input,
    hash: hashRefreshToken(input),
    tenantId: readId(bytes, 6) as TenantId,
    familyId: readId(bytes, 22) as FamilyId,
    generation: bytes.readUInt32BE(38),
  }
}

/** The only form in which a token is stored. */
export function hashRefreshToken(raw: string): Buffer {
  return Buffer.from(hash('sha256', raw, 'hex'), 'hex')
}

function mac(key: SecretKey, bytes: Buffer): Buffer {
  return createHmac('sha256', key.mac).update(bytes.subarray(0, MAC_AT)).digest()
}

function writeId(bytes: Buffer, at: number, id: string): void {
  bytes.write(id.replaceAll('-', ''), at, 16, 'hex')
}

function readId(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
