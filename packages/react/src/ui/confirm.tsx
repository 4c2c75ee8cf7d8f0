/**
 * Asks once more before something that cannot be undone.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import type { Action } from '../hooks/use-action.ts'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { Callout } from './surface.tsx'

export interface ConfirmProps<Input, T> {
  readonly title: ReactNode
  readonly text: ReactNode
  /** What the button says: the verb of it. */
  readonly confirm: string
  /** Defaults to `danger`. */
  readonly variant?: 'danger' | 'primary'
  readonly action: Action<Input, T>
  readonly input: Input
  readonly onDone?: (value: T) => void
  readonly onClose: () => void
  readonly children?: ReactNode
}

/** Stays open with what was refused; closes when it is done. */
export function Confirm<Input, T>({
  title,
  text,
  confirm,
  variant = 'danger',
  action,
  input,
  onDone,
  onClose,
  children,
}: ConfirmProps<Input, T>): ReactNode {
  const { common } = useMessages()
  const words = useErrorText()
  const { busy, error } = action
  const close = (): void => {
    action.reset()
    onClose()
  }
  const run = async (): Promise<void> => {
    const outcome = await action.run(input)
    if (!outcome.ok) return
    // What comes next may be another dialog: it opens after this one is closed.
    onClose()
    onDone?.(outcome.value)
  }
  return (
    <Dialog
      size="sm"
      title={title}
      description={text}
      onClose={close}
      onSubmit={() => void run()}
      foot={
        <>
          <Button onClick={close}>{common.cancel}</Button>
          <Button type="submit" variant={variant} busy={busy}>
            {confirm}
          </Button>
        </>
      }
    >
      {children}
      {error !== undefined && error.code !== 'STEP_UP_CANCELLED' && (
        <Callout tone="danger" role="alert">
          {words(error)}
        </Callout>
      )}
    </Dialog>
  )
}
