/**
 * The limits that a sign-in's session is held to, from the settings.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { SessionLimits } from '../store/contract/sessions.ts'

/**
 * @param idleMs Of the tenant: a session that is over by its own limit takes up no place.
 * @param secondFactorGiven Whether one was just given: then the cap is suspended. The hard stop never is.
 */
export function sessionLimitsOf(
  { risk, sessionLimit }: Pick<Settings, 'risk' | 'sessionLimit'>,
  { idleMs }: Pick<Settings, 'idleMs'>,
  secondFactorGiven = false,
): SessionLimits {
  const { rapidSessions, rapidWindowMs } = risk.thresholds
  const { max, policy } = sessionLimit
  return {
    idleMs,
    rapid:
      risk.mode === 'enforce' && rapidSessions > 0 ? { sessions: rapidSessions, windowMs: rapidWindowMs } : undefined,
    cap:
      max === undefined || secondFactorGiven
        ? undefined
        : { max, evict: policy === 'evict-oldest', graceMs: risk.graceAfterMfaMs },
  }
}
