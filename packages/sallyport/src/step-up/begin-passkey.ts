/**
 * Starts the enrolment of a passkey: what the browser is to make one from.
 *
 * @module
 */

import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { randomBytes } from 'node:crypto'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { PasskeyBeginOutcome } from '../store/contract/step-up.ts'
import { ENROLMENT_PURPOSE, MOST_PASSKEYS, PASSKEY_TTL_MS, rpIdOf, userHandleOf } from './factors/passkey.ts'
import { proveOwner, unprovenCode, unprovenError } from './prove-owner.ts'
import { webauthn } from './factors/webauthn.ts'

const CHALLENGE_BYTES = 32

export interface BeginPasskeyInput {
  readonly request: RequestFacts
  /** Proves the person where the sign-in is too old to do so. Not looked at when a factor is enrolled already. */
  readonly password?: string | undefined
}

/**
 * Keeps a challenge for five minutes and returns the options of the ceremony. Who enrols is proven as for every factor.
 *
 * @throws SallyportError `INVALID_REQUEST` naming `password` where it is asked for, `STEP_UP_REQUIRED`, `CONFLICT` with ten
 * passkeys, and `INVALID_CREDENTIALS` or `RATE_LIMITED` for a password that is wrong.
 */
export async function beginPasskey(
  engine: Engine,
  caller: Caller,
  input: BeginPasskeyInput,
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const proof = await proveOwner(engine, caller, { password: input.password })

  const challenge = randomBytes(CHALLENGE_BYTES)
  const outcome = await engine.store.stepUp.beginPasskey(
    {
      tenantId: caller.tenantId,
      userId: caller.userId,
      sessionId: caller.sessionId,
      challengeId: newId<ChallengeId>(),
      purpose: ENROLMENT_PURPOSE,
      challenge: challenge.toString('base64url'),
      ttlMs: PASSKEY_TTL_MS,
      ...proof,
      most: MOST_PASSKEYS,
    },
    (result, now) => {
      // Beginning enrols nothing, and is recorded only where it is refused.
      if (result.kind === 'begun') return []
      return [
        auditRow(
          {
            ...actor(caller),
            action: 'MFA_ENROLLED',
            outcome: 'FAIL',
            failureReason: codeOf(result),
            resource: 'mfa_factor',
            metadata: { factor: 'passkey', stage: 'begin' },
            request: input.request,
          },
          now,
        ),
      ]
    },
  )
  if (outcome.kind !== 'begun') throw failureRecorded(refused(outcome))

  const { owner, existing } = outcome
  const { generateRegistrationOptions } = await webauthn()
  return generateRegistrationOptions({
    rpName: rpIdOf(engine.settings),
    rpID: rpIdOf(engine.settings),
    userID: userHandleOf(caller.userId),
    userName: owner.email ?? owner.name,
    userDisplayName: owner.name,
    challenge: new Uint8Array(challenge),
    timeout: PASSKEY_TTL_MS,
    // Who made the authenticator is nobody's business here, and asking for it makes browsers warn.
    attestationType: 'none',
    excludeCredentials: existing.map(({ credentialId, transports }) => ({
      id: credentialId,
      transports: [...transports] as never,
    })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  })
}

type Refused = Exclude<PasskeyBeginOutcome, { readonly kind: 'begun' }>

function codeOf(outcome: Refused): ErrorCode {
  return outcome.kind === 'too-many' ? 'CONFLICT' : unprovenCode(outcome)
}

function refused(outcome: Refused): SallyportError {
  if (outcome.kind !== 'too-many') return unprovenError(outcome)
  return new SallyportError('CONFLICT', `There are ${MOST_PASSKEYS} passkeys already. Remove one first.`, {
    facts: { reason: 'too_many_passkeys' },
  })
}
