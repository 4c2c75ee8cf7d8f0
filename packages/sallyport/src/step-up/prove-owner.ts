/**
 * Proves who enrols a factor, for every kind of it: a stolen session must not be able to plant one of its own.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import type { EnrolledType, EnrolmentProof, Unproven } from '../store/contract/step-up.ts'
import { reauthenticate } from './reauthenticate.ts'
import { sessionEnded } from './refusal.ts'
import { requireStepUp } from './require.ts'

/** How young a sign-in must be to stand in for the password. */
const SIGN_IN_WITHIN_MS = 10 * 60_000

/**
 * The first factor asks for the password again or a sign-in within ten minutes; a further one for the step-up `security_settings`.
 * The write holds what is returned against the factors and the session as they are then.
 *
 * @param given.password Not looked at where a factor is enrolled already.
 * @param given.onlyOne A kind of which there is one: where it is enrolled nothing is asked, since the write refuses it.
 * @throws SallyportError `STEP_UP_REQUIRED`; `INVALID_CREDENTIALS` or `RATE_LIMITED` for a password that is wrong.
 */
export async function proveOwner(
  engine: Pick<Engine, 'store' | 'settings'>,
  caller: Caller,
  given: { readonly password?: string | undefined; readonly onlyOne?: EnrolledType },
): Promise<EnrolmentProof> {
  const { enrolled } = await engine.store.stepUp.factors(caller.userId)
  const steppedUp = enrolled.length > 0
  const there = enrolled.some(({ type }) => type === given.onlyOne)
  if (steppedUp && !there) await requireStepUp(engine, caller, 'security_settings')
  const password = steppedUp ? undefined : given.password
  if (password !== undefined) await reauthenticate(engine, caller, password)
  return { passwordProven: password !== undefined, steppedUp, signInWithinMs: SIGN_IN_WITHIN_MS }
}

/** The code that the audit row keeps of it. */
export function unprovenCode({ kind }: Unproven): ErrorCode {
  switch (kind) {
    case 'sign-in-too-old':
      return 'INVALID_REQUEST'
    case 'step-up-required':
      return 'STEP_UP_REQUIRED'
    case 'session-ended':
      return 'SESSION_REVOKED'
  }
}

/** The same for the person. */
export function unprovenError({ kind }: Unproven): SallyportError {
  switch (kind) {
    case 'sign-in-too-old':
      return invalidField('password', 'is required, since the sign-in is more than 10 minutes old')
    case 'step-up-required':
      return new SallyportError('STEP_UP_REQUIRED', 'This needs a second factor, given for this purpose.', {
        facts: { purpose: 'security_settings' },
      })
    case 'session-ended':
      return sessionEnded()
  }
}
