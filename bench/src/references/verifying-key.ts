/**
 * The public key of the instance, as a plain design would be given it.
 *
 * @module
 */

import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { RunSql } from '../fixtures.ts'

export async function verifyingKey(run: RunSql): Promise<CryptoKey> {
  const { rows } = (await run("select public_jwk from signing_keys where state = 'active'", [])) as {
    rows: { public_jwk: JWK }[]
  }
  const key = await importJWK(rows[0]?.public_jwk ?? {}, 'EdDSA')
  if (key instanceof Uint8Array) throw new TypeError('a signing key is not symmetric')
  return key
}
