/**
 * Decides whether a password may be set: length, any Unicode, and not one that is easily guessed. No composition rules.
 *
 * What is common is derived by rules, from pieces that people put together and from the context (NIST SP 800-63B-4 section
 * 3.1.1.2 asks for both). It is no corpus of breached passwords: a long password that leaked elsewhere is not recognised.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { guessCost, isOneBlockRepeated } from './guess-cost.ts'

/** Counted in code points of the normalised form. */
export const PASSWORD_LENGTH = { min: 15, minBesideFactor: 8, max: 128 } as const

/** What someone who guesses would know of the account. */
export interface PasswordContext {
  readonly email?: string | null | undefined
  readonly name?: string | null | undefined
  /** Names of the tenant, the product, the service. */
  readonly words?: readonly (string | null | undefined)[]
  /** Whether no sign-in passes by the password alone (NIST SP 800-63B-4 section 3.1.1.2). Defaults to false. */
  readonly besideFactor?: boolean | undefined
}

export type PasswordFault = 'malformed' | 'too_short' | 'too_long' | 'contains_email' | 'contains_name' | 'common'

/** As many pieces or fewer are what a guesser tries within hours. */
const CHEAP = 3
const FEWEST_DISTINCT = 5
const LONGEST_BLOCK = 8
/** A shorter name is found by accident inside of other words. */
const NAME_THAT_STANDS_OUT = 8

const MESSAGE: Readonly<Record<Exclude<PasswordFault, 'too_short'>, string>> = {
  malformed: 'the password holds half a character',
  too_long: `the password must have at most ${PASSWORD_LENGTH.max} characters`,
  contains_email: 'the password must not contain the email address',
  contains_name: 'the password must not contain the name',
  common: 'the password is easily guessed: a few unrelated words are better',
}

/** Why a password is refused; `undefined` for a good one. */
export function passwordFault(password: string, context: PasswordContext): PasswordFault | undefined {
  // A lone surrogate has no UTF-8: it would be hashed as a replacement character, like every other one.
  if (/\p{Surrogate}/u.test(password)) return 'malformed'
  const normalised = password.normalize('NFC')
  const length = Array.from(normalised).length
  if (length < shortest(context)) return 'too_short'
  if (length > PASSWORD_LENGTH.max) return 'too_long'

  const folded = folding(normalised)
  if (context.email && folded.includes(folding(context.email))) return 'contains_email'
  const name = folding(context.name ?? '').replaceAll(/\s/g, '')
  if (name.length >= NAME_THAT_STANDS_OUT && folded.replaceAll(/\s/g, '').includes(name)) return 'contains_name'

  if (new Set(folded).size < FEWEST_DISTINCT || isOneBlockRepeated(folded, LONGEST_BLOCK)) return 'common'
  return guessCost(normalised, wordsOf(context)) <= CHEAP ? 'common' : undefined
}

function shortest({ besideFactor = false }: PasswordContext): number {
  return besideFactor ? PASSWORD_LENGTH.minBesideFactor : PASSWORD_LENGTH.min
}

/**
 * Lets a good password through.
 *
 * @param settings Whether a second factor is enforced, which lets shorter ones through.
 * @param field The name of the field that it came in.
 * @throws SallyportError `PASSWORD_REJECTED` with the field and the reason.
 */
export function acceptPassword(
  { mfaAtSignIn }: Pick<Settings, 'mfaAtSignIn'>,
  password: string,
  known: Omit<PasswordContext, 'besideFactor'>,
  field: string,
): void {
  const context = { ...known, besideFactor: mfaAtSignIn === 'always' }
  const reason = passwordFault(password, context)
  if (reason === undefined) return
  const message =
    reason === 'too_short' ? `the password must have at least ${shortest(context)} characters` : MESSAGE[reason]
  throw new SallyportError('PASSWORD_REJECTED', message, { facts: { field, reason } })
}

function folding(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

function wordsOf({ email, name, words = [] }: PasswordContext): ReadonlySet<string> {
  const found = new Set<string>()
  for (const source of [email, name, ...words]) {
    const parts = folding(source ?? '').split(/[^\p{L}\p{N}]+/u)
    for (const part of [...parts, parts.join('')]) if (part.length >= 3) found.add(part)
  }
  // The part before the @ as one word, too: `ada.lovelace` is typed `adalovelace`.
  const local =
    folding(email ?? '')
      .split('@')[0]
      ?.replaceAll(/[^\p{L}\p{N}]/gu, '') ?? ''
  if (local.length >= 3) found.add(local)
  return found
}
