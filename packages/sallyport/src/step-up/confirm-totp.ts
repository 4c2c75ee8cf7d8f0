/**
 * Ends the enrolment of an authenticator app: a code shows that the app has the secret.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import type { FactorId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { TotpConfirmOutcome } from '../store/contract/step-up.ts'
import { newRecoveryCodes } from './factors/recovery-code.ts'
import { totp, totpStepOf } from './factors/totp.ts'
import { GUESS_RULES } from './guess-rules.ts'
import { tellOwner } from './mails.ts'
import { refusalOf, sessionEnded } from './refusal.ts'

export interface ConfirmTotpInput {
  readonly factorId: FactorId
  readonly code: string
  readonly request: RequestFacts
}

/**
 * Makes a begun authenticator app a factor, tells its owner, and returns new recovery codes: shown now and never again. The code
 * is spent by this; a step-up needs the next one.
 *
 * @throws SallyportError `INVALID_OTP`, `RATE_LIMITED` (wrong codes count in the same budget as those of step-ups),
 * `ALREADY_ENROLLED`, `NOT_FOUND` for an enrolment that was not begun by this person or was replaced since.
 */
export async function confirmTotp(
  engine: Engine,
  caller: Caller,
  { factorId, code, request }: ConfirmTotpInput,
): Promise<readonly string[]> {
  const recovery = newRecoveryCodes()
  const outcome = await engine.store.stepUp.confirmTotp(
    {
      tenantId: caller.tenantId,
      userId: caller.userId,
      sessionId: caller.sessionId,
      factorId,
      stepOf: totpStepOf(engine.secrets, caller.userId, code),
      guesses: GUESS_RULES,
      recoveryCodeHashes: recovery.hashes,
    },
    (result, now) => {
      const event: AuditEvent = {
        ...actor(caller),
        action: 'MFA_ENROLLED',
        resource: 'mfa_factor',
        resourceId: factorId,
        metadata: { factor: 'totp' },
        request,
      }
      if (result.kind === 'confirmed') return [auditRow(event, now)]
      return [auditRow({ ...event, outcome: 'FAIL', failureReason: codeOf(result) }, now)]
    },
  )
  if (outcome.kind !== 'confirmed') throw failureRecorded(refused(outcome))
  engine.live.forget({ kind: 'user', ref: caller.userId })
  tellOwner(engine, caller, outcome.owner, { change: 'enrolled', factor: totp.named, request })
  return recovery.codes
}

type Refused = Exclude<TotpConfirmOutcome, { readonly kind: 'confirmed' }>

function codeOf({ kind }: Refused): ErrorCode {
  switch (kind) {
    case 'wrong':
      return 'INVALID_OTP'
    case 'blocked':
      return 'RATE_LIMITED'
    case 'already-enrolled':
      return 'ALREADY_ENROLLED'
    case 'unknown':
      return 'NOT_FOUND'
    case 'session-ended':
      return 'SESSION_REVOKED'
  }
}

function refused(outcome: Refused): SallyportError {
  switch (outcome.kind) {
    case 'wrong':
    case 'blocked':
      return refusalOf(outcome)
    case 'already-enrolled':
      return new SallyportError('ALREADY_ENROLLED', 'This account has an authenticator app already.')
    case 'unknown':
      return new SallyportError('NOT_FOUND', 'There is no such enrolment. Begin again.')
    case 'session-ended':
      return sessionEnded()
  }
}
