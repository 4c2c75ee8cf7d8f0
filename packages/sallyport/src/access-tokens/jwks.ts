/**
 * The public key set, for those who verify access tokens themselves.
 *
 * @module
 */

import type { SigningKeys } from './signing-keys.ts'

/** One public key (RFC 7517), with what it may be used for. */
export interface PublicJwk {
  readonly kty: string
  readonly kid: string
  readonly alg: string
  readonly use: 'sig'
  readonly [member: string]: string
}

/**
 * What `/.well-known/jwks.json` answers: the next key, which is known before it signs, the active one, and retired ones
 * until what they signed has expired. Public members only, copied by name.
 *
 * @throws SallyportError `UNAVAILABLE` while the ring refuses: a set that may hold a revoked key is not handed out.
 */
export function jwks(keys: SigningKeys): { readonly keys: readonly PublicJwk[] } {
  return {
    keys: keys.published().map((key) => {
      const { kty = '', ...members } = key.publicJwk
      return { kty, ...members, kid: key.kid, alg: key.alg, use: 'sig' }
    }),
  }
}
