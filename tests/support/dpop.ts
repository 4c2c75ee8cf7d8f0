/**
 * A client's key, and the proofs that it makes (RFC 9449).
 *
 * @module
 */

import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'

export interface ProofOf {
  /** The whole address. */
  readonly htu: string
  /** Defaults to POST. */
  readonly htm?: string
  /** Of the access token that the proof goes with. */
  readonly accessToken?: string
  readonly nonce?: string | undefined
}

export interface ClientKey {
  readonly thumbprint: string
  proof(of: ProofOf): string
  /** The headers of a request that shows an access token bound to this key. */
  headers(accessToken: string, of: ProofOf): { readonly authorization: string; readonly dpop: string }
}

/** @returns A new key. */
export function clientKey(): ClientKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = { crv, kty, x, y }
  const proof: ClientKey['proof'] = ({ htu, htm = 'POST', accessToken, nonce }) => {
    const iat = Math.floor(Date.now() / 1000)
    const claims = {
      jti: randomUUID(),
      htm,
      htu,
      iat,
      nonce,
      ath: accessToken === undefined ? undefined : digest(accessToken),
    }
    const signed = [{ typ: 'dpop+jwt', alg: 'ES256', jwk }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
  return {
    thumbprint: digest(JSON.stringify(jwk)),
    proof,
    headers: (accessToken, of) => ({
      authorization: `DPoP ${accessToken}`,
      dpop: proof({ ...of, accessToken }),
    }),
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
