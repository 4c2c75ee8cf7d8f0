/**
 * Asks for the password again within a session, no more often than a factor may be guessed at.
 *
 * @module
 */

import { provePassword } from '../directory/prove-password.ts'
import type { Engine } from '../engine.ts'
import type { Caller } from '../sessions/caller.ts'
import { GUESS_RULES } from './guess-rules.ts'
import { refusalOf, sessionEnded } from './refusal.ts'

/**
 * Resolves to the account when the password is the caller's. Wrong ones count in a budget of their own, or a stolen session would
 * be a place to guess the password without the limits of signing in.
 *
 * @throws SallyportError `INVALID_CREDENTIALS`, `RATE_LIMITED` with `retryAfter`, `SESSION_REVOKED`.
 */
export async function reauthenticate(
  engine: Pick<Engine, 'store'>,
  caller: Caller,
  password: string,
): ReturnType<typeof provePassword> {
  const { stepUp } = engine.store
  const { tenantId, userId, sessionId } = caller
  const kept = { userId, guessed: 'password', guesses: GUESS_RULES } as const
  // Taken before the hash is computed, which takes too long for a lock: parallel guesses get no more tries than those in a row.
  const guess = await stepUp.takeGuess({ ...kept, tenantId, sessionId })
  if (guess.kind === 'session-ended') throw sessionEnded()
  if (guess.kind === 'blocked') throw refusalOf(guess)
  const account = await provePassword(engine, userId, password)
  await stepUp.returnGuess({ ...kept, takenAt: guess.at })
  return account
}
