/**
 * Sends a code by mail, for those who have no better factor.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import { sendMail } from '../directory/send-mail.ts'
import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { EmailCodeOutcome } from '../store/contract/step-up.ts'
import type { SteppingUp } from './actor.ts'
import { actingFor } from './actor.ts'
import {
  EMAIL_CODE_TTL_MS,
  EMAIL_CODES_AT_MOST,
  emailCodeHash,
  newEmailCode,
  onlyWithoutEnrolled,
} from './factors/email-code.ts'
import { GUESS_RULES } from './guess-rules.ts'
import { emailCodeMail } from './mails.ts'
import { sessionEnded } from './refusal.ts'

/**
 * Keeps the hash of a new code for one purpose of this one session or sign-in, voids the person's older one for that purpose, and
 * sends it. Three mails in a quarter of an hour at most, whoever asks.
 *
 * @throws SallyportError `NO_FACTOR` where the purpose asks for more than a code by mail, or none can be sent; `RATE_LIMITED` with
 * `retryAfter`; `INVALID_REQUEST`, `FORBIDDEN`, `SESSION_REVOKED` or `INVALID_TOKEN` as for a step-up.
 */
export async function sendEmailCode(
  engine: Engine,
  by: SteppingUp,
  { purpose, request }: { readonly purpose: string; readonly request: RequestFacts },
): Promise<void> {
  const { actor, who } = actingFor(engine.settings, by, purpose)
  const event: AuditEvent = {
    ...who,
    action: 'STEP_UP_CODE_SENT',
    resource: 'step_up',
    metadata: { purpose, factor: 'email_code' },
    request,
  }
  const overCode = 'caller' in by ? 'SESSION_REVOKED' : 'INVALID_TOKEN'
  if (!engine.settings.emailCodes) {
    await engine.store.audit.append([
      auditRow({ ...event, outcome: 'FAIL', failureReason: 'NO_FACTOR' }, engine.live.date()),
    ])
    throw failureRecorded(new SallyportError('NO_FACTOR', 'Codes are not sent by mail here.'))
  }
  const challengeId = newId<ChallengeId>()
  const code = newEmailCode()
  const outcome = await engine.store.stepUp.keepEmailCode(
    {
      ...actor,
      challengeId,
      purpose,
      codeHash: emailCodeHash(engine.secrets, challengeId, code),
      ttlMs: EMAIL_CODE_TTL_MS,
      ...EMAIL_CODES_AT_MOST,
      onlyWithoutEnrolled: onlyWithoutEnrolled(purpose),
      guesses: GUESS_RULES,
    },
    (result, now) => {
      if (result.kind === 'kept') return [auditRow(event, now)]
      return [auditRow({ ...event, outcome: 'FAIL', failureReason: codeOf(result, overCode) }, now)]
    },
  )
  if (outcome.kind !== 'kept') throw failureRecorded(refused(outcome, overCode))
  if (outcome.owner.email !== null) sendMail(engine, emailCodeMail(outcome.owner.email, code))
}

type Refused = Exclude<EmailCodeOutcome, { readonly kind: 'kept' }>
type Over = Extract<ErrorCode, 'SESSION_REVOKED' | 'INVALID_TOKEN'>

function codeOf({ kind }: Refused, over: Over): ErrorCode {
  switch (kind) {
    case 'stronger-enrolled':
    case 'unavailable':
      return 'NO_FACTOR'
    case 'blocked':
      return 'RATE_LIMITED'
    case 'session-ended':
      return over
  }
}

function refused(outcome: Refused, over: Over): SallyportError {
  switch (outcome.kind) {
    case 'stronger-enrolled':
      return new SallyportError('NO_FACTOR', 'A code by mail does not open this. Use the factor that is enrolled.')
    case 'unavailable':
      return new SallyportError('NO_FACTOR', 'Codes are not sent by mail to this account.')
    case 'blocked':
      return new SallyportError('RATE_LIMITED', 'Too many codes, or too many wrong ones. Wait before the next.', {
        facts: { retryAfter: Math.ceil(outcome.retryAfterMs / 1000), limitName: 'email-codes' },
      })
    case 'session-ended':
      return over === 'SESSION_REVOKED' ? sessionEnded() : new SallyportError(over, 'What this token was for is over.')
  }
}
