/**
 * A dialog over the page: the browser's own, which keeps the focus inside, makes the rest inert and closes by Escape.
 *
 * @module
 */

import { X } from 'lucide-react'
import type { FormEvent, ReactNode } from 'react'
import { useId, useLayoutEffect, useRef } from 'react'
import { useMessages } from '../context.ts'
import { Button } from './button.tsx'
import { focusAgain, homeOf } from './focus.ts'

export interface DialogProps {
  readonly title: ReactNode
  readonly description?: ReactNode
  /** Called when the person wants out: by Escape, the cross, or beside it. */
  readonly onClose: () => void
  /** With it the dialog is a form, submitted by Enter and by a button of type `submit`. */
  readonly onSubmit?: () => void
  readonly size?: 'sm' | 'md' | 'lg'
  /** What stands at the bottom: buttons, the one that does it last. */
  readonly foot?: ReactNode
  /** Set where leaving would lose something that cannot be had again: then only the buttons at the bottom lead out. */
  readonly persistent?: boolean
  readonly children?: ReactNode
}

/** Where the focus begins: in the first field, or where there is none on the button that does nothing. */
const FIELDS = ['input:not([readonly], [type="radio"])', 'textarea', 'select']
const FIRST = [
  ...FIELDS.map((one) => `.sp-dialog-body ${one}`),
  '.sp-dialog-body:not(:has(input, textarea, select)) + .sp-dialog-foot button',
].join(', ')

/** Open while it is rendered. What had the focus before has it again afterwards. */
export function Dialog({
  title,
  description,
  onClose,
  onSubmit,
  size = 'md',
  foot,
  persistent = false,
  children,
}: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const { common } = useMessages()
  // A press that began inside and slid out is no wish to leave.
  const pressedOutside = useRef(false)

  // Before the effects of what is inside: a field can only be focused in a dialog that is open.
  useLayoutEffect(() => {
    const element = dialog.current
    const before = document.activeElement
    const home = homeOf(before)
    element?.showModal()
    element?.querySelector<HTMLElement>(FIRST)?.focus()
    return () => {
      element?.close()
      focusAgain(before, home)
    }
  }, [])

  const content = (
    <>
      <header className="sp-dialog-header">
        <h2 className="sp-dialog-title" id={`${id}-title`}>
          {title}
        </h2>
        {!persistent && (
          <Button
            size="sm"
            variant="ghost"
            iconOnly
            aria-label={common.close}
            icon={<X size={16} />}
            onClick={onClose}
          />
        )}
        {description !== undefined && (
          <p className="sp-dialog-text" id={`${id}-text`}>
            {description}
          </p>
        )}
      </header>
      <div className="sp-dialog-body">{children}</div>
      {foot !== undefined && <footer className="sp-dialog-foot">{foot}</footer>}
    </>
  )
  return (
    // The keyboard's way out is Escape, which the browser turns into `cancel`.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={dialog}
      className="sp-scope sp-dialog"
      data-size={size}
      aria-labelledby={`${id}-title`}
      aria-describedby={description === undefined ? undefined : `${id}-text`}
      onCancel={(event) => {
        event.preventDefault()
        if (!persistent) onClose()
      }}
      onPointerDown={(event) => {
        pressedOutside.current = event.target === event.currentTarget
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget && pressedOutside.current && !persistent) onClose()
      }}
    >
      {onSubmit === undefined ? (
        <div className="sp-dialog-form">{content}</div>
      ) : (
        <form
          className="sp-dialog-form"
          noValidate
          onSubmit={(event: FormEvent) => {
            event.preventDefault()
            // A form inside a portal's parent must not be submitted with it.
            event.stopPropagation()
            onSubmit()
          }}
        >
          {content}
        </form>
      )}
    </dialog>
  )
}
