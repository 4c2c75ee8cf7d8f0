/**
 * The figures of the period, and how they compare with the period before.
 *
 * @module
 */

import type { Overview } from '@sallyport/react'
import { useLocale } from '@sallyport/react'
import { Skeleton, wholeNumber } from '@sallyport/react/ui'
import type { ReactNode } from 'react'

interface Tile {
  readonly label: string
  readonly value: number | undefined
  readonly before?: number | undefined
  readonly more?: string
  /** Whether more of it calls for somebody. */
  readonly alarming?: boolean
}

export function Tiles({ data, days }: { readonly data: Overview | undefined; readonly days: number }): ReactNode {
  const live = data?.live
  const people = live === undefined ? '' : live.users === 1 ? '1 person' : `${live.users} people`
  const tiles: readonly Tile[] = [
    { label: 'Live sessions', value: live?.sessions, more: `of ${people}` },
    { label: 'Sign-ins', value: data?.totals.signIns, before: data?.previous.signIns },
    { label: 'Failed sign-ins', value: data?.totals.failed, before: data?.previous.failed },
    { label: 'Blocked', value: data?.totals.blocked, before: data?.previous.blocked, alarming: true },
    { label: 'Thefts contained', value: data?.totals.reuse, before: data?.previous.reuse, alarming: true },
  ]
  return (
    <ul className="sp-scope grid grid-cols-2 gap-3 sm:grid-cols-3 lg:grid-cols-5">
      {tiles.map((tile) => (
        <TileItem key={tile.label} tile={tile} days={days} />
      ))}
    </ul>
  )
}

function TileItem({ tile, days }: { readonly tile: Tile; readonly days: number }): ReactNode {
  const locale = useLocale()
  const { label, value, before, more, alarming = false } = tile
  const isAlarm = alarming && value !== undefined && value > 0
  return (
    <li className="sp-card px-4 py-3 first:col-span-2 sm:first:col-span-1">
      <p className="text-xs text-faint">{label}</p>
      <p className={`sp-num mt-0.5 h-8 text-[1.5rem] leading-8 font-semibold ${isAlarm ? 'text-danger' : ''}`}>
        {value === undefined ? <Skeleton width={56} height={26} /> : wholeNumber(value, locale)}
      </p>
      <p className="h-[18px] truncate text-xs text-faint">
        {value === undefined ? <Skeleton width={90} height={12} /> : (more ?? comparison(value, before ?? 0, days))}
      </p>
    </li>
  )
}

function comparison(value: number, before: number, days: number): string {
  const period = days === 1 ? 'the day before' : `the ${days} days before`
  if (value === before) return `as in ${period}`
  return `${value > before ? '+' : '−'}${Math.abs(value - before)} on ${period}`
}
