/**
 * Authenticator apps: time-based one-time passwords by RFC 6238, with the parameters that every app understands.
 *
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, seal } from '../../secrets/seal.ts'
import type { SecretRing } from '../../secrets/secret-ring.ts'
import type { FactorId, UserId } from '../../ids.ts'
import type { StoredTotp, TotpStepOf } from '../../store/contract/step-up.ts'
import type { Factor } from '../factor.ts'

const STEP_MS = 30_000
const DIGITS = 6
/** As long as the output of SHA-1 (RFC 4226 section 4, requirement 6). */
const SECRET_BYTES = 20
/**
 * The step before the current one is accepted too, since a code takes time to be read, typed and sent (RFC 6238 section 5.2).
 * None after it is: a clock that runs ahead is the phone's to correct, and each further step is one more code to guess.
 */
const STEPS_BACK = 1

export const totp: Factor = {
  named: 'authenticator app',
  amr: 'otp',
  field: 'code',
  missing: 'TOTP_NOT_ENABLED',
  usable: ({ enrolled }) => enrolled.some(({ type, disabledAt }) => type === 'totp' && disabledAt === null),
  proofOf: ({ secrets }, { userId, code }) => ({ factor: 'totp', stepOf: totpStepOf(secrets, userId, code) }),
}

/** A fresh secret for an app to keep. */
export function newTotpSecret(): Buffer {
  return randomBytes(SECRET_BYTES)
}

/** Seals a secret to its row and its person: copied to another's row, it does not open. */
export function sealTotpSecret(ring: SecretRing, secret: Uint8Array, factorId: FactorId, userId: UserId): string {
  return seal(ring, secret, placeOf(factorId, userId))
}

/** Holds a code against whatever secret turns out to be stored. */
export function totpStepOf(ring: SecretRing, userId: UserId, code: string): TotpStepOf {
  return ({ factorId, sealedSecret }: StoredTotp, now: Date) =>
    matchingStep(open(ring, sealedSecret, placeOf(factorId, userId)), code, now)
}

/**
 * The step whose code this is, of those that are accepted at `now`: the newest, should two steps have the same code.
 *
 * @param now By the database's clock: a node whose clock is wrong would accept codes of another time.
 */
export function matchingStep(secret: Uint8Array, code: string, now: Date): number | undefined {
  const presented = normalised(code)
  if (presented === undefined) return undefined
  const current = Math.floor(now.getTime() / STEP_MS)
  let matching: number | undefined
  // All are computed whatever matches, so that the time taken tells nothing.
  for (let step = current - STEPS_BACK; step <= current; step++) {
    if (timingSafeEqual(Buffer.from(totpCode(secret, step)), presented)) matching = step
  }
  return matching
}

/** The code of one step: HOTP (RFC 4226 section 5.3) of the step's number. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac[mac.length - 1] as number) & 0xf
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** Apps show "123 456", and people type it so. */
function normalised(code: string): Buffer | undefined {
  const digits = code.replaceAll(' ', '')
  return /^[0-9]{6}$/.test(digits) ? Buffer.from(digits) : undefined
}

function placeOf(factorId: FactorId, userId: UserId): string {
  return `mfa_factors:${factorId}:${userId}`
}
