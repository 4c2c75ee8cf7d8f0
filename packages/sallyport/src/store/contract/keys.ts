/**
 * The port of the keys that sign access tokens, in whole atomic operations.
 *
 * @module
 */

import type { AuditOf } from './audited.ts'

export type SigningAlgorithm = 'EdDSA' | 'ES256'

/** `next` is published and does not sign yet; one `active` signs; `retired` verifies what it signed; `revoked` does nothing. */
export type SigningKeyState = 'next' | 'active' | 'retired' | 'revoked'

/** A key pair that is not in the store yet. */
export interface NewSigningKey {
  /** The RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, string>>
  /** Sealed before it gets here: a store never sees a private key. */
  readonly sealedPrivateKey: string
}

export interface SigningKeyRow {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, string>>
  /** Null once the key signs no more: what is not kept cannot leak. */
  readonly sealedPrivateKey: string | null
  readonly state: SigningKeyState
  readonly createdAt: Date
  readonly activatedAt: Date | null
  readonly retiredAt: Date | null
  readonly revokedAt: Date | null
}

export interface SigningKeyList {
  readonly keys: readonly SigningKeyRow[]
  /** The database's clock when the list was read. */
  readonly now: Date
}

/** What a change of keys turned out to be, for its audit rows. */
export interface SigningKeyFacts {
  readonly change: 'created' | 'rotated' | 'revoked' | 'resealed'
  /** The key that the change is about: created, promoted, revoked or resealed. */
  readonly kid: string
  /** The state that `kid` was in before; null for a created one. */
  readonly was: SigningKeyState | null
  /** The key that stopped signing by this change. */
  readonly retired: string | null
  /** The key that began to sign by this change. */
  readonly activated: string | null
  /** The key that was published to follow. */
  readonly next: string | null
}

export type SigningKeyRevocation =
  | { readonly kind: 'revoked'; readonly was: 'next' | 'active' | 'retired' }
  | { readonly kind: 'already-revoked' }
  | { readonly kind: 'unknown' }

/**
 * The signing keys. They belong to the service as a whole and to no tenant.
 *
 * At every moment that another connection can see, there MUST be at most one `active` and at most one `next` key, and
 * after {@link KeyStore.create} exactly one of each. Each change that takes effect MUST write, in its own transaction,
 * one row of the feed of kind `key` whose `ref` is the key's id, and the rows that `audit` makes. A call that changes
 * nothing MUST write neither. A key that becomes `retired` or `revoked` MUST lose its private part in the same write.
 */
export interface KeyStore {
  /** All keys, revoked ones included, oldest first. MUST read the primary and one snapshot. */
  list(): Promise<SigningKeyList>

  /**
   * Writes the first two keys where there is no active one. Of all concurrent calls on an empty store exactly one MUST
   * resolve to `true`; the others MUST resolve to `false`, and only when the winner's keys can be read.
   */
  create(
    input: { readonly active: NewSigningKey; readonly next: NewSigningKey },
    audit: AuditOf<SigningKeyFacts>,
  ): Promise<boolean>

  /**
   * Retires `active`, promotes `promoted` and publishes `next`, in one step. Resolves to `false`, and changes nothing,
   * unless `active` is the active key and `promoted` the next one when it writes: of all concurrent calls that name
   * the same two, exactly one MUST resolve to `true`.
   */
  rotate(
    input: { readonly active: string; readonly promoted: string; readonly next: NewSigningKey },
    audit: AuditOf<SigningKeyFacts>,
  ): Promise<boolean>

  /**
   * Ends a key. Revoking the active one MUST promote the next one and publish `next` in the same transaction; revoking
   * the next one MUST publish `next` in its place; otherwise `next` is dropped. A repeat resolves to `already-revoked`.
   */
  revoke(
    input: { readonly kid: string; readonly next: NewSigningKey },
    audit: AuditOf<SigningKeyFacts>,
  ): Promise<SigningKeyRevocation>

  /**
   * Replaces the sealed private part of one key. Resolves to `false`, and changes nothing, unless it is still `from`: a
   * key that was retired meanwhile MUST NOT get its private part back.
   */
  reseal(
    input: { readonly kid: string; readonly from: string; readonly to: string },
    audit: AuditOf<SigningKeyFacts>,
  ): Promise<boolean>
}
