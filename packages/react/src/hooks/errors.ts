/**
 * Refusals in words, at the field that they are about.
 *
 * @module
 */

import type { SallyportError } from '@sallyport/client'
import { useCallback } from 'react'
import { useMessages } from '../context.ts'
import type { Messages } from '../messages/english.ts'

/** A refusal in words: the host's where it has some, else the API's own. */
export function errorText({ errors, rateLimited }: Messages, error: SallyportError): string {
  const { code, facts, message } = error
  if (code === 'RATE_LIMITED' && facts.retryAfter !== undefined) return rateLimited(facts.retryAfter)
  return Object.hasOwn(errors, code) ? (errors[code] as string) : sentence(withoutField(message, facts.field))
}

/** Turns refusals into words. */
export function useErrorText(): (error: SallyportError) => string {
  const messages = useMessages()
  return useCallback((error) => errorText(messages, error), [messages])
}

/** The API begins with the name of the field, which stands beside it already. */
function withoutField(message: string, field: string | undefined): string {
  return field !== undefined && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
