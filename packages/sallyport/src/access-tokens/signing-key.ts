/**
 * One key of the ring, ready to sign and to verify.
 *
 * @module
 */

import type { KeyObject } from 'node:crypto'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { inspect } from 'node:util'
import type { SecretRing } from '../secrets/secret-ring.ts'
import { endOfTurn } from '../internal/end-of-turn.ts'
import { open, seal } from '../secrets/seal.ts'
import type { NewSigningKey, SigningAlgorithm, SigningKeyRow } from '../store/contract/keys.ts'

/** How each algorithm is called in node:crypto. JWS wants ECDSA signatures as r and s, not as DER (RFC 7518, section 3.4). */
const ALGORITHMS = {
  EdDSA: { hash: null, options: {} },
  ES256: { hash: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
} as const

/** Bytes of a signature: the same for both algorithms. */
export const SIGNATURE_BYTES = 64

/** The members that the thumbprint is made of, in its order (RFC 7638, section 3.2), which are all that is published too. */
const JWK_MEMBERS: Readonly<Record<SigningAlgorithm, readonly string[]>> = {
  EdDSA: ['crv', 'kty', 'x'],
  ES256: ['crv', 'kty', 'x', 'y'],
}

/** What a signature is checked with. The algorithm belongs to the key and never comes from a token. */
export interface VerifyingKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  verify(data: Uint8Array, signature: Uint8Array): boolean
}

/** A key as the ring holds it. Printing it shows its id alone. */
export class SigningKey implements VerifyingKey {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, string>>
  readonly #publicKey: KeyObject
  readonly #privateKey: KeyObject | undefined
  readonly #headers = new Map<string, string>()

  constructor(alg: SigningAlgorithm, publicJwk: Readonly<Record<string, string>>, privateKey?: KeyObject) {
    this.publicJwk = publicMembers(alg, publicJwk)
    this.kid = thumbprint(alg, this.publicJwk)
    this.alg = alg
    this.#publicKey = createPublicKey({ key: { ...this.publicJwk }, format: 'jwk' })
    this.#privateKey = privateKey
  }

  /** The encoded JWS header of a kind of token, made once: it is the same in each. */
  header(typ: string): string {
    let header = this.#headers.get(typ)
    if (header === undefined) {
      header = Buffer.from(JSON.stringify({ alg: this.alg, typ, kid: this.kid })).toString('base64url')
      this.#headers.set(typ, header)
    }
    return header
  }

  /** @throws TypeError for a key whose private part this node does not hold. */
  sign(data: Uint8Array): Buffer {
    const { hash, options } = ALGORITHMS[this.alg]
    return sign(hash, data, { key: this.#private(), ...options })
  }

  /**
   * The same in the thread pool, where the signatures of one turn are begun together: one by one each would wake a thread, which takes
   * the processor from the requests that are still being looked at.
   *
   * @throws TypeError as {@link sign} does.
   */
  async signAside(data: Uint8Array): Promise<Buffer> {
    const { hash, options } = ALGORITHMS[this.alg]
    const key = { key: this.#private(), ...options }
    await endOfTurn()
    return new Promise((resolve, reject) =>
      sign(hash, data, key, (error, signature) => (error === null ? resolve(signature) : reject(error))),
    )
  }

  #private(): KeyObject {
    if (!this.#privateKey) throw new TypeError(`signing key ${this.kid} has no private part here`)
    return this.#privateKey
  }

  verify(data: Uint8Array, signature: Uint8Array): boolean {
    const { hash, options } = ALGORITHMS[this.alg]
    return verify(hash, data, { key: this.#publicKey, ...options }, signature)
  }

  toJSON(): string {
    return `[signing key ${this.kid}]`
  }

  [inspect.custom](): string {
    return this.toJSON()
  }
}

/** A fresh key pair, its private part sealed for the store. */
export function generateSigningKey(secrets: SecretRing, alg: SigningAlgorithm): NewSigningKey {
  const pair = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicJwk = publicMembers(alg, pair.publicKey.export({ format: 'jwk' }))
  const kid = thumbprint(alg, publicJwk)
  const der = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealedPrivateKey = seal(secrets, der, sealedAs(kid))
  der.fill(0)
  return { kid, alg, publicJwk, sealedPrivateKey }
}

/**
 * Makes a key of a stored row.
 *
 * @throws SallyportError `INTERNAL` when the private part cannot be opened; `TypeError` when the row contradicts itself.
 */
export function readSigningKey(secrets: SecretRing, row: SigningKeyRow): SigningKey {
  let privateKey: KeyObject | undefined
  if (row.sealedPrivateKey !== null) {
    const der = open(secrets, row.sealedPrivateKey, sealedAs(row.kid))
    privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
  }
  const key = new SigningKey(row.alg, row.publicJwk, privateKey)
  // A row whose public key was exchanged would let someone else's tokens in under this id.
  const own = privateKey && thumbprint(row.alg, createPublicKey(privateKey).export({ format: 'jwk' }))
  if (key.kid !== row.kid || (own !== undefined && own !== row.kid)) {
    throw new TypeError(`signing key ${row.kid} is not the key that its id names`)
  }
  return key
}

/** The additional data that binds a sealed private key to its row. */
export function sealedAs(kid: string): string {
  return `signing_keys:${kid}`
}

/** The RFC 7638 thumbprint: SHA-256 over the required members, in lexicographic order and without white space. */
export function thumbprint(alg: SigningAlgorithm, jwk: Readonly<Record<string, unknown>>): string {
  return createHash('sha256')
    .update(JSON.stringify(publicMembers(alg, jwk)))
    .digest('base64url')
}

/** Copied by name, so that nothing private is ever published with them. */
function publicMembers(alg: SigningAlgorithm, jwk: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    JWK_MEMBERS[alg].map((name) => {
      const value = jwk[name]
      if (typeof value !== 'string') throw new TypeError(`the public key of an ${alg} key has no "${name}"`)
      return [name, value]
    }),
  )
}
