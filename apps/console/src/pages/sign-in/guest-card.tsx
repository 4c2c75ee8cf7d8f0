/**
 * The frame of the forms for those who are not signed in.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect } from 'react'

export interface GuestCardProps {
  readonly title: string
  readonly text?: ReactNode
  readonly children: ReactNode
  /** Below the card: where else one could go. */
  readonly foot?: ReactNode
}

export function GuestCard({ title, text, children, foot }: GuestCardProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Sallyport`
  }, [title])
  return (
    <div className="sp-scope w-full max-w-[392px]">
      <div className="sp-card px-6 py-6 sm:px-8 sm:py-7">
        <h1 className="text-[1.3125rem] leading-tight font-semibold tracking-[-0.018em]">{title}</h1>
        {text !== undefined && <p className="mt-1.5 text-sm text-pretty text-soft">{text}</p>}
        <div className="mt-5">{children}</div>
      </div>
      {foot !== undefined && <div className="mt-5 text-center text-sm text-soft">{foot}</div>}
    </div>
  )
}

/** The form itself: fields one below the other. */
export function GuestForm({
  onSubmit,
  children,
}: {
  readonly onSubmit: () => void
  readonly children: ReactNode
}): ReactNode {
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        onSubmit()
      }}
    >
      {children}
    </form>
  )
}
