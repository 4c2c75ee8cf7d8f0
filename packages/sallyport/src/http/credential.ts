/**
 * Reads the `Authorization` header of a request: what it shows, and the proof that comes with it where it is bound to a key.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { PresentedProof } from '../key-binding/prove-key.ts'
import { dpopProofs } from './dpop-header.ts'

/** What a request shows for itself. Nothing of it has been checked. */
export interface Credential {
  readonly token: string
  /** Where it came under the scheme `DPoP` (RFC 9449 section 7.1). */
  readonly proof?: PresentedProof
}

const HEADER = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*)$/i

/**
 * @param path The path that the request was sent to.
 * @returns `undefined` where there is no such header.
 * @throws SallyportError `INVALID_TOKEN` for one that is not well formed.
 */
export function credentialOf({ headers, method }: Request, path: string): Credential | undefined {
  const authorization = headers.get('authorization')
  if (authorization === null) return undefined
  // The common case without a regular expression: it runs for every request.
  if (authorization.startsWith('Bearer ') && authorization.indexOf(' ', 7) < 0) return { token: authorization.slice(7) }
  const [, scheme, token] = HEADER.exec(authorization) ?? []
  if (scheme === undefined || token === undefined) {
    throw new SallyportError('INVALID_TOKEN', 'The Authorization header is not well formed.')
  }
  if (scheme.toLowerCase() === 'bearer') return { token }
  return { token, proof: { proofs: dpopProofs(headers) ?? [], method, path } }
}
