/**
 * Reads the period that an export or an overview is asked for.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'

export interface Period {
  /** In it. */
  readonly from: Date
  /** Not in it. */
  readonly to: Date
}

const DAY = 86_400_000
export const MOST_DAYS = 400

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+ -])(\d{2}):(\d{2}))$/

/**
 * Reads a half-open period of ISO 8601 instants. Without `to` it ends now; without `from` it has the days before its end that are
 * the default.
 *
 * @throws SallyportError `INVALID_RANGE` that names the field.
 */
export function periodOf(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Date,
  defaultDays: number = MOST_DAYS,
): Period {
  const end = to === undefined ? now : instantOf('to', to)
  const start = from === undefined ? new Date(end.getTime() - defaultDays * DAY) : instantOf('from', from)
  if (start >= end) throw invalid('to', '"to" must be later than "from".')
  if (end.getTime() - start.getTime() > MOST_DAYS * DAY)
    throw invalid('from', `A period has at most ${MOST_DAYS} days.`)
  return { from: start, to: end }
}

/** Refuses a period for what is exported as a whole. */
export function noPeriod({ from, to }: { readonly from?: string | undefined; readonly to?: string | undefined }): void {
  if (from !== undefined) throw invalid('from', 'This dataset is as of now and takes no period.')
  if (to !== undefined) throw invalid('to', 'This dataset is as of now and takes no period.')
}

function instantOf(field: 'from' | 'to', text: string): Date {
  const match = text.length <= 40 ? INSTANT.exec(text) : null
  if (match === null) throw invalid(field, `"${field}" must be an instant such as 2026-01-31T00:00:00Z.`)
  const [, year, month, day, hour, minute, second = '00', fraction = '', sign, offsetHour = '00', offsetMinute = '00'] =
    match
  const local = new Date(0)
  // Field by field, because Date.parse takes the 30th of February for the 2nd of March. Below the millisecond nothing is kept.
  local.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  local.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.slice(0, 3).padEnd(3, '0')))
  if (local.toISOString().slice(0, 19) !== `${year}-${month}-${day}T${hour}:${minute}:${second}`) {
    throw invalid(field, `"${field}" is a day or a time that there is not.`)
  }
  const offset = Number(offsetHour) * 60 + Number(offsetMinute)
  // RFC 3339 allows 23:59; the zones that there are end at 14.
  if (Number(offsetMinute) > 59 || offset > 14 * 60) throw invalid(field, `"${field}" has an offset that there is not.`)
  // A plus that was not escaped in a query reads as a space.
  return new Date(local.getTime() + (sign === '-' ? offset : -offset) * 60_000)
}

function invalid(field: 'from' | 'to', message: string): SallyportError {
  return new SallyportError('INVALID_RANGE', message, { facts: { field } })
}
