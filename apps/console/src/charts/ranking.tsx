/**
 * Things by their count, most first.
 *
 * @module
 */

import { useLocale } from '@sallyport/react'
import { wholeNumber } from '@sallyport/react/ui'
import type { ReactNode } from 'react'

export interface Ranked {
  readonly key: string
  readonly label: ReactNode
  /** Smaller, behind the label. */
  readonly more?: ReactNode
  /** The parts in words. */
  readonly title?: string
  /** Parts of the count, in the order in which they are drawn. */
  readonly parts: readonly { readonly value: number; readonly color: string }[]
}

export interface RankingProps {
  readonly items: readonly Ranked[]
  /** How many rows there is room for: fewer leave it empty, more are left out. */
  readonly rows: number
  readonly empty: ReactNode
}

export const RANKED_HEIGHT = 38

export function Ranking({ items, rows, empty }: RankingProps): ReactNode {
  const locale = useLocale()
  const totals = items.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const most = Math.max(1, ...totals)
  if (items.length === 0) {
    return (
      <p
        className="flex items-center justify-center px-4 text-center text-sm text-faint"
        style={{ height: rows * RANKED_HEIGHT }}
      >
        {empty}
      </p>
    )
  }
  return (
    <ol style={{ minHeight: rows * RANKED_HEIGHT }}>
      {items.slice(0, rows).map(({ key, label, more, title, parts }, at) => (
        <li key={key} title={title} className="flex flex-col justify-center gap-1" style={{ height: RANKED_HEIGHT }}>
          <div className="flex items-baseline gap-2 text-sm">
            <span className="min-w-0 truncate">{label}</span>
            {more !== undefined && <span className="min-w-0 shrink truncate text-xs text-faint">{more}</span>}
            <span className="sp-num ml-auto shrink-0 font-medium">{wholeNumber(totals[at] ?? 0, locale)}</span>
          </div>
          <div aria-hidden="true" className="flex h-[5px] gap-px overflow-hidden rounded-full bg-sunken">
            {parts.map(({ value, color }, part) => (
              <span key={`${part} ${color}`} style={{ width: `${(value / most) * 100}%`, background: color }} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  )
}
