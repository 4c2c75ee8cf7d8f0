/**
 * `RAPID_TOKEN_CREATION`: sessions are being made faster than a person makes them. A hard stop and no score: no step-up is offered.
 *
 * @module
 */

import type { Finding, RiskFacts } from '../facts.ts'

export const RAPID_TOKEN_CREATION = 'RAPID_TOKEN_CREATION'

/** Whether the stop applies. */
export function rapidTokenCreation({ youngSessions, thresholds }: RiskFacts): Finding | undefined {
  const { rapidSessions } = thresholds
  if (rapidSessions === 0 || youngSessions <= rapidSessions) return undefined
  return { evidence: { sessions: youngSessions } }
}
