/**
 * Ends the enrolment of a passkey: what the browser made becomes a factor.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { FactorId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { PasskeyEnrolOutcome } from '../store/contract/step-up.ts'
import { ENROLMENT_PURPOSE, passkey, registrationJudge } from './factors/passkey.ts'
import { newRecoveryCodes } from './factors/recovery-code.ts'
import { tellOwner } from './mails.ts'
import { sessionEnded } from './refusal.ts'

export interface EnrolPasskeyInput {
  /** What the browser answered, as JSON. */
  readonly response: unknown
  /** As the person tells it from others. Defaults to "Passkey". */
  readonly label?: string | undefined
  readonly request: RequestFacts
}

export interface EnrolledPasskey {
  readonly factorId: FactorId
  /** New recovery codes, shown now and never again; none where the person has some already. */
  readonly recoveryCodes: readonly string[]
}

/**
 * Verifies the registration by the challenge of this session and keeps the passkey. The challenge is spent by it, whatever comes
 * of it. The owner is told.
 *
 * @throws SallyportError `INVALID_REQUEST` for a registration that does not hold, or to which no live challenge belongs;
 * `ALREADY_ENROLLED` for a passkey that somebody has.
 */
export async function enrolPasskey(
  engine: Engine,
  caller: Caller,
  { response, label = 'Passkey', request }: EnrolPasskeyInput,
): Promise<EnrolledPasskey> {
  const factorId = newId<FactorId>()
  const recovery = newRecoveryCodes()
  const outcome = await engine.store.stepUp.enrolPasskey(
    {
      tenantId: caller.tenantId,
      userId: caller.userId,
      sessionId: caller.sessionId,
      factorId,
      label,
      purpose: ENROLMENT_PURPOSE,
      judge: registrationJudge(engine, factorId, caller.userId, response),
      recoveryCodeHashes: recovery.hashes,
    },
    (result, now) => {
      const event: AuditEvent = {
        ...actor(caller),
        action: 'MFA_ENROLLED',
        resource: 'mfa_factor',
        metadata: { factor: 'passkey' },
        request,
      }
      if (result.kind === 'enrolled') return [auditRow({ ...event, resourceId: factorId }, now)]
      return [auditRow({ ...event, outcome: 'FAIL', failureReason: codeOf(result) }, now)]
    },
  )
  if (outcome.kind !== 'enrolled') throw failureRecorded(refused(outcome))
  tellOwner(engine, caller, outcome.owner, { change: 'enrolled', factor: passkey.named, request })
  return { factorId, recoveryCodes: outcome.recoveryCodesWritten ? recovery.codes : [] }
}

type Refused = Exclude<PasskeyEnrolOutcome, { readonly kind: 'enrolled' }>

function codeOf({ kind }: Refused): ErrorCode {
  switch (kind) {
    case 'no-challenge':
    case 'wrong':
      return 'INVALID_REQUEST'
    case 'already-enrolled':
      return 'ALREADY_ENROLLED'
    case 'session-ended':
      return 'SESSION_REVOKED'
  }
}

function refused(outcome: Refused): SallyportError {
  switch (outcome.kind) {
    case 'no-challenge':
      return invalidField('response', 'answers no enrolment that is underway; begin again')
    case 'wrong':
      return invalidField('response', 'does not hold; begin again')
    case 'already-enrolled':
      return new SallyportError('ALREADY_ENROLLED', 'This passkey is enrolled already.')
    case 'session-ended':
      return sessionEnded()
  }
}
