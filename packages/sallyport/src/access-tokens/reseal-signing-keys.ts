/**
 * Seals the private signing keys again under the newest secret, so that an older secret can be dropped.
 *
 * @module
 */

import type { SecretRing } from '../secrets/secret-ring.ts'
import { needsReseal, open, seal } from '../secrets/seal.ts'
import type { KeyStore } from '../store/contract/keys.ts'
import { sealedAs } from './signing-key.ts'
import type { ChangeOrigin } from './signing-key-audit.ts'
import { signingKeyAudit } from './signing-key-audit.ts'

/**
 * Can be repeated and run on several nodes at once.
 *
 * @returns How many keys it sealed again. When a later call returns zero, nothing here needs an older secret any more.
 */
export async function resealSigningKeys(
  { store, secrets }: { readonly store: KeyStore; readonly secrets: SecretRing },
  origin: ChangeOrigin,
): Promise<number> {
  const { keys } = await store.list()
  let resealed = 0
  for (const { kid, sealedPrivateKey: from } of keys) {
    if (from === null || !needsReseal(secrets, from)) continue
    const der = open(secrets, from, sealedAs(kid))
    const to = seal(secrets, der, sealedAs(kid))
    der.fill(0)
    if (await store.reseal({ kid, from, to }, signingKeyAudit(origin))) resealed++
  }
  return resealed
}
