/**
 * Links between the parts of a page.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { NavLink } from 'react-router'

export interface TabsProps {
  readonly label: string
  readonly tabs: readonly { readonly to: string; readonly label: string }[]
}

export function Tabs({ label, tabs }: TabsProps): ReactNode {
  return (
    <nav aria-label={label} className="-mb-1 border-b border-line">
      <ul className="flex gap-1">
        {tabs.map(({ to, label: name }) => (
          <li key={to}>
            <NavLink
              to={to}
              end
              className="focus-inset -mb-px flex h-10 items-center border-b-2 border-transparent px-3 text-sm font-medium text-soft no-underline hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {name}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  )
}
