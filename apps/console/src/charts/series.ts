/**
 * What a chart is drawn from.
 *
 * @module
 */

/** One kind of count. */
export interface Series<Key extends string> {
  readonly key: Key
  readonly label: string
  /** A custom property of the theme. */
  readonly color: string
}

/** The counts of one step of time. */
export type Point<Key extends string> = { readonly at: string } & Readonly<Record<Key, number | null>>

/** A round number at or above the largest value, with few, round steps below it. */
export function scaleOf(largest: number): { readonly top: number; readonly ticks: readonly number[] } {
  if (largest <= 4) return { top: 4, ticks: [0, 2, 4] }
  const rough = largest / 3
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step =
    [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((one) => one >= rough && Number.isInteger(one)) ?? rough
  const count = Math.ceil(largest / step)
  return { top: count * step, ticks: Array.from({ length: count + 1 }, (_, at) => at * step) }
}

const DAY = 86_400

/** Hours say more than days within this. */
const HOURS_WITHIN = 2 * DAY

/** The places of the points that have a label below the axis: few, evenly apart, and days where their day begins. */
export function labelledPoints(instants: readonly string[], stepSeconds: number, most: number): readonly number[] {
  const dayOf = (at: number): string => new Date(instants[at] ?? '').toDateString()
  const byHours = stepSeconds * instants.length <= HOURS_WITHIN
  const candidates = [...instants.keys()].filter((at) => byHours || (at > 0 && dayOf(at) !== dayOf(at - 1)))
  const every = Math.max(1, Math.ceil(candidates.length / most))
  return candidates.filter((_, order) => order % every === 0)
}

/** What stands below the axis: hours within two days, else days. */
export function axisLabel(at: string, spanSeconds: number, locale: string): string {
  const options: Intl.DateTimeFormatOptions =
    spanSeconds <= HOURS_WITHIN ? { hour: 'numeric', minute: '2-digit' } : { day: 'numeric', month: 'short' }
  return new Intl.DateTimeFormat(locale, options).format(new Date(at))
}

/** The step of time in full, for whoever points at it. */
export function stepLabel(at: string, stepSeconds: number, locale: string): string {
  const begin = new Date(at)
  const days = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' })
  if (stepSeconds === DAY) return days.format(begin)
  const end = new Date(begin.getTime() + stepSeconds * 1000)
  if (stepSeconds > DAY) return days.formatRange(begin, new Date(end.getTime() - 1))
  return new Intl.DateTimeFormat(locale, { weekday: 'short', hour: '2-digit', minute: '2-digit' }).formatRange(
    begin,
    end,
  )
}
