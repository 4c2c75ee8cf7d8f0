/**
 * The mark: a gate in a wall.
 *
 * @module
 */

import type { ReactNode } from 'react'

export function Logo({ size = 26 }: { readonly size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="shrink-0 text-accent">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <g fill="none" stroke="var(--sp-on-accent)" strokeWidth="2.2" strokeLinejoin="round">
        <path d="M7 25.5V12l3-2.3V7.5h3V10h6V7.5h3v2.2l3 2.3v13.5H7Z" />
        <path d="M12.5 25.5v-5.7a3.5 3.5 0 0 1 7 0v5.7" />
      </g>
    </svg>
  )
}
