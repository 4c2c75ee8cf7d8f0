/**
 * The figures of a tenant's security over a period: what the console opens with.
 *
 * @module
 */

import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { periodOf } from '../evidence/period.ts'
import type { Incident } from '../incidents/list.ts'
import { listIncidents } from '../incidents/list.ts'
import type { Caller } from '../sessions/caller.ts'
import type { Device } from '../sessions/describe.ts'
import { describeDevice } from '../sessions/describe.ts'
import type { EventCount, LiveFigures, SessionFigures, SignalCount } from '../store/contract/overview.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import type { SteppedPeriod } from './steps.ts'
import { steppedPeriod } from './steps.ts'
import type { RefreshTally, SignInTally, StepUpTally, Tally } from './tally.ts'
import { addTo, emptyTally, isRefusal } from './tally.ts'

const DEFAULT_DAYS = 7
const MOST_REASONS = 12
const MOST_DEVICES = 12
const ALERTS = 6
/** What a session can live at most, whatever the settings were when it began. */
const LONGEST_LIFE_MS = 30 * 86_400_000

export interface SecurityOverview {
  /** The period that is counted: the one that was asked for, widened to whole steps. */
  readonly from: string
  readonly to: string
  /** Seconds. */
  readonly step: number
  /** Now, whatever the period. */
  readonly live: LiveFigures
  /** One entry for each step, in all of these. */
  readonly signIns: readonly ({ readonly at: string } & Readonly<SignInTally>)[]
  readonly refreshes: readonly ({ readonly at: string } & Readonly<RefreshTally>)[]
  /** `active`: open at the end of the step, or now; null where sessions of that age are no longer kept. */
  readonly sessions: readonly { readonly at: string; readonly opened: number; readonly active: number | null }[]
  readonly stepUps: Readonly<StepUpTally> & {
    readonly series: readonly ({ readonly at: string } & Readonly<StepUpTally>)[]
    readonly byFactor: readonly { readonly factor: string; readonly passed: number; readonly failed: number }[]
  }
  /** Requests that were turned away, by code, most first. */
  readonly refusals: readonly { readonly reason: string; readonly count: number }[]
  /** Scored requests by signal and by what was done: one that passed its step-up is in both. Most first. */
  readonly risk: readonly {
    readonly reason: string
    readonly pass: number
    readonly stepUp: number
    readonly blocked: number
  }[]
  /** Where sessions of the period were last seen, most sessions first. */
  readonly places: readonly {
    readonly country: string | null
    readonly city: string | null
    readonly sessions: number
    readonly users: number
    readonly lastSeenAt: string
  }[]
  readonly devices: readonly (Device & { readonly sessions: number })[]
  readonly totals: Totals
  /** The same of the period of equal length before. */
  readonly previous: Totals
  /** The newest incidents, whenever they were. */
  readonly alerts: readonly Incident[]
}

export interface Totals {
  readonly signIns: number
  readonly failed: number
  readonly blocked: number
  readonly refreshes: number
  readonly reuse: number
  readonly stepUpsAsked: number
  readonly stepUpsPassed: number
  readonly stepUpsFailed: number
  readonly refusals: number
}

/**
 * @param input Half-open, of ISO 8601 instants, 400 days at most. Defaults to the last 7 days; what lies ahead is left out.
 * @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_VIEW`, `INVALID_RANGE`, `UNAVAILABLE`.
 */
export async function securityOverview(
  engine: Engine,
  caller: Caller,
  input: { readonly from?: string | undefined; readonly to?: string | undefined } = {},
): Promise<SecurityOverview> {
  requirePermission(caller, 'SETTINGS_SECURITY_VIEW')
  const { tenantId } = caller
  const { overview } = engine.store
  const now = engine.live.date()
  const period = steppedPeriod(upTo(now, periodOf(input, now, DEFAULT_DAYS)))
  const { from, to, stepMs, count } = period
  const before = new Date(from.getTime() - count * stepMs)
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, tenantId)

  const [events, earlier, signals, sessions, live, { incidents }] = await Promise.all([
    overview.events({ tenantId, from, to, stepMs }),
    overview.events({ tenantId, from: before, to: from, stepMs: count * stepMs }),
    overview.signals({ tenantId, from, to }),
    overview.sessions({ tenantId, from, to, stepMs, idleMs, maxSessionLifeMs, lookBackMs: LONGEST_LIFE_MS }),
    overview.live({ tenantId, idleMs, maxSessionLifeMs }),
    listIncidents(engine, caller, { limit: ALERTS }),
  ])
  const tallies = talliesOf(events, count)
  const at = (step: number): string => new Date(from.getTime() + step * stepMs).toISOString()
  const whole = sumOf(events)
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    step: stepMs / 1000,
    live,
    signIns: tallies.map(({ signIns }, step) => ({ at: at(step), ...signIns })),
    refreshes: tallies.map(({ refreshes }, step) => ({ at: at(step), ...refreshes })),
    sessions: sessionSeries(sessions, period, now, engine.settings.retention.sessionsMs).map((one, step) => ({
      at: at(step),
      ...one,
    })),
    stepUps: {
      ...whole.stepUps,
      series: tallies.map(({ stepUps }, step) => ({ at: at(step), ...stepUps })),
      byFactor: byFactor(events),
    },
    refusals: refusalsOf(events),
    risk: riskOf(signals),
    places: sessions.places.map(({ lastSeenAt, ...place }) => ({ ...place, lastSeenAt: lastSeenAt.toISOString() })),
    devices: devicesOf(sessions),
    totals: totalsOf(events),
    previous: totalsOf(earlier),
    alerts: incidents,
  }
}

