/**
 * Recovery codes: for the day when the phone is gone. Shown once, kept as hashes, each good for one use.
 *
 * @module
 */

import { createHash, randomBytes } from 'node:crypto'
import type { Factor } from '../factor.ts'

const CODES = 10
const GROUPS = 7
const GROUP_LENGTH = 4
/** Crockford's: no I, L, O or U, so that what is written down by hand is read back the same. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const FORM = new RegExp(`^[${ALPHABET}]{${GROUPS * GROUP_LENGTH}}$`)
/** Longer input is no code, however it is spaced. */
const MAX_INPUT = 64

export const recoveryCode: Factor = {
  named: 'recovery code',
  // RFC 8176 has no value for look-up secrets; "otp" is what each of them is: a password for one use.
  amr: 'otp',
  field: 'code',
  missing: 'NO_FACTOR',
  usable: ({ recoveryCodes }) => recoveryCodes.left > 0,
  proofOf: (_engine, { code }) => ({ factor: 'recovery_code', codeHash: recoveryCodeHash(code) }),
}

export interface NewRecoveryCodes {
  /** To be shown once. */
  readonly codes: readonly string[]
  /** To be kept. */
  readonly hashes: readonly Buffer[]
}

/** Ten codes of 140 random bits. */
export function newRecoveryCodes(): NewRecoveryCodes {
  const codes = Array.from({ length: CODES }, newCode)
  return { codes, hashes: codes.map((code) => hashOf(normalised(code))) }
}

/**
 * The hash to look a presented code up by; `undefined` for what has not the form of one.
 *
 * Plain SHA-256 is enough for secrets of 112 random bits and more (NIST SP 800-63B section 3.1.2.2): there is no dictionary to
 * try them from, and two people never have the same.
 */
export function recoveryCodeHash(input: string): Buffer | undefined {
  if (input.length > MAX_INPUT) return undefined
  const code = normalised(input)
  return FORM.test(code) ? hashOf(code) : undefined
}

/** 32 symbols, so that five bits of a random byte pick one without a bias. */
function newCode(): string {
  const bytes = randomBytes(GROUPS * GROUP_LENGTH)
  const symbols = Array.from(bytes, (byte) => ALPHABET[byte & 31] as string).join('')
  return Array.from({ length: GROUPS }, (_, at) => symbols.slice(at * GROUP_LENGTH, (at + 1) * GROUP_LENGTH)).join('-')
}

function normalised(input: string): string {
  return input
    .toUpperCase()
    .replaceAll(/[\s\u2010-\u2015-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1')
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest()
}
