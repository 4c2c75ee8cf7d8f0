/**
 * Replaces the key that signs with the one that was published to follow it.
 *
 * @module
 */

import type { SecretRing } from '../secrets/secret-ring.ts'
import type { KeyStore, SigningAlgorithm } from '../store/contract/keys.ts'
import { generateSigningKey } from './signing-key.ts'
import type { ChangeOrigin } from './signing-key-audit.ts'
import { signingKeyAudit } from './signing-key-audit.ts'
import type { SigningKeys } from './signing-keys.ts'

export interface SigningKeyDeps {
  readonly store: KeyStore
  readonly secrets: SecretRing
  /** This node's ring, which takes a change over at once; the other nodes hear of it from the feed. */
  readonly keys: SigningKeys
}

export interface RotateSigningKeyInput {
  /** Rotate only when the active key has signed for this long. Defaults to zero: rotate now. */
  readonly minActiveMs?: number
  /**
   * Rotate only when the next key has been published for this long, so that those who cache the key set know it before
   * they meet it. Defaults to ten minutes.
   */
  readonly minPublishedMs?: number
  /** The algorithm of the key that is published to follow. Defaults to that of the present next key. */
  readonly algorithm?: SigningAlgorithm
  readonly origin: ChangeOrigin
}

export type RotateSigningKeyOutcome =
  | { readonly kind: 'rotated'; readonly retired: string; readonly active: string; readonly next: string }
  /** Too early by the database's clock. */
  | { readonly kind: 'not-due'; readonly notBefore: Date }
  /** Someone else changed the keys at the same moment, and that change stands. */
  | { readonly kind: 'superseded' }

/**
 * Promotes the next key, retires the active one and publishes a new next. What the retired key signed stays good until
 * it expires. For a key that has leaked, revoke it instead.
 */
export async function rotateSigningKey(
  { store, secrets, keys: ring }: SigningKeyDeps,
  { minActiveMs = 0, minPublishedMs = 10 * 60_000, algorithm, origin }: RotateSigningKeyInput,
): Promise<RotateSigningKeyOutcome> {
  const { keys, now } = await store.list()
  const active = keys.find(({ state }) => state === 'active')
  const next = keys.find(({ state }) => state === 'next')
  if (!active || !next) return { kind: 'superseded' }

  const notBefore = Math.max(
    (active.activatedAt ?? active.createdAt).getTime() + minActiveMs,
    next.createdAt.getTime() + minPublishedMs,
  )
  if (now.getTime() < notBefore) return { kind: 'not-due', notBefore: new Date(notBefore) }

  const follower = generateSigningKey(secrets, algorithm ?? next.alg)
  const won = await store.rotate({ active: active.kid, promoted: next.kid, next: follower }, signingKeyAudit(origin))
  await ring.reload()
  return won ? { kind: 'rotated', retired: active.kid, active: next.kid, next: follower.kid } : { kind: 'superseded' }
}
