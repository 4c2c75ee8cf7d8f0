/**
 * Ends a signing key at once, and with it everything that it signed.
 *
 * @module
 */

import type { SigningAlgorithm, SigningKeyRevocation } from '../store/contract/keys.ts'
import { generateSigningKey } from './signing-key.ts'
import type { ChangeOrigin } from './signing-key-audit.ts'
import { signingKeyAudit } from './signing-key-audit.ts'
import type { SigningKeyDeps } from './rotate-signing-key.ts'

export interface RevokeSigningKeyInput {
  readonly kid: string
  /** The algorithm of the key that is published in place. Defaults to that of the present next key. */
  readonly algorithm?: SigningAlgorithm
  readonly origin: ChangeOrigin
}

/**
 * Revokes a key, for one that has leaked or may have. Revoking the active key promotes the next one in the same
 * transaction: signing goes on, and every access token of the old key is refused on every node as soon as the change
 * reaches it. Clients recover by refreshing; refresh tokens do not depend on these keys.
 *
 * A repeat answers `already-revoked` and changes nothing.
 */
export async function revokeSigningKey(
  { store, secrets, keys: ring }: SigningKeyDeps,
  { kid, algorithm, origin }: RevokeSigningKeyInput,
): Promise<SigningKeyRevocation> {
  const { keys } = await store.list()
  const next = generateSigningKey(secrets, algorithm ?? keys.find(({ state }) => state === 'next')?.alg ?? 'EdDSA')
  const outcome = await store.revoke({ kid, next }, signingKeyAudit(origin))
  // Also for a repeat: this node may be the one that has not heard.
  if (outcome.kind !== 'unknown') await ring.reload()
  return outcome
}
