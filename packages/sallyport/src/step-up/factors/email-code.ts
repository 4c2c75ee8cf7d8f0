/**
 * Codes by mail: the fallback for those with no factor. Whoever reads the mailbox passes, so little is opened by them.
 *
 * @module
 */

import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'
import type { ChallengeId } from '../../ids.ts'
import type { SecretKey, SecretRing } from '../../secrets/secret-ring.ts'
import type { EmailCodeMatch } from '../../store/contract/step-up.ts'
import type { Factor } from '../factor.ts'

const DIGITS = 8

/** How long a code is good for (ASVS 6.5.5). */
export const EMAIL_CODE_TTL_MS = 10 * 60_000
/** The wrong guesses that one code survives, the last included. */
export const EMAIL_CODE_TRIES = 5
/** The mails that one person gets at most, whoever asks (ASVS 6.6.4). */
export const EMAIL_CODES_AT_MOST = { most: 3, withinMs: 15 * 60_000 } as const

/**
 * What a code by mail does not open to a person who has something better: a mailbox that was taken over would else undo the
 * factor. A sign-in and a session whose risk was seen are among them, since it is those that the factor is there for.
 */
const BETTER_WHERE_ENROLLED: ReadonlySet<string> = new Set([
  'sign_in',
  'session_risk',
  'impersonate',
  'force_logout',
  'ip_rule_change',
  'data_export',
  'security_settings',
])

export const emailCode: Factor = {
  named: 'code by mail',
  // RFC 8176 has no value for it, and "otp" would make it a second factor of full worth.
  amr: 'email',
  field: 'code',
  missing: 'NO_FACTOR',
  // Whether there is an address, and whether the tenant wants it, is not among the factors.
  usable: () => false,
  proofOf: ({ secrets }, { code, purpose }) => ({
    factor: 'email_code',
    matches: emailCodeMatch(secrets, code),
    onlyWithoutEnrolled: onlyWithoutEnrolled(purpose),
    tries: EMAIL_CODE_TRIES,
  }),
}

/** Whether a purpose takes a code by mail only from those who have enrolled nothing. */
export function onlyWithoutEnrolled(purpose: string): boolean {
  return BETTER_WHERE_ENROLLED.has(purpose)
}

/** Eight digits, each as likely as any other. */
export function newEmailCode(): string {
  return String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0')
}

/**
 * What is kept of a code. Eight digits are tried through in a second, so the hash is keyed by the server's secret: the database
 * alone yields none; and it is bound to its challenge, so that it fits no other.
 */
export function emailCodeHash(ring: SecretRing, challengeId: ChallengeId, code: string): Buffer {
  return hashUnder(ring.signing, challengeId, code)
}

function emailCodeMatch(ring: SecretRing, code: string): EmailCodeMatch {
  const digits = code.replaceAll(/[\s-]/g, '')
  if (!/^[0-9]{8}$/.test(digits)) return () => false
  // A secret may have been replaced since the mail was sent.
  return ({ challengeId, codeHash }) =>
    ring.keys.some((key) => {
      const expected = hashUnder(key, challengeId, digits)
      return codeHash.length === expected.length && timingSafeEqual(expected, codeHash)
    })
}

function hashUnder(key: SecretKey, challengeId: ChallengeId, code: string): Buffer {
  return createHmac('sha256', key.pepper).update(`sallyport email code v1 ${challengeId} ${code}`).digest()
}
