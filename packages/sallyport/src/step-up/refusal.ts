/**
 * The refusals that more than one operation on factors gives, each said once.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'
import type { RefusedGuess } from '../store/contract/step-up.ts'

/** The answer to a wrong code, and to one that was not looked at. */
export function refusalOf(guess: RefusedGuess): SallyportError {
  if (guess.kind === 'wrong') return new SallyportError('INVALID_OTP', 'The code is not right, or was used before.')
  return new SallyportError('RATE_LIMITED', 'Too many wrong tries. Wait before the next one.', {
    facts: { retryAfter: Math.ceil(guess.retryAfterMs / 1000), limitName: 'guesses' },
  })
}

/** The answer where the session was ended beside the request. */
export function sessionEnded(): SallyportError {
  return new SallyportError('SESSION_REVOKED', 'This session has ended.')
}
