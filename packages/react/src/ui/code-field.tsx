/**
 * A field for a one-time code.
 *
 * @module
 */

import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'
import { Field } from './field.tsx'

export interface CodeFieldProps {
  readonly kind: 'totp' | 'email_code' | 'recovery_code'
  readonly label: ReactNode
  readonly hint?: ReactNode
  readonly value: string
  readonly onChange: (value: string) => void
  readonly error?: string | undefined
}

/** One field and not one for each digit: it can be pasted into, filled in by the device, and read out as what it is. */
export function CodeField({ kind, label, hint, value, onChange, error }: CodeFieldProps): ReactNode {
  const input = useRef<HTMLInputElement>(null)
  // Where it appears it is what is to be done next, and so is it after a refusal.
  useEffect(() => {
    input.current?.focus()
  }, [error])
  const digits = kind === 'totp' ? 6 : kind === 'email_code' ? 8 : undefined
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <input
          {...control}
          ref={input}
          className="sp-input sp-code-input"
          data-long={digits === undefined || undefined}
          name="code"
          value={value}
          onChange={(event) => onChange(cleaned(event.target.value, digits))}
          inputMode={digits === undefined ? 'text' : 'numeric'}
          autoComplete={digits === undefined ? 'off' : 'one-time-code'}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          maxLength={digits === undefined ? 40 : digits + 3}
        />
      )}
    </Field>
  )
}

/** A code that was copied with its spaces, or typed with letters by mistake, is the code. */
function cleaned(text: string, digits: number | undefined): string {
  return digits === undefined ? text : text.replaceAll(/\D/g, '').slice(0, digits)
}
