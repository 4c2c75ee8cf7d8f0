/**
 * A period in days of the person's own calendar.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'

/** Days as the browser's fields hold them, the last one included; an empty text is an open end. */
export interface Period {
  readonly from: string
  readonly to: string
}

/** The days up to and with today. */
export function lastDays(days: number): Period {
  const today = new Date()
  return {
    from: dayOf(new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1)),
    to: dayOf(today),
  }
}

/** The half-open instants of it, as the API takes them. */
export function rangeOf({ from, to }: Period): { readonly from?: string; readonly to?: string } {
  const [begin, last] = [new Date(`${from}T00:00`), new Date(`${to}T00:00`)]
  const end = new Date(last.getFullYear(), last.getMonth(), last.getDate() + 1)
  return {
    ...(Number.isNaN(begin.getTime()) ? {} : { from: begin.toISOString() }),
    // What has not happened yet cannot be asked for: a period that ends today ends now.
    ...(Number.isNaN(end.getTime()) || end > new Date() ? {} : { to: end.toISOString() }),
  }
}

function dayOf(day: Date): string {
  const pad = (part: number): string => String(part).padStart(2, '0')
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`
}

const QUICK = [30, 90, 365] as const

export interface PeriodFieldsProps {
  readonly period: Period
  readonly onChange: (period: Period) => void
  /** `INVALID_RANGE`, where it was refused. */
  readonly error: SallyportError | undefined
}

export function PeriodFields({ period, onChange, error }: PeriodFieldsProps): ReactNode {
  const { exports: texts } = useMessages()
  const text = useErrorText()
  const shown = error === undefined ? undefined : text(error)
  const isAbout = (field: string): boolean => error?.facts.field === field
  return (
    <div className="sp-period">
      <TextField
        type="date"
        label={texts.from}
        value={period.from}
        error={isAbout('from') || (shown !== undefined && !isAbout('to')) ? shown : undefined}
        onChange={(event) => onChange({ ...period, from: event.target.value })}
      />
      <TextField
        type="date"
        label={texts.to}
        value={period.to}
        error={isAbout('to') ? shown : undefined}
        onChange={(event) => onChange({ ...period, to: event.target.value })}
      />
      <div className="sp-row">
        {QUICK.map((days) => (
          <Button key={days} size="sm" variant="ghost" onClick={() => onChange(lastDays(days))}>
            {texts.lastDays(days)}
          </Button>
        ))}
      </div>
    </div>
  )
}
