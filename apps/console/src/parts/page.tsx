/**
 * The frame of a page: its title, what it is for, what can be done.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'

export interface PageProps {
  readonly title: string
  readonly description?: ReactNode
  readonly actions?: ReactNode
  /** Above the title: the way back. */
  readonly back?: ReactNode
  readonly children: ReactNode
}

export function Page({ title, description, actions, back, children }: PageProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Sallyport`
  }, [title])
  // Who went here by keyboard or reads by ear begins at the title; a first load begins where the browser has it.
  useEffect(() => {
    if (document.activeElement instanceof HTMLAnchorElement || document.activeElement === document.body) {
      if (performance.now() > 3000) heading.current?.focus({ preventScroll: true })
    }
  }, [])
  return (
    <div className="mx-auto flex w-full max-w-[1160px] flex-col gap-5 px-4 py-6 sm:px-7 sm:py-8">
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          {back}
          <h1
            ref={heading}
            tabIndex={-1}
            className="text-xl leading-tight font-semibold tracking-[-0.015em] text-balance outline-none"
          >
            {title}
          </h1>
          {description !== undefined && <p className="mt-1 text-sm text-pretty text-soft">{description}</p>}
        </div>
        {actions !== undefined && <div className="sp-scope flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  )
}
