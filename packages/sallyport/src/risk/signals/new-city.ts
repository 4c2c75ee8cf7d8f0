/**
 * `NEW_CITY`: the city is known, cities are known of before, and it is none of them.
 *
 * @module
 */

import type { Place, Signal } from '../facts.ts'

export const newCity: Signal = {
  name: 'NEW_CITY',
  points: 10,
  soft: true,
  find({ request: { place }, history }) {
    if (place.city === null) return undefined
    const known = new Set(history.flatMap((one) => (one.city === null ? [] : [named(one)])))
    if (known.size === 0 || known.has(named(place))) return undefined
    return { evidence: { city: place.city } }
  },
}

/** With its country: there is a Paris in Texas. */
function named({ country, city }: Place): string {
  return `${country ?? ''}/${city ?? ''}`
}
