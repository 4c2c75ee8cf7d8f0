/**
 * `MANY_ACTIVE_SESSIONS`: more live sessions than people commonly have. Silent while a second factor was just given: somebody signs
 * in on several devices one after another.
 *
 * @module
 */

import type { Signal } from '../facts.ts'

export const manyActiveSessions: Signal = {
  name: 'MANY_ACTIVE_SESSIONS',
  points: 20,
  soft: true,
  find({ liveSessions, recentMfa, thresholds: { manySessions } }) {
    if (recentMfa || liveSessions < manySessions) return undefined
    return { evidence: { liveSessions } }
  },
}
