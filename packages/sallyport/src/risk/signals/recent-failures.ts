/**
 * `RECENT_FAILURES`: somebody has been failing to sign in or to step up on this account within the last hour.
 *
 * @module
 */

import type { Signal } from '../facts.ts'

export const recentFailures: Signal = {
  name: 'RECENT_FAILURES',
  points: 15,
  soft: true,
  find({ recentFailures: failures, thresholds }) {
    return failures < thresholds.recentFailures ? undefined : { evidence: { failures } }
  },
}