function upTo(now: Date, { from, to }: { readonly from: Date; readonly to: Date }) {
  if (from >= now) {
    throw new SallyportError('INVALID_RANGE', '"from" must be in the past.', { facts: { field: 'from' } })
  }
  return { from, to: to < now ? to : now }
}

function talliesOf(events: readonly EventCount[], steps: number): readonly Tally[] {
  const tallies = Array.from({ length: steps }, emptyTally)
  for (const event of events) {
    const tally = tallies[event.step]
    if (tally !== undefined) addTo(tally, event)
  }
  return tallies
}

function sumOf(events: readonly EventCount[]): Tally {
  const sum = emptyTally()
  for (const event of events) addTo(sum, event)
  return sum
}

function totalsOf(events: readonly EventCount[]): Totals {
  const { signIns, refreshes, stepUps } = sumOf(events)
  return {
    signIns: signIns.success,
    failed: signIns.failed,
    blocked: signIns.blocked,
    refreshes: refreshes.rotated + refreshes.replayed,
    reuse: refreshes.reused,
    stepUpsAsked: stepUps.asked,
    stepUpsPassed: stepUps.passed,
    stepUpsFailed: stepUps.failed,
    refusals: events.filter(isRefusal).reduce((sum, { count }) => sum + count, 0),
  }
}

function refusalsOf(events: readonly EventCount[]): SecurityOverview['refusals'] {
  const counts = new Map<string, number>()
  for (const { reason, count } of events.filter(isRefusal)) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
    .slice(0, MOST_REASONS)
}

function byFactor(events: readonly EventCount[]): SecurityOverview['stepUps']['byFactor'] {
  const factors = new Map<string, { passed: number; failed: number }>()
  for (const { action, outcome, detail, count } of events) {
    if (action !== 'STEP_UP_VERIFIED' || detail === '') continue
    const factor = factors.get(detail) ?? { passed: 0, failed: 0 }
    factor[outcome === 'SUCCESS' ? 'passed' : 'failed'] += count
    factors.set(detail, factor)
  }
  return [...factors]
    .map(([factor, counts]) => ({ factor, ...counts }))
    .sort((a, b) => b.passed + b.failed - (a.passed + a.failed) || (a.factor < b.factor ? -1 : 1))
}

function riskOf(signals: readonly SignalCount[]): SecurityOverview['risk'] {
  const reasons = new Map<string, { pass: number; stepUp: number; blocked: number }>()
  for (const { signal, decision, count } of signals) {
    const reason = reasons.get(signal) ?? { pass: 0, stepUp: 0, blocked: 0 }
    reason[decision === 'pass' ? 'pass' : decision === 'block' ? 'blocked' : 'stepUp'] += count
    reasons.set(signal, reason)
  }
  const sum = ({ pass, stepUp, blocked }: { pass: number; stepUp: number; blocked: number }) => pass + stepUp + blocked
  return [...reasons]
    .map(([reason, counts]) => ({ reason, ...counts }))
    .sort((a, b) => sum(b) - sum(a) || (a.reason < b.reason ? -1 : 1))
    .slice(0, MOST_REASONS)
}

/** Sessions that ended longer ago than they are kept are gone, and with them how many were open then. */
function sessionSeries(
  { openBefore, steps }: SessionFigures,
  { from, stepMs, count }: SteppedPeriod,
  now: Date,
  keptMs: number,
): readonly { readonly opened: number; readonly active: number | null }[] {
  const byStep = new Map(steps.map((one) => [one.step, one]))
  const known = now.getTime() - keptMs
  let active = openBefore
  return Array.from({ length: count }, (_, step) => {
    const { began = 0, ended = 0 } = byStep.get(step) ?? {}
    active += began - ended
    return { opened: began, active: from.getTime() + step * stepMs < known ? null : active }
  })
}

/** By kind of browser, system and device; versions come and go. */
function devicesOf({ agents }: SessionFigures): SecurityOverview['devices'] {
  const devices = new Map<string, Device & { sessions: number }>()
  for (const { userAgent, sessions } of agents) {
    const { browser, os, type } = describeDevice(userAgent)
    const kind = { browser: unversioned(browser), os: unversioned(os), type }
    const key = JSON.stringify(kind)
    devices.set(key, { ...kind, sessions: (devices.get(key)?.sessions ?? 0) + sessions })
  }
  return [...devices.values()].sort((a, b) => b.sessions - a.sessions).slice(0, MOST_DEVICES)
}

function unversioned(name: string | null): string | null {
  return name?.replace(/[ /][\d.]+$/, '') ?? null
}
