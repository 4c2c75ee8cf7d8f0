/**
 * The limits that a sign-in's session is held to, from the settings.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { LiveLimits, SessionLimits } from '../store/contract/sessions.ts'

/**
 * @param live Of the tenant: a session that is over by its limits takes up no place.
 * @param secondFactorGiven Whether one was just given: then the cap is suspended. The hard stop never is.
 */
export function sessionLimitsOf(
  { risk, sessionLimit }: Pick<Settings, 'risk' | 'sessionLimit'>,
  { idleMs, maxSessionLifeMs }: LiveLimits,
  secondFactorGiven = false,
): SessionLimits {
  const { rapidSessions, rapidWindowMs } = risk.thresholds
  const { max, policy } = sessionLimit
  return {
    idleMs,
    maxSessionLifeMs,
    rapid:
      risk.mode === 'enforce' && rapidSessions > 0 ? { sessions: rapidSessions, windowMs: rapidWindowMs } : undefined,
    cap:
      max === undefined || secondFactorGiven
        ? undefined
        : { max, evict: policy === 'evict-oldest', graceMs: risk.graceAfterMfaMs },
  }
}
