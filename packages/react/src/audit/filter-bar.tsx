/**
 * What is looked for in the audit log.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { useMessages } from '../context.ts'
import type { AuditFilters } from '../hooks/use-audit-log.ts'
import { wordFor } from '../messages/messages.ts'
import { useSettled } from '../ip-rules/use-settled.ts'
import { Button } from '../ui/button.tsx'
import { SearchInput, SelectBox } from '../ui/field.tsx'

export interface Person {
  /** Of the user. */
  readonly id: string
  readonly name: string
}

export interface FilterBarProps {
  readonly filters: AuditFilters
  readonly people: readonly Person[] | undefined
  readonly onChange: (filters: AuditFilters) => void
}

export function FilterBar({ filters, people, onChange }: FilterBarProps): ReactNode {
  const { audit: texts } = useMessages()
  const set = (change: Partial<AuditFilters>): void => {
    const next = Object.entries({ ...filters, ...change }).filter(([, value]) => value !== undefined && value !== '')
    onChange(Object.fromEntries(next))
  }
  const isSet = Object.values(filters).some((value) => value !== undefined)
  return (
    <div className="sp-filters" role="search">
      <SearchText value={filters.q ?? ''} onChange={(q) => set({ q })} />
      <SelectBox
        boxSize="sm"
        aria-label={texts.action}
        value={filters.action ?? ''}
        onChange={(event) => set({ action: event.target.value })}
      >
        <option value="">{texts.anyAction}</option>
        <option value={butRenewals(texts.actions)}>{texts.butRenewals}</option>
        {actionsOf(texts.actions, filters.action).map(([action, name]) => (
          <option key={action} value={action}>
            {name}
          </option>
        ))}
      </SelectBox>
      <SelectBox
        boxSize="sm"
        aria-label={texts.outcome}
        value={filters.outcome ?? ''}
        onChange={(event) => set({ outcome: (event.target.value || undefined) as AuditFilters['outcome'] })}
      >
        <option value="">{texts.anyOutcome}</option>
        <option value="SUCCESS">{texts.success}</option>
        <option value="FAIL">{texts.fail}</option>
      </SelectBox>
      {people !== undefined && (
        <SelectBox
          boxSize="sm"
          aria-label={texts.who}
          value={filters.userId ?? ''}
          onChange={(event) => set({ userId: event.target.value })}
        >
          <option value="">{texts.anybody}</option>
          {people.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </SelectBox>
      )}
      <span className="sp-days">
        <DayInput label={texts.from} value={filters.from} onChange={(from) => set({ from })} />
        <DayInput label={texts.to} value={filters.to} end onChange={(to) => set({ to })} />
      </span>
      {isSet && (
        <Button size="sm" variant="ghost" onClick={() => onChange({})}>
          {texts.clear}
        </Button>
      )}
    </div>
  )
}

/** Searched once it has been left alone for a moment. */
function SearchText({
  value,
  onChange,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
}): ReactNode {
  const { audit: texts } = useMessages()
  const [typed, setTyped] = useState(value)
  const settled = useSettled(typed)
  useEffect(() => setTyped(value), [value])
  useEffect(() => {
    if (settled === typed && settled.trim() !== value) onChange(settled.trim())
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- what came from outside is no wish to search
  }, [settled])
  return (
    <SearchInput
      aria-label={texts.search}
      placeholder={texts.search}
      value={typed}
      maxLength={100}
      onChange={(event) => setTyped(event.target.value)}
    />
  )
}

interface DayInputProps {
  readonly label: string
  /** An instant. */
  readonly value: string | undefined
  /** Whether the day itself is part of the period that it ends. */
  readonly end?: boolean
  readonly onChange: (value: string | undefined) => void
}

const DAY_MS = 86_400_000

/** Days of the person's own calendar, as half-open instants. */
function DayInput({ label, value, end = false, onChange }: DayInputProps): ReactNode {
  const change = (text: string): void => {
    const midnight = new Date(`${text}T00:00`)
    if (Number.isNaN(midnight.getTime())) onChange(undefined)
    else if (end) onChange(new Date(midnight.getFullYear(), midnight.getMonth(), midnight.getDate() + 1).toISOString())
    else onChange(midnight.toISOString())
  }
  return (
    <label className="sp-day">
      <span className="sp-faint sp-tiny">{label}</span>
      <input
        type="date"
        className="sp-input sp-input-sm"
        value={value === undefined ? '' : dayOf(new Date(Date.parse(value) - (end ? DAY_MS / 2 : 0)))}
        onChange={(event) => change(event.target.value)}
      />
    </label>
  )
}

function dayOf(instant: Date): string {
  const pad = (part: number): string => String(part).padStart(2, '0')
  return `${instant.getFullYear()}-${pad(instant.getMonth() + 1)}-${pad(instant.getDate())}`
}

/** Renewals are most of a log, and seldom what is looked for. */
function butRenewals(words: Readonly<Record<string, string>>): string {
  return Object.keys(words)
    .filter((action) => action !== 'AUTH_TOKEN_REFRESH')
    .join(',')
}

/** Those that have a word, by it; and the one that is chosen, whatever it is. */
function actionsOf(
  words: Readonly<Record<string, string>>,
  chosen: string | undefined,
): readonly (readonly [action: string, name: string])[] {
  const known = Object.entries(words).sort(([, a], [, b]) => a.localeCompare(b))
  if (chosen === undefined || Object.hasOwn(words, chosen) || chosen === butRenewals(words)) return known
  return [
    [
      chosen,
      chosen
        .split(',')
        .map((one) => wordFor(words, one))
        .join(', '),
    ],
    ...known,
  ]
}
