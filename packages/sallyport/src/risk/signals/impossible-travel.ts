/**
 * `IMPOSSIBLE_TRAVEL`: nobody gets from the last seen place to this one in the time between.
 *
 * @module
 */

import type { Place, RiskFacts, SeenSession, Signal } from '../facts.ts'
import { distanceKm } from '../travel.ts'

/** What places of addresses are out by now and then: two of one town may be seen this far apart. */
const BLUR_KM = 50
/** Two requests within a moment of each other are no journey at infinite speed. */
const LEAST_HOURS = 1 / 60

export const impossibleTravel: Signal = {
  name: 'IMPOSSIBLE_TRAVEL',
  points: 25,
  soft: true,
  find(facts) {
    const { now, request, thresholds } = facts
    const last = lastPlace(facts)
    if (last === undefined || !hasCoordinates(request.place)) return undefined
    const km = distanceKm(last, request.place)
    if (km <= BLUR_KM) return undefined
    const hours = Math.max(LEAST_HOURS, (now.getTime() - last.lastSeenAt.getTime()) / 3_600_000)
    const kmh = km / hours
    if (kmh <= thresholds.travelKmh) return undefined
    return { evidence: { km: Math.round(km), minutes: Math.round(hours * 60), kmh: Math.round(kmh) } }
  },
}

type Located = Place & { readonly latitude: number; readonly longitude: number }

function hasCoordinates(place: Place): place is Located {
  return place.latitude !== null && place.longitude !== null
}

/**
 * At a refresh where the session itself was: a person's other devices may well be elsewhere. At a sign-in the newest of the
 * sessions whose place is known.
 */
function lastPlace({ history, session }: RiskFacts): (SeenSession & Located) | undefined {
  const seen = (session === null ? history : [session]).filter((one) => hasCoordinates(one))
  return seen.reduce<(SeenSession & Located) | undefined>(
    (newest, one) =>
      newest === undefined || one.lastSeenAt > newest.lastSeenAt ? (one as SeenSession & Located) : newest,
    undefined,
  )
}
