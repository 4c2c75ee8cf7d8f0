/**
 * What the colours of a chart stand for.
 *
 * @module
 */

import type { ReactNode } from 'react'

export interface LegendProps {
  readonly entries: readonly { readonly label: string; readonly color: string }[]
}

export function Legend({ entries }: LegendProps): ReactNode {
  return (
    <span className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
      {entries.map(({ label, color }) => (
        <span key={label} className="flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2.5 rounded-[3px]" style={{ background: color }} />
          {label}
        </span>
      ))}
    </span>
  )
}
