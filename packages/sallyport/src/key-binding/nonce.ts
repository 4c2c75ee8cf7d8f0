/**
 * Nonces for proofs of keys (RFC 9449 section 8): made and recognised without being stored.
 *
 * @module
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SecretRing } from '../secrets/secret-ring.ts'

/** A nonce is accepted in the five minutes of its making and in the next. */
const STEP_MS = 5 * 60_000

/** The nonce of this moment. */
export function proofNonce(secrets: SecretRing, now: Date): string {
  return nonceOf(secrets.signing.mac, stepOf(now))
}

/** Whether this server handed the nonce out lately. */
export function isProofNonce(secrets: SecretRing, nonce: string, now: Date): boolean {
  const step = stepOf(now)
  return secrets.keys.some(({ mac }) => [step, step - 1].some((one) => isEqual(nonce, nonceOf(mac, one))))
}

function stepOf(now: Date): number {
  return Math.floor(now.getTime() / STEP_MS)
}

function nonceOf(key: Buffer, step: number): string {
  return createHmac('sha256', key).update(`sallyport/dpop-nonce/v1\0${step}`).digest('base64url')
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
