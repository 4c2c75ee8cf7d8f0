/**
 * Cards, lists and what stands in them: also while nothing is there yet, or nothing at all.
 *
 * @module
 */

import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { Button } from './button.tsx'
import { classNames } from './class-names.ts'

/** What a colour says. */
export type Tone = 'neutral' | 'ok' | 'warn' | 'danger' | 'info' | 'accent'

export interface CardProps extends Omit<ComponentProps<'section'>, 'title'> {
  readonly title?: ReactNode
  readonly description?: ReactNode
  readonly actions?: ReactNode
  /** Of the heading. Defaults to 2. */
  readonly level?: 2 | 3
}

/** A surface with a heading. What is inside brings its own padding: `CardBody`, or a list. */
export function Card({ title, description, actions, level = 2, className, children, ...rest }: CardProps): ReactNode {
  const Heading = level === 2 ? 'h2' : 'h3'
  return (
    // Focused where a part of it had the focus and is gone.
    <section tabIndex={-1} {...rest} className={classNames('sp-card sp-contain', className)}>
      {title !== undefined && (
        <header className="sp-card-header">
          <div>
            <Heading className="sp-card-title">{title}</Heading>
            {description !== undefined && <p className="sp-card-text">{description}</p>}
          </div>
          {actions !== undefined && <div className="sp-row">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  )
}

export function CardBody({ className, ...rest }: ComponentProps<'div'>): ReactNode {
  return <div {...rest} className={classNames('sp-card-body', className)} />
}

export interface BadgeProps {
  readonly tone?: Tone
  readonly icon?: ReactNode
  readonly title?: string
  readonly children: ReactNode
}

export function Badge({ tone = 'neutral', icon, title, children }: BadgeProps): ReactNode {
  return (
    <span className="sp-badge" data-tone={tone} title={title}>
      {icon}
      {children}
    </span>
  )
}

const CALLOUT_ICONS = { info: Info, ok: CircleCheck, warn: TriangleAlert, danger: CircleAlert }

export interface CalloutProps {
  readonly tone?: 'info' | 'ok' | 'warn' | 'danger'
  readonly title?: ReactNode
  readonly children?: ReactNode
  /** `alert` where it answers what somebody just did. */
  readonly role?: 'alert' | 'status'
}

/** A few words that matter, in place. */
export function Callout({ tone = 'info', title, role, children }: CalloutProps): ReactNode {
  const Icon = CALLOUT_ICONS[tone]
  return (
    <div className="sp-callout" data-tone={tone} role={role}>
      <Icon size={16} aria-hidden="true" />
      {title !== undefined && <div className="sp-callout-title">{title}</div>}
      {children !== undefined && <div>{children}</div>}
    </div>
  )
}

export interface EmptyProps {
  readonly icon?: ReactNode
  readonly title: ReactNode
  readonly text?: ReactNode
  readonly actions?: ReactNode
}

/** Says that there is nothing, and what would make something be there. */
export function Empty({ icon, title, text, actions }: EmptyProps): ReactNode {
  return (
    <div className="sp-empty">
      {icon}
      <p className="sp-empty-title">{title}</p>
      {text !== undefined && <p className="sp-empty-text">{text}</p>}
      {actions !== undefined && <div className="sp-row">{actions}</div>}
    </div>
  )
}

export interface FailureProps {
  readonly title?: ReactNode
  /** What the API said. */
  readonly text: ReactNode
  readonly onRetry?: () => void
  readonly busy?: boolean
}

/** In place of what could not be loaded. */
export function Failure({ title, text, onRetry, busy = false }: FailureProps): ReactNode {
  const { common } = useMessages()
  return (
    <div className="sp-empty" role="alert">
      <TriangleAlert size={22} aria-hidden="true" />
      <p className="sp-empty-title">{title ?? common.couldNotLoad}</p>
      <p className="sp-empty-text">{text}</p>
      {onRetry !== undefined && (
        <div className="sp-row">
          <Button size="sm" busy={busy} onClick={onRetry}>
            {common.tryAgain}
          </Button>
        </div>
      )}
    </div>
  )
}

export interface SkeletonProps {
  readonly width?: number | string
  readonly height?: number | string
  readonly round?: boolean
}

/** A place that is kept for what comes. */
export function Skeleton({ width = '100%', height = 14, round = false }: SkeletonProps): ReactNode {
  return <span className="sp-skeleton" style={{ width, height, ...(round ? { borderRadius: '50%' } : {}) }} />
}

/** Rows of the size of an item with two lines. */
export function SkeletonItems({
  count = 3,
  icon = true,
}: {
  readonly count?: number
  readonly icon?: boolean
}): ReactNode {
  const { common } = useMessages()
  return (
    <ul className="sp-list" aria-busy="true" aria-label={common.loading}>
      {Array.from({ length: count }, (_, at) => (
        <li key={at} className="sp-item">
          {icon ? <Skeleton width={34} height={34} /> : <span />}
          <span className="sp-skeleton-lines">
            <Skeleton width={`${[46, 38, 54, 42][at % 4]}%`} />
            <Skeleton width={`${[70, 62, 76, 58][at % 4]}%`} height={12} />
          </span>
          <span className="sp-item-actions">
            <Skeleton width={64} height={28} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** The first letters of a name. */
export function Avatar({ name, size = 'md' }: { readonly name: string; readonly size?: 'sm' | 'md' }): ReactNode {
  return (
    <span className="sp-avatar" data-size={size} aria-hidden="true">
      {initials(name)}
    </span>
  )
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter((word) => /\p{L}|\p{N}/u.test(word))
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => Array.from(word ?? '')[0] ?? '')
  return letters.join('').toUpperCase() || '?'
}
