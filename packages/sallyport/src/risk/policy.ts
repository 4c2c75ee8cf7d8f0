/**
 * Turns a score into what is done. Thresholds live here and nowhere else.
 *
 * @module
 */

/** What is done with a sign-in or a refresh. */
export type Decision = 'pass' | 'step-up' | 'block'

export interface RiskPolicy {
  /** From this score on a step-up is asked for. Defaults to 60. */
  readonly stepUpAt: number
  /** From this score on the request is stopped. Defaults to 90. */
  readonly blockAt: number
}

export function decide(score: number, { stepUpAt, blockAt }: RiskPolicy): Decision {
  if (score >= blockAt) return 'block'
  return score >= stepUpAt ? 'step-up' : 'pass'
}
