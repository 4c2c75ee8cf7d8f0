/**
 * Takes a code for a purpose: what opens the purpose to this one session for a while.
 *
 * @module
 */

import type { AuditEvent, AuditRow } from '../audit/record.ts'
import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { ChallengeId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { FactorType, StepUpAttempt, StepUpOutcome } from '../store/contract/step-up.ts'
import { FACTOR_TYPES } from '../store/contract/step-up.ts'
import { FACTORS } from './factors.ts'
import { GUESS_RULES } from './guess-rules.ts'
import { tellOwner } from './mails.ts'
import { refusalOf, sessionEnded } from './refusal.ts'
import type { StepUpTokenClaims } from './step-up-token.ts'
import { boundTo } from './step-up-token.ts'

/** What a person gives as a second factor, as the client sent it. */
export interface GivenFactor {
  /** Defaults to `passkey` where an assertion is given, else to `totp`. */
  readonly factor?: string | undefined
  readonly code?: string | undefined
  readonly assertion?: unknown
  readonly request: RequestFacts
}

export interface VerifyStepUpInput extends GivenFactor {
  /** As the client named it. */
  readonly purpose: string
}

export interface PassedStepUp {
  readonly purpose: string
  readonly factor: FactorType
  /** Until then the purpose is open to this session. */
  readonly expiresAt: Date
}

/** How long a session whose risk was seen may take from its step-up to the refresh that it waited for. */
const RISK_WINDOW_MS = 10 * 60_000

/**
 * Judges a code by the person's factor and opens the purpose to the caller's session. Success and failure alike are audited
 * before this returns or throws.
 *
 * @throws SallyportError `INVALID_REQUEST` for a purpose or factor that there is not, `INVALID_OTP`, `TOTP_NOT_ENABLED`,
 * `NO_FACTOR`, `RATE_LIMITED` with `retryAfter`, `FORBIDDEN` under impersonation, `SESSION_REVOKED` when it ended meanwhile.
 */
export async function verifyStepUp(engine: Engine, caller: Caller, input: VerifyStepUpInput): Promise<PassedStepUp> {
  const proof = proofOf(engine, caller.userId, input.purpose, input)
  const rule = engine.settings.stepUpPurposes.find(input.purpose)
  if (rule === undefined) throw invalidField('purpose', 'must be a purpose that a session can step up for')
  if (caller.kind !== 'login' || caller.realUserId !== undefined) {
    throw new SallyportError('NOT_WHILE_IMPERSONATING', 'Nobody passes a step-up on behalf of another.')
  }
  const { tenantId, userId, sessionId } = caller
  const session = { tenantId, userId, sessionId, windowMs: rule.windowMs, trust: trustOf(engine) }
  return attempt(engine, actor(caller), session, input, proof)
}

/**
 * Judges a code for a session that waits since its risk was seen, and ends its wait. What it opens is the refresh of the very
 * token that was presented, from the device that presented it: both come from the step-up token and are kept with the step-up.
 *
 * @throws SallyportError as {@link verifyStepUp} does; `INVALID_REQUEST` for every purpose but `session_risk`, and
 * `INVALID_TOKEN` for the token of a sign-in.
 */
export async function verifyRiskStepUp(
  engine: Engine,
  claims: StepUpTokenClaims,
  input: VerifyStepUpInput,
): Promise<PassedStepUp> {
  const { sid: sessionId, presented, sub: userId, tenant_id: tenantId } = claims
  if (sessionId === undefined || presented === undefined) {
    throw new SallyportError('INVALID_TOKEN', 'This token is of a sign-in, which goes on at its own endpoint.')
  }
  if (input.purpose !== 'session_risk') throw invalidField('purpose', 'must be session_risk with a step-up token')
  const proof = proofOf(engine, userId, input.purpose, input)
  const facts = (await engine.live.load(tenantId, sessionId))?.facts
  if (facts === undefined || facts.userId !== userId) throw sessionEnded()
  const who = { tenantId, userId, actorName: facts.user.name, staffId: facts.staffId, sessionId }
  const waiting = { presented, device: boundTo(claims) }
  const passed = await attempt(
    engine,
    who,
    {
      tenantId,
      userId,
      sessionId,
      windowMs: RISK_WINDOW_MS,
      waiting,
      trust: trustOf(engine, claims.device === undefined ? [] : [claims.device]),
    },
    input,
    proof,
  )
  engine.live.forget({ kind: 'session', ref: sessionId })
  return passed
}

/** How long the device is trusted: without digests the one that the session is known by. */
function trustOf({ settings }: Pick<Engine, 'settings'>, digests?: readonly string[]): StepUpAttempt['trust'] {
  return { forMs: settings.risk.graceAfterMfaMs, digests }
}

/** What it is meant to be, where the client does not say. */
export function factorOf<Named extends string = string>({
  factor,
  assertion,
}: {
  readonly factor?: Named | undefined
  readonly assertion?: unknown
}): Named | 'totp' | 'passkey' {
  return factor ?? (assertion === undefined ? 'totp' : 'passkey')
}

/** What was given, read by the factor that it is of. */
export function proofOf(
  engine: Pick<Engine, 'secrets' | 'settings'>,
  userId: UserId,
  purpose: string,
  given: GivenFactor,
): { readonly type: FactorType; readonly proof: StepUpAttempt['proof'] } {
  const { code, assertion } = given
  const type = factorOf(given)
  if (!isFactorType(type)) throw invalidField('factor', `must be one of ${FACTOR_TYPES.join(', ')}`)
  const { field } = FACTORS[type]
  if (given[field] === undefined) throw invalidField(field, 'is required')
  const other = field === 'code' ? 'assertion' : 'code'
  if (given[other] !== undefined) throw invalidField(other, `is not given with the factor ${type}`)
  // A service without codes by mail never sends one, so that none could be right.
  if (type === 'email_code' && !engine.settings.emailCodes) {
    throw new SallyportError('NO_FACTOR', 'Codes are not sent by mail here.')
  }
  return { type, proof: FACTORS[type].proofOf(engine, { userId, purpose, code: code ?? '', assertion }) }
}

async function attempt(
  engine: Engine,
  who: Pick<AuditEvent, 'tenantId' | 'userId' | 'actorName' | 'staffId' | 'sessionId'>,
  session: Pick<StepUpAttempt, 'tenantId' | 'userId' | 'sessionId' | 'windowMs' | 'waiting' | 'trust'>,
  { purpose, factor, request }: VerifyStepUpInput,
  { type, proof }: ReturnType<typeof proofOf>,
): Promise<PassedStepUp> {
  const outcome = await engine.store.stepUp.verify(
    {
      ...session,
      challengeId: newId<ChallengeId>(),
      purpose,
      proof,
      guesses: GUESS_RULES,
      ipAddress: request.ipAddress ?? null,
      userAgent: request.userAgent ?? null,
    },
    (result, now) => attemptRows(result, now, who, { purpose, type, asked: factor, request }),
  )
  // What a person is shown of their factors is remembered by this node.
  engine.live.forget({ kind: 'user', ref: session.userId })
  if (outcome.kind === 'verified') return { purpose, factor: type, expiresAt: outcome.expiresAt }
  throw refusedAttempt(engine, session, outcome, { type, asked: factor, request })
}

/** The row that names an attempt, and the one of the factor that it may have disabled. */
export function attemptRows(
  result: StepUpOutcome,
  now: Date,
  who: Pick<AuditEvent, 'tenantId' | 'userId' | 'actorName' | 'staffId' | 'sessionId' | 'realUserId'>,
  { purpose, type, asked, request }: Asked & { readonly purpose: string },
): readonly AuditRow[] {
  const common: AuditEvent = {
    ...who,
    action: 'STEP_UP_VERIFIED',
    resource: 'step_up',
    metadata: { purpose, factor: type, ...detailOf(result) },
    request,
  }
  if (result.kind === 'verified') return [auditRow(common, now)]
  const failed = auditRow({ ...common, outcome: 'FAIL', failureReason: codeOf(result, type, asked) }, now)
  if (result.kind !== 'wrong' || result.disabled === null) return [failed]
  const disabled: AuditEvent = {
    ...who,
    action: 'MFA_DISABLED',
    resource: 'mfa_factor',
    metadata: { factor: type, reason: 'too_many_wrong_guesses' },
    request,
  }
  return [failed, auditRow(disabled, now)]
}

/** What an attempt asked for. */
interface Asked {
  readonly type: FactorType
  /** As the client named it, where it did. */
  readonly asked: string | undefined
  readonly request: RequestFacts
}

/** The answer to an attempt that failed and has been recorded. Tells the owner of a factor that it disabled. */
export function refusedAttempt(
  engine: Engine,
  of: { readonly tenantId: TenantId; readonly userId: UserId },
  outcome: Refused,
  { type, asked, request }: Asked,
): SallyportError {
  if (outcome.kind === 'wrong' && outcome.disabled !== null) {
    tellOwner(engine, of, outcome.disabled, { change: 'locked', factor: FACTORS[type].named, request })
  }
  return failureRecorded(refused(outcome, type, asked))
}

type Refused = Exclude<StepUpOutcome, { readonly kind: 'verified' }>

function refused(outcome: Refused, type: FactorType, asked: string | undefined): SallyportError {
  const code = codeOf(outcome, type, asked)
  switch (outcome.kind) {
    case 'wrong':
    case 'blocked':
      return refusalOf(outcome)
    case 'session-ended':
      return sessionEnded()
    case 'too-weak':
      return new SallyportError(code, 'A code by mail does not open this. Use another factor.')
    case 'disabled':
      return new SallyportError(code, `The ${FACTORS[type].named} was disabled after too many wrong codes.`)
    case 'not-enrolled':
      return new SallyportError(code, `There is no ${FACTORS[type].named} on this account.`, {
        ...(!outcome.others && { facts: { factors: [] } }),
      })
  }
}

/** `TOTP_NOT_ENABLED` is the answer to one who asked for that factor, or has another to turn to. */
function codeOf(outcome: Refused, type: FactorType, asked: string | undefined): SallyportError['code'] {
  switch (outcome.kind) {
    case 'wrong':
      return 'INVALID_OTP'
    case 'blocked':
      return 'RATE_LIMITED'
    case 'session-ended':
      return 'SESSION_REVOKED'
    case 'disabled':
    case 'too-weak':
      return FACTORS[type].missing
    case 'not-enrolled':
      return asked === undefined && !outcome.others ? 'NO_FACTOR' : FACTORS[type].missing
  }
}

function detailOf(outcome: StepUpOutcome): Readonly<Record<string, unknown>> {
  if (outcome.kind !== 'verified') return {}
  return {
    ...(outcome.factorId !== null && { factorId: outcome.factorId }),
    ...(outcome.recoveryCodesLeft !== null && { unusedLeft: outcome.recoveryCodesLeft }),
    until: outcome.expiresAt.toISOString(),
  }
}

function isFactorType(value: string): value is FactorType {
  return (FACTOR_TYPES as readonly string[]).includes(value)
}
