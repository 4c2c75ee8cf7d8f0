/**
 * The password again: a stolen session must not plant a factor of its own.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import type { ReactNode } from 'react'
import { useMessages } from '../context.ts'
import { useErrorText } from '../hooks/errors.ts'
import { PasswordField } from '../ui/field.tsx'

export interface AskPasswordProps {
  readonly value: string
  readonly onChange: (value: string) => void
  /** Of a try that was made with a password: the first refusal, without one, is the question itself. */
  readonly error: SallyportError | undefined
}

export function AskPassword({ value, onChange, error }: AskPasswordProps): ReactNode {
  const { mfa } = useMessages()
  const text = useErrorText()
  return (
    <PasswordField
      label={mfa.password}
      hint={mfa.passwordText}
      autoFocus
      autoComplete="current-password"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error === undefined ? undefined : text(error)}
    />
  )
}

/** Whether the refusal asks for the password. */
export function asksForPassword(error: SallyportError | undefined): boolean {
  return error?.code === 'INVALID_CREDENTIALS'
}
