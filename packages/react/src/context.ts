/**
 * What the provider hands down.
 *
 * @module
 */

import { createContext, useContext } from 'react'
import type { Sallyport } from './create-sallyport.ts'
import type { Messages } from './messages/english.ts'
import { english } from './messages/english.ts'

export interface Texts {
  readonly messages: Messages
  /** A BCP 47 tag, for dates, numbers and names of countries. */
  readonly locale: string
}

export const SallyportContext = createContext<Sallyport | undefined>(undefined)
export const TextsContext = createContext<Texts>({ messages: english, locale: 'en' })

/** @throws TypeError outside of a `SallyportProvider`. */
export function useContextOf(hook: string): Sallyport {
  const sallyport = useContext(SallyportContext)
  if (sallyport === undefined) throw new TypeError(`${hook}: there is no <SallyportProvider> above`)
  return sallyport
}

/** The texts of the components, as the host has them. */
export function useMessages(): Messages {
  return useContext(TextsContext).messages
}

/** The locale of dates, numbers and names. */
export function useLocale(): string {
  return useContext(TextsContext).locale
}
