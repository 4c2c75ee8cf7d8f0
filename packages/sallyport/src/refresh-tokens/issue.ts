/**
 * Makes refresh tokens: the first of a family from randomness, each successor from its parent.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { FamilyId, TenantId, TokenId } from '../ids.ts'
import { newId } from '../ids.ts'
import { hkdf32 } from '../internal/hkdf.ts'
import { randomChunk } from '../internal/random.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { SecretKey, SecretRing } from '../secrets/secret-ring.ts'
import type { NewToken } from '../store/contract/tokens.ts'
import type { ParsedToken } from './token-format.ts'
import { formatRefreshToken, hashRefreshToken } from './token-format.ts'

const SECRET_BYTES = 32
const NONCE_BYTES = 16

/** A raw token and what is stored of it. */
export interface Issued {
  readonly raw: string
  readonly stored: NewToken
}

/** The first token of a new family: 256 random bits. */
export function issueFirst(
  { secrets }: { readonly secrets: SecretRing },
  { tenantId, request }: { readonly tenantId: TenantId; readonly request: RequestFacts },
): Issued & { readonly familyId: FamilyId } {
  const familyId = newId<FamilyId>()
  const key = secrets.signing
  const raw = formatRefreshToken(key, { tenantId, familyId, generation: 0 }, randomBytes(SECRET_BYTES))
  return { familyId, raw, stored: stored(raw, key, null, request) }
}

/** A successor of `parent` with a nonce of its own, under the key that signs now. */
export function issueSuccessor(
  { secrets }: { readonly secrets: SecretRing },
  parent: ParsedToken,
  request: RequestFacts,
): Issued {
  const key = secrets.signing
  const nonce = randomChunk(NONCE_BYTES)
  const raw = derive(key, parent, nonce)
  return { raw, stored: stored(raw, key, nonce, request) }
}

/**
 * Derives the successor that was issued for `parent` before, from what its row holds. `undefined` when what is derived is
 * not what the row's hash says: only then is the token in hand the one that was exchanged.
 */
export function deriveAgain(
  { secrets }: { readonly secrets: SecretRing },
  parent: ParsedToken,
  successor: { readonly nonce: Uint8Array | null; readonly secretId: string; readonly tokenHash: Uint8Array },
): string | undefined {
  const key = secrets.find(successor.secretId)
  if (key === undefined || successor.nonce === null) return undefined
  const raw = derive(key, parent, successor.nonce)
  return hashRefreshToken(raw).equals(successor.tokenHash) ? raw : undefined
}

/**
 * HKDF-SHA-256 (RFC 5869) over the parent's raw value, extracted under the server's rotation secret: the database alone has
 * no raw parent, the secret alone has neither, and a parent alone has no secret. The nonce goes when the successor is
 * consumed, so that a lineage cannot be derived forward from an old token.
 */
function derive(key: SecretKey, parent: ParsedToken, nonce: Uint8Array): string {
  const token = { tenantId: parent.tenantId, familyId: parent.familyId, generation: parent.generation + 1 }
  const info = Buffer.concat([Buffer.from(`sallyport rotation v1 ${token.familyId} ${token.generation} `), nonce])
  return formatRefreshToken(key, token, hkdf32(parent.raw, key.rotation, info))
}

function stored(raw: string, key: SecretKey, nonce: Uint8Array | null, request: RequestFacts): NewToken {
  return {
    id: newId<TokenId>(),
    tokenHash: hashRefreshToken(raw),
    nonce,
    secretId: key.idHex,
    ipAddress: request.ipAddress ?? null,
    userAgent: request.userAgent ?? null,
    deviceFingerprint: request.deviceFingerprint ?? null,
    deviceInfo: request.deviceInfo ?? null,
  }
}
