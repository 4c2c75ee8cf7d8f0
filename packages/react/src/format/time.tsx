/**
 * Moments as people tell them, with the exact instant at hand.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useMemo, useSyncExternalStore } from 'react'
import { useLocale, useMessages } from '../context.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  { unit: 'minute', ms: MINUTE, below: 59.5 * MINUTE },
  { unit: 'hour', ms: HOUR, below: 23.5 * HOUR },
  { unit: 'day', ms: DAY, below: 6.5 * DAY },
  { unit: 'week', ms: 7 * DAY, below: 28 * DAY },
  { unit: 'month', ms: 30.44 * DAY, below: 345 * DAY },
  { unit: 'year', ms: 365.25 * DAY, below: Number.POSITIVE_INFINITY },
] as const

/** How long ago, or in how long: "3 minutes ago", "yesterday", "in 2 hours". */
export function relativeTime(instant: Date, now: Date, locale: string): string {
  const distance = instant.getTime() - now.getTime()
  const format = relativeFormat(locale)
  if (Math.abs(distance) < 45_000) return format.format(0, 'second')
  const { unit, ms } = STEPS.find(({ below }) => Math.abs(distance) < below) ?? STEPS[0]
  const count = Math.round(distance / ms)
  // A minute is the least there is to tell: "this minute" tells nothing.
  return format.format(count === 0 ? Math.sign(distance) : count, unit)
}

/** The instant to the second, with its time zone. */
export function exactTime(instant: Date, locale: string): string {
  return exactFormat(locale).format(instant)
}

const relativeFormat = remembered((locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
const exactFormat = remembered(
  (locale) =>
    new Intl.DateTimeFormat(locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    }),
)

/** Formats are dear to make: one for each locale. */
export function remembered<T>(make: (locale: string) => T): (locale: string) => T {
  const made = new Map<string, T>()
  return (locale) => {
    const known = made.get(locale)
    if (known !== undefined) return known
    const fresh = make(locale)
    made.set(locale, fresh)
    return fresh
  }
}

const TICK_MS = 10_000

function everyTick(listener: () => void): () => void {
  const timer = setInterval(listener, TICK_MS)
  return () => clearInterval(timer)
}

/** Now, in steps of ten seconds: what is shown of it is shown anew when it changes. */
export function useNow(): Date {
  const now = useSyncExternalStore(
    everyTick,
    () => Math.floor(Date.now() / TICK_MS) * TICK_MS,
    () => 0,
  )
  return useMemo(() => new Date(now), [now])
}

export interface TimeProps {
  /** ISO 8601; nothing where it is `null`. */
  readonly value: string | null | undefined
  /** In place of a moment that is not there. Defaults to "Never". */
  readonly otherwise?: ReactNode
  /** Shows the instant itself in place of the distance. */
  readonly exact?: boolean
}

/** A moment: relative, exact when pointed at, and always machine-readable. */
export function Time({ value, otherwise, exact = false }: TimeProps): ReactNode {
  const locale = useLocale()
  const { common } = useMessages()
  const now = useNow()
  if (value == null) return otherwise ?? common.never
  const instant = new Date(value)
  const precise = exactTime(instant, locale)
  return (
    <time dateTime={value} title={precise}>
      {exact ? precise : relativeTime(instant, now, locale)}
    </time>
  )
}
