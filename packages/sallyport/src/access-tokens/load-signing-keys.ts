/**
 * Loads a node's ring of signing keys at start-up, and makes the first two where there are none.
 *
 * @module
 */

import type { KeyStore, SigningAlgorithm } from '../store/contract/keys.ts'
import { generateSigningKey } from './signing-key.ts'
import type { ChangeOrigin } from './signing-key-audit.ts'
import { signingKeyAudit } from './signing-key-audit.ts'
import type { SigningKeysDeps } from './signing-keys.ts'
import { SigningKeys } from './signing-keys.ts'

export interface LoadSigningKeysDeps extends SigningKeysDeps {
  readonly store: Pick<KeyStore, 'list' | 'create'>
}

/**
 * Of nodes that start together on an empty database one makes the keys, and all load the same.
 *
 * @param origin Who started it, for the audit row.
 * @throws SallyportError `INTERNAL` when this node's secrets do not open the keys: it could not sign.
 */
export async function loadSigningKeys(
  deps: LoadSigningKeysDeps,
  { algorithm = 'EdDSA', origin = {} }: { readonly algorithm?: SigningAlgorithm; readonly origin?: ChangeOrigin } = {},
): Promise<SigningKeys> {
  const { keys } = await deps.store.list()
  if (!keys.some(({ state }) => state === 'active')) {
    const active = generateSigningKey(deps.secrets, algorithm)
    const next = generateSigningKey(deps.secrets, algorithm)
    // Whether this node won does not matter: what it signs with is what it reads back.
    await deps.store.create({ active, next }, signingKeyAudit(origin))
  }
  const ring = new SigningKeys(deps)
  await ring.reload()
  return ring
}
