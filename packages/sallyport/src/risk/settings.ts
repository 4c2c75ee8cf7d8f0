/**
 * The settings of risk, place, device and limits of time: what hosts write, checked and with every default filled in.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { Duration } from '../internal/duration.ts'
import { toMs } from '../internal/duration.ts'
import type { Signal, Thresholds } from './facts.ts'
import type { PlaceLookup } from './place.ts'
import type { RiskPolicy } from './policy.ts'
import { SIGNALS } from './signals.ts'

/** What `sallyport({ risk })` takes. */
export interface RiskOptions {
  /** `"monitor"` scores and records without acting. Defaults to `enforce`. */
  readonly mode?: 'enforce' | 'monitor' | 'off' | undefined
  /** Points by the name of a signal, in place of its own; 0 turns a signal off. */
  readonly weights?: Readonly<Record<string, number>> | undefined
  /** From this score on a step-up is asked for. Defaults to 60. */
  readonly stepUpAt?: number | undefined
  /** From this score on the request is stopped. Defaults to 90. */
  readonly blockAt?: number | undefined
  /** The numbers that signals compare with. */
  readonly thresholds?: Partial<Omit<Thresholds, 'rapidWindowMs'>> & {
    /** Defaults to 10 minutes. */
    readonly rapidWindow?: Duration | undefined
  }
  /** How long a device is trusted, and how long many sessions are no matter, once a second factor was given. Defaults to 12 hours. */
  readonly graceAfterMfa?: Duration | undefined
  /** Whether a sign-in that is stopped also ends the account's other sessions in the tenant. Defaults to false. */
  readonly blockEndsSessions?: boolean | undefined
  /** The host's own signals, beside the built-in ones. */
  readonly signals?: readonly Signal[] | undefined
}

/** What `sallyport({ geo })` takes: where places come from, the first of these that knows. */
export interface GeoOptions {
  /**
   * The headers in which a proxy of yours says where a request came from. They are read of requests that come in straight from one
   * of `trustedProxies`, and that proxy MUST set or remove each of them: anyone else can write them too.
   */
  readonly headers?:
    | {
        readonly country: string
        readonly city?: string | undefined
        readonly latitude?: string | undefined
        readonly longitude?: string | undefined
      }
    | undefined
  /** The host's own function. */
  readonly lookup?: PlaceLookup | undefined
  /** The path of an MMDB file, read by `mmdb-lib`. */
  readonly database?: string | undefined
}

/** What to do with a sign-in beyond the cap of sessions. */
export type SessionLimitPolicy = 'step-up' | 'evict-oldest' | 'deny'

export interface RiskSettings extends RiskPolicy {
  readonly mode: 'enforce' | 'monitor' | 'off'
  readonly weights: Readonly<Record<string, number>>
  readonly thresholds: Thresholds
  readonly graceAfterMfaMs: number
  readonly blockEndsSessions: boolean
  /** Built-in and the host's own, in the order in which reasons are told. */
  readonly signals: readonly Signal[]
  /** Whether a host's signal is among them, which may look at the whole history. */
  readonly hasOwnSignals: boolean
}

/** @throws SallyportError `CONFIG_INVALID` naming the option. */
export function resolveRisk(options: RiskOptions = {}): RiskSettings {
  const { thresholds: numbers = {}, weights = {}, signals = [], mode = 'enforce' } = options
  if (!['enforce', 'monitor', 'off'].includes(mode)) throw invalid('mode', 'must be one of enforce, monitor, off')
  const all = [...SIGNALS, ...signals]
  const names = all.map(({ name }) => name)
  for (const signal of signals) {
    if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(signal.name)) throw invalid('signals', 'each name must be in capitals with _')
    if (typeof signal.find !== 'function') throw invalid('signals', `${signal.name} must have a function find`)
  }
  if (new Set(names).size !== names.length) throw invalid('signals', 'no two may have one name')
  for (const [name, points] of Object.entries(weights)) {
    if (!names.includes(name)) throw invalid('weights', `knows no signal ${name}; known are ${names.join(', ')}`)
    whole('weights', points, 0, 100)
  }
  const stepUpAt = whole('stepUpAt', options.stepUpAt ?? 60, 1, 101)
  const blockAt = whole('blockAt', options.blockAt ?? 90, 1, 101)
  if (blockAt < stepUpAt) throw invalid('blockAt', 'must not be below stepUpAt')
  const rapidWindow = toMs(numbers.rapidWindow ?? '10m')
  const grace = toMs(options.graceAfterMfa ?? '12h')
  if (rapidWindow === undefined || rapidWindow < 1000) throw invalid('thresholds.rapidWindow', 'must be a duration')
  if (grace === undefined || grace < 0 || grace > 30 * 86_400_000) {
    throw invalid('graceAfterMfa', 'must be a duration of 30 days at most')
  }
  return {
    mode,
    stepUpAt,
    blockAt,
    weights,
    thresholds: {
      manySessions: whole('thresholds.manySessions', numbers.manySessions ?? 5, 1, 10_000),
      travelKmh: whole('thresholds.travelKmh', numbers.travelKmh ?? 900, 1, 100_000),
      recentFailures: whole('thresholds.recentFailures', numbers.recentFailures ?? 3, 1, 1000),
      sharedGenerations: whole('thresholds.sharedGenerations', numbers.sharedGenerations ?? 5, 1, 1000),
      rapidSessions: whole('thresholds.rapidSessions', numbers.rapidSessions ?? 3, 0, 10_000),
      rapidWindowMs: rapidWindow,
    },
    graceAfterMfaMs: grace,
    blockEndsSessions: options.blockEndsSessions ?? false,
    signals: all,
    hasOwnSignals: signals.length > 0,
  }
}

function whole(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalid(name, `must be a whole number from ${min} to ${max}`)
  }
  return value
}

function invalid(option: string, rule: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `option "risk.${option}" ${rule}`, {
    facts: { option: `risk.${option}` },
  })
}
