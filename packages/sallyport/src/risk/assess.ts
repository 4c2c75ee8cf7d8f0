/**
 * Adds up the signals: a score from 0 to 100, and the reasons that it consists of.
 *
 * @module
 */

import type { Finding, RiskFacts, Signal } from './facts.ts'
import { deviceMismatch } from './signals/device-mismatch.ts'
import { newDevice } from './signals/new-device.ts'

/** One reason of a score. */
export interface Reason {
  readonly signal: string
  readonly points: number
  readonly evidence: Finding['evidence']
}

export interface Assessment {
  /** 0 to 100: the sum of the reasons' points, capped. */
  readonly score: number
  readonly reasons: readonly Reason[]
}

export interface WeighedSignals {
  readonly signals: readonly Signal[]
  /** In place of a signal's own points, by its name; 0 turns it off. */
  readonly weights: Readonly<Record<string, number>>
}

export const MAX_SCORE = 100

/**
 * Computes the score. A signal with a weight of 0 is not asked.
 *
 * @throws Whatever a host's signal throws: a score that could not be computed is no reason to pass.
 */
export async function assess(facts: RiskFacts, { signals, weights }: WeighedSignals): Promise<Assessment> {
  const reasons: Reason[] = []
  for (const signal of signals) {
    const weight = weights[signal.name] ?? signal.points
    if (weight === 0 || (signal.soft && facts.deviceTrusted)) continue
    const found = signal.find(facts)
    // Awaited only where it must be: the built-in ones answer at once, at every refresh.
    const finding = found instanceof Promise ? await found : found
    if (finding !== undefined) reasons.push(reasonOf(signal.name, weight, finding))
  }
  const counted = largerAlone(reasons)
  const sum = counted.reduce((total, { points }) => total + points, 0)
  return { score: Math.min(MAX_SCORE, sum), reasons: counted }
}

function reasonOf(signal: string, weight: number, { points = weight, evidence }: Finding): Reason {
  if (!Number.isFinite(points) || points < 0) throw new TypeError(`signal ${signal}: points must be a number from 0 on`)
  return { signal, points: Math.round(points), evidence }
}

/** A device that is not the session's own is commonly not known at all: one finding, and counted once. */
function largerAlone(reasons: readonly Reason[]): readonly Reason[] {
  const [fresh, other] = [newDevice.name, deviceMismatch.name].map((name) =>
    reasons.find(({ signal }) => signal === name),
  )
  if (fresh === undefined || other === undefined) return reasons
  const smaller = fresh.points > other.points ? other : fresh
  return reasons.filter((reason) => reason !== smaller)
}
