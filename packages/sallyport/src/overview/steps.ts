/**
 * Cuts a period into steps that a person can compare: whole hours, days or weeks, few enough to be drawn.
 *
 * @module
 */

const HOUR = 3_600_000
const DAY = 24 * HOUR
const WEEK = 7 * DAY

const STEPS = [HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK]
/** So that even the longest period, 400 days, has no more, and each is at least a few pixels wide. */
const MOST_STEPS = 61
/** The first Monday of 1970: weeks begin on Mondays. */
const MONDAY = 4 * DAY

export interface SteppedPeriod {
  readonly from: Date
  readonly to: Date
  readonly stepMs: number
  readonly count: number
}

/** The period, widened to whole steps in UTC: what is counted by the hour cannot be cut finer. */
export function steppedPeriod({ from, to }: { readonly from: Date; readonly to: Date }): SteppedPeriod {
  const stepMs = STEPS.find((step) => (to.getTime() - from.getTime()) / step <= MOST_STEPS - 1) ?? WEEK
  const origin = stepMs === WEEK ? MONDAY : 0
  const start = Math.floor((from.getTime() - origin) / stepMs) * stepMs + origin
  const end = Math.ceil((to.getTime() - origin) / stepMs) * stepMs + origin
  return { from: new Date(start), to: new Date(end), stepMs, count: (end - start) / stepMs }
}
