/**
 * Buttons.
 *
 * @module
 */

import type { ComponentProps, ReactNode } from 'react'
import { classNames } from './class-names.ts'

export interface ButtonProps extends Omit<ComponentProps<'button'>, 'disabled'> {
  /** Defaults to `secondary`. */
  readonly variant?: 'primary' | 'secondary' | 'ghost' | 'danger' | 'danger-quiet' | 'link'
  /** Defaults to `md`. */
  readonly size?: 'sm' | 'md'
  /** Waits for what it began: shown, told to assistive technology, and not to be pressed again. */
  readonly busy?: boolean
  readonly disabled?: boolean
  readonly icon?: ReactNode
  /** Only an icon is seen; `aria-label` says what it does. */
  readonly iconOnly?: boolean
  readonly wide?: boolean
}

/** A button that keeps the focus while it is busy or off, so that a keyboard user never loses their place. */
export function Button({
  variant = 'secondary',
  size = 'md',
  busy = false,
  disabled = false,
  icon,
  iconOnly = false,
  wide = false,
  className,
  children,
  onClick,
  type = 'button',
  ...rest
}: ButtonProps): ReactNode {
  const off = busy || disabled
  return (
    <button
      {...rest}
      type={type}
      className={classNames(
        buttonClass({ variant, size }),
        iconOnly && 'sp-button-icon',
        wide && 'sp-button-wide',
        className,
      )}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        if (off) event.preventDefault()
        else onClick?.(event)
      }}
    >
      <span className="sp-button-label">
        {icon}
        {children}
      </span>
      {busy && <span className="sp-spinner" aria-hidden="true" />}
    </button>
  )
}

/** The classes of a button, for links that look like one. */
export function buttonClass({
  variant = 'secondary',
  size = 'md',
}: Pick<ButtonProps, 'variant' | 'size'> = {}): string {
  return classNames('sp-button', `sp-button-${variant}`, size === 'sm' && 'sp-button-sm')
}
