/**
 * `NEW_COUNTRY`: the country is known, countries are known of before, and it is none of them.
 *
 * @module
 */

import type { Signal } from '../facts.ts'

export const newCountry: Signal = {
  name: 'NEW_COUNTRY',
  points: 25,
  soft: true,
  find({ request: { place }, history }) {
    if (place.country === null) return undefined
    const known = new Set(history.flatMap(({ country }) => country ?? []))
    if (known.size === 0 || known.has(place.country)) return undefined
    return { evidence: { country: place.country } }
  },
}
