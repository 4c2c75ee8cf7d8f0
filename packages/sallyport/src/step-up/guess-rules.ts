/**
 * How often a factor may be guessed at, whatever session, challenge or node the guesses come through.
 *
 * @module
 */

import type { GuessRules } from '../store/contract/step-up.ts'

/**
 * Two codes of a million are right at any moment, so five guesses in a quarter of an hour alone would find one within the year
 * in three cases of ten. The window of a day brings that to one in seventy, and the count in a row ends it (NIST SP 800-63B
 * section 3.2.2).
 */
const WINDOWS = [
  { ms: 15 * 60_000, failures: 5 },
  { ms: 24 * 3_600_000, failures: 20 },
] as const
const LONGEST_MS = Math.max(...WINDOWS.map(({ ms }) => ms))
const MAX_IN_A_ROW = 100

export const GUESS_RULES: GuessRules = {
  blockedForMs({ failures }, now) {
    const waits = WINDOWS.map(({ ms, failures: most }) => {
      const within = failures.filter((at) => now.getTime() - at.getTime() < ms)
      // The one whose ageing out makes room: the oldest, where the window is exactly full.
      const deciding = within[within.length - most]
      return deciding === undefined ? 0 : deciding.getTime() + ms - now.getTime()
    })
    const longest = Math.max(...waits)
    return longest > 0 ? longest : undefined
  },

  failed({ failures, consecutive }, now) {
    return { failures: counted([...failures, now], now), consecutive: consecutive + 1 }
  },

  // A right code ends the row and no more: else whoever guesses beside an honest owner would get a new budget by each sign-in.
  passed({ failures }, now) {
    return { failures: counted(failures, now), consecutive: 0 }
  },

  exhausted: ({ consecutive }) => consecutive >= MAX_IN_A_ROW,
}

/** In order, since transactions take their instant before they wait for the budget. */
function counted(failures: readonly Date[], now: Date): readonly Date[] {
  return failures
    .filter((at) => now.getTime() - at.getTime() < LONGEST_MS)
    .toSorted((a, b) => a.getTime() - b.getTime())
}
