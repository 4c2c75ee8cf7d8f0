/**
 * What a form was refused for, at the field that it is about.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import { useState } from 'react'
import { useErrorText } from './errors.ts'

export interface FieldErrors {
  /** What was wrong with a field, until it is changed. */
  of(field: string): string | undefined
  /** What is about no field of the form. A step-up that was closed is no error. */
  readonly form: string | undefined
  /** Call it when a field is changed: its refusal was about what it held before. */
  clear(field: string): void
}

/** Codes that are about a field without naming it. */
const ABOUT: Readonly<Record<string, string>> = {
  EMAIL_TAKEN: 'email',
  ALREADY_MEMBER: 'email',
}

/** @param fields Those that the form shows; a refusal about any other is shown for the form as a whole. */
export function useFieldErrors(
  { error }: { readonly error: SallyportError | undefined },
  fields: readonly string[],
): FieldErrors {
  const text = useErrorText()
  const [cleared, setCleared] = useState<SallyportError | undefined>(undefined)
  const shown = error === cleared || error?.code === 'STEP_UP_CANCELLED' ? undefined : error
  const named = shown?.facts.field ?? (shown === undefined ? undefined : ABOUT[shown.code])
  // A field of a group that the form shows as one.
  const field = fields.find((one) => named === one || named?.startsWith(`${one}.`))
  return {
    of: (one) => (shown !== undefined && field === one ? text(shown) : undefined),
    form: shown !== undefined && field === undefined ? text(shown) : undefined,
    clear: (one) => {
      if (field === one) setCleared(error)
    },
  }
}
