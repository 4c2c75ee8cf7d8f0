/**
 * Takes a proof of a key that came with a request: checked, and used up on all nodes.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { Binding } from '../store/contract/tokens.ts'
import { isProofNonce, proofNonce } from './nonce.ts'
import type { BoundAccessToken } from './verify-proof.ts'
import { PROOF_WINDOW_MS, verifyProof } from './verify-proof.ts'

export interface PresentedProof {
  /** Every proof of the request. */
  readonly proofs: readonly string[]
  readonly method: string
  /** The path below the issuer, base path included. */
  readonly path: string
}

/** `use_dpop_nonce` asks for the same again with the nonce of the answer. */
export const USE_NONCE = 'use_dpop_nonce'

/**
 * @param accessToken Where the proof comes with an access token (RFC 9449 section 7): it must be of that token, by the key that
 * the token is bound to.
 * @returns The binding to the proven key.
 * @throws SallyportError `INVALID_DPOP_PROOF`, without saying which check failed; `UNAVAILABLE`.
 */
export async function proveKey(
  { settings, secrets, store, log }: Pick<Engine, 'settings' | 'secrets' | 'store' | 'log'>,
  { proofs, method, path }: PresentedProof,
  accessToken?: BoundAccessToken,
): Promise<Binding> {
  // This node's clock: it stamps and checks JWTs, and nothing else.
  const now = new Date()
  const verdict = verifyProof(proofs, {
    method,
    url: `${settings.issuer}${path}`,
    now,
    isNonce: settings.dpop.nonce ? (nonce) => isProofNonce(secrets, nonce, now) : undefined,
    accessToken,
  })
  if (verdict.kind === 'invalid') {
    log.info({ why: verdict.why }, 'a proof of a key was refused')
    throw refused(verdict.why === 'nonce' ? { reason: USE_NONCE, nonce: proofNonce(secrets, now) } : {})
  }
  // Kept for as long as its iat could be accepted, whichever way the clocks differ.
  if (!(await store.risk.useProof(verdict.id, 2 * PROOF_WINDOW_MS))) throw refused({})
  return { type: 'key', value: verdict.thumbprint }
}

function refused(facts: Readonly<Record<string, string>>): SallyportError {
  return new SallyportError('INVALID_DPOP_PROOF', 'the DPoP proof is not valid; make a new one for this request', {
    facts,
  })
}
