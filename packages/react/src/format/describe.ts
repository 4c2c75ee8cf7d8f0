/**
 * Places, devices and sizes as people read them.
 *
 * @module
 */

import type { Session } from '@sallyport/client'
import { useCallback } from 'react'
import { useLocale, useMessages } from '../context.ts'
import { remembered } from './time.tsx'

export interface Place {
  readonly city: string | null
  readonly country: string | null
}

const countryNames = remembered((locale) => new Intl.DisplayNames([locale], { type: 'region', fallback: 'code' }))

/** "Berlin, Germany"; `undefined` where nothing is known. */
export function placeName({ city, country }: Place, locale: string): string | undefined {
  const name = country === null ? null : countryName(country, locale)
  const parts = [city, name].filter((part) => part !== null && part !== '')
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** What is no code of a country (an operator's own database may hold anything) is shown as it is. */
export function countryName(code: string, locale: string): string {
  return /^[A-Za-z]{2}$/.test(code) ? (countryNames(locale).of(code.toUpperCase()) ?? code) : code
}

/** Turns places into words. */
export function usePlace(): (place: Place) => string {
  const locale = useLocale()
  const { common } = useMessages()
  return useCallback((place) => placeName(place, locale) ?? common.unknownPlace, [locale, common])
}

/** Turns devices into words: "Firefox on Windows". */
export function useDevice(): (session: Pick<Session, 'device' | 'userAgent'>) => string {
  const { common, sessions } = useMessages()
  return useCallback(
    ({ device: { browser, os }, userAgent }) => {
      if (browser !== null && os !== null) return sessions.deviceOn(browser, os)
      // A program names itself in the first word: "curl/8.5.0".
      return browser ?? os ?? userAgent?.split(/[\s/]/)[0] ?? common.unknownDevice
    },
    [common, sessions],
  )
}

/** "1.2 MB" */
export function byteSize(bytes: number, locale: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: units[step] as string,
    unitDisplay: 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1,
  }).format(value)
}

/** "12,345" */
export function wholeNumber(value: number, locale: string): string {
  return numberFormat(locale).format(value)
}

const numberFormat = remembered((locale) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }))
