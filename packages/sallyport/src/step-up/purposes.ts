/**
 * What a step-up can be for: the purposes of Sallyport itself, and those that a host registers.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { toMs } from '../internal/duration.ts'

/** What a session can be asked to step up for. */
export const BUILT_IN_PURPOSES = [
  'revoke_session',
  'revoke_other_sessions',
  'force_logout',
  'ip_rule_change',
  'impersonate',
  'data_export',
  'security_settings',
  'team_change',
] as const
export type BuiltInPurpose = (typeof BUILT_IN_PURPOSES)[number]

/**
 * Purposes of one moment: of a sign-in that has no session yet, of a refresh that looked wrong. A session cannot ask for them,
 * since a code that it gives for one would be an answer kept in stock.
 */
export const RESERVED_PURPOSES = ['sign_in', 'session_risk'] as const

/** A purpose that a session can step up for. A host that names its own as `Host` has the compiler check them. */
export type Purpose<Host extends string = string> = BuiltInPurpose | Host

/** What a host says of a purpose when it registers it. */
export interface PurposeRule {
  /** How long a passed step-up opens it. Defaults to `stepUp.window`; 1 hour at most. */
  readonly window?: Duration | undefined
  /** Whether a passed step-up opens it once. Defaults to false. */
  readonly singleUse?: boolean | undefined
}

export interface RegisteredPurpose {
  readonly windowMs: number
  readonly singleUse: boolean
}

/** The purposes of one instance, by the names that the compiler knows of. */
export interface PurposeRegistry<Name extends string = string> {
  readonly names: readonly Name[]
  /** `undefined` for a name that nobody registered, and for the reserved ones. */
  find(name: string): RegisteredPurpose | undefined
}

const HOUR = 3_600_000

/**
 * Registers the built-in purposes and a host's.
 *
 * @param windowMs How long a purpose is open that says nothing of its own.
 * @throws SallyportError `CONFIG_INVALID` for a name in another form or taken already, and for a window that is none.
 */
export function purposeRegistry<Host extends string = never>(
  windowMs: number,
  host: Readonly<Record<Host, PurposeRule>> = {} as Readonly<Record<Host, PurposeRule>>,
): PurposeRegistry<Purpose<Host>> {
  const purposes = new Map<string, RegisteredPurpose>()
  for (const name of BUILT_IN_PURPOSES) purposes.set(name, { windowMs, singleUse: false })
  for (const [name, rule] of Object.entries<PurposeRule>(host)) {
    if (!/^[a-z][a-z_]{0,63}$/.test(name)) throw invalid(name, 'must be in snake case, 64 letters at most')
    if (purposes.has(name) || (RESERVED_PURPOSES as readonly string[]).includes(name)) {
      throw invalid(name, 'is a purpose of its own already')
    }
    purposes.set(name, { windowMs: windowOf(name, rule, windowMs), singleUse: rule.singleUse === true })
  }
  return { names: [...purposes.keys()] as Purpose<Host>[], find: (name) => purposes.get(name) }
}

function windowOf(name: string, { window }: PurposeRule, fallback: number): number {
  if (window === undefined) return fallback
  const ms = toMs(window)
  if (ms === undefined || ms < 1000 || ms > HOUR) throw invalid(`${name}.window`, `must be from 1000 to ${HOUR} ms`)
  return ms
}

function invalid(option: string, rule: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `option "stepUp.purposes.${option}" ${rule}`, {
    facts: { option: `stepUp.purposes.${option}` },
  })
}
