/**
 * What is limited, by what, and how often: the one table of defaults, and how an operator's wishes change it.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'

/** What a person or a program can do too often. */
export const LIMITED = ['signIn', 'refresh', 'stepUp', 'reset', 'emailCode', 'signUp'] as const
export type Limited = (typeof LIMITED)[number]

/** By what requests are counted: where they come from, whom they are about, and both together. */
export const LAYERS = ['address', 'subject', 'both'] as const
export type Layer = (typeof LAYERS)[number]

/** Requests a minute; 0 turns a layer off. */
export type LayerLimits = Readonly<Record<Layer, number>>

/** `off`, or whatever differs from the defaults. */
export type RateLimitOptions =
  | 'off'
  | ({
      /**
       * Where failures are counted: `database`, which all nodes share; `memory`, for one node; or a Redis client
       * (`ioredis`). Defaults to `database`.
       */
      readonly store?: 'database' | 'memory' | RedisClient | undefined
    } & { readonly [Name in Limited]?: Partial<LayerLimits> | undefined })

/** The part of an `ioredis` client that is used. Declared here so that the library stays the host's choice. */
export interface RedisClient {
  multi(...parameters: never[]): unknown
}

export interface RateLimitRule extends LayerLimits {
  /** What the shared store counts: requests that failed, or every one where each has its price (a mail, an account). */
  readonly counts: 'failures' | 'all'
  /**
   * Whether the shared store is asked before. Guessing at a token of 256 bits leads nowhere, so that a refresh is spared it: what
   * other nodes saw is learnt with the first failure here.
   */
  readonly asksFirst: boolean
}

export interface RateLimitSettings {
  readonly store: 'database' | 'memory' | RedisClient
  readonly rules: Readonly<Record<Limited, RateLimitRule>>
}

/**
 * An office shares an address, so that a limit by address is wide; a subject is one account, token or session. `both` is as wide as
 * the subject's: it is there to be made smaller, so that one who guesses from one place does not use up what the owner has.
 */
const DEFAULTS: Readonly<Record<Limited, RateLimitRule>> = {
  signIn: { subject: 10, address: 50, both: 10, counts: 'failures', asksFirst: true },
  // A race of a hundred tabs with one token is honest.
  refresh: { subject: 120, address: 1000, both: 0, counts: 'failures', asksFirst: false },
  // Codes have budgets of their own beneath this, which no restart and no other session resets.
  stepUp: { subject: 30, address: 100, both: 0, counts: 'failures', asksFirst: true },
  reset: { subject: 5, address: 30, both: 0, counts: 'all', asksFirst: true },
  emailCode: { subject: 5, address: 30, both: 0, counts: 'all', asksFirst: true },
  signUp: { subject: 5, address: 60, both: 0, counts: 'all', asksFirst: true },
}

/**
 * Checks the option and fills in the defaults.
 *
 * @throws SallyportError `CONFIG_INVALID`, naming the option; also for `off` in production, where it would be an open door.
 */
export function resolveRateLimits(
  options: RateLimitOptions | undefined,
  production: boolean,
): RateLimitSettings | 'off' {
  if (options === 'off') {
    if (production) throw invalid('rateLimits', 'must not be "off" in production: set the limits that are too small')
    return 'off'
  }
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalid('rateLimits', 'must be "off" or an object of limits')
  }
  const { store = 'database', ...limits } = options ?? {}
  if (store !== 'database' && store !== 'memory' && typeof (store as Partial<RedisClient>).multi !== 'function') {
    throw invalid('rateLimits.store', 'must be "database", "memory" or an ioredis client')
  }
  for (const [name, wanted] of Object.entries(limits)) {
    if (!(LIMITED as readonly string[]).includes(name)) {
      throw invalid(`rateLimits.${name}`, `is no limit; known are ${LIMITED.join(', ')}`)
    }
    for (const [layer, value] of Object.entries(wanted ?? {})) {
      if (!(LAYERS as readonly string[]).includes(layer)) {
        throw invalid(`rateLimits.${name}.${layer}`, `is no layer; known are ${LAYERS.join(', ')}`)
      }
      if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > 1_000_000) {
        throw invalid(`rateLimits.${name}.${layer}`, 'must be a whole number of requests a minute; 0 turns it off')
      }
    }
  }
  const rules = Object.fromEntries(
    LIMITED.map((name) => [name, { ...DEFAULTS[name], ...(limits as Partial<Record<Limited, object>>)[name] }]),
  ) as Record<Limited, RateLimitRule>
  return { store, rules }
}

function invalid(option: string, rule: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `option "${option}" ${rule}`, { facts: { option } })
}
