/**
 * Takes the second factor of a sign-in that waits, and starts its session.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import { auditRow } from '../audit/record.ts'
import type { SignedIn } from '../directory/signed-in.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { enforceIpRulesAgain, watchAddress } from '../ip-rules/enforce.ts'
import { recorded, withRapid } from '../risk/judge.ts'
import { newDevice } from '../risk/signals/new-device.ts'
import { stopSignIn } from '../risk/stop-sign-in.ts'
import type { PreparedSession } from '../sessions/create.ts'
import { admitSignIn, prepareSession } from '../sessions/create.ts'
import { sessionLimitsOf } from '../sessions/limits.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { FACTORS } from './factors.ts'
import { GUESS_RULES } from './guess-rules.ts'
import type { SignInWish } from './hold-sign-in.ts'
import { readStepUpToken } from './step-up-token.ts'
import type { GivenFactor } from './verify.ts'
import { attemptRows, proofOf, refusedAttempt } from './verify.ts'

const PURPOSE = 'sign_in'

export interface CompleteSignInInput extends GivenFactor {
  readonly stepUpToken: string
  /** Called before a session is made whose tokens travel as a cookie: what it throws refuses that, and uses nothing up. */
  readonly beforeCookie?: (() => void) | undefined
}

/**
 * Starts the session that the sign-in asked for, with the factor among its methods. A sign-in is completed once: of parallel calls
 * one gets a session, and the others spend no code.
 *
 * @throws SallyportError `INVALID_TOKEN` for a token that is none, or whose sign-in is over; `TOKEN_EXPIRED`; else as a step-up:
 * `INVALID_OTP`, `TOTP_NOT_ENABLED`, `NO_FACTOR`, `RATE_LIMITED`; `INVALID_CREDENTIALS` for a member disabled meanwhile.
 */
export async function completeSignIn(engine: Engine, input: CompleteSignInInput): Promise<SignedIn> {
  const { request, factor } = input
  const claims = await readStepUpToken(engine, input.stepUpToken)
  const { sub: userId, tenant_id: tenantId, sign_in: signInId } = claims
  if (signInId === undefined) throw over('This token is of a session, which goes on at its own endpoint.')
  const { type, proof } = proofOf(engine, userId, PURPOSE, input)
  const account = await engine.store.directory.account({ userId })
  const place = account?.memberships.find(({ tenant }) => tenant.id === tenantId)
  if (account === undefined || place === undefined) throw over('This sign-in is over. Begin again.')

  const { amr } = FACTORS[type]
  const who = { tenantId, userId, actorName: account.user.name, staffId: place.staff.id }
  const admitted = await admitSignIn(engine, { ...who, request }, enforceIpRulesAgain)
  const held = await limitsOf(engine, tenantId)
  const from = await engine.places.of(request)
  let prepared: PreparedSession | undefined
  const outcome = await engine.store.stepUp.completeSignIn(
    {
      tenantId,
      userId,
      signInId,
      challengeId: newId<ChallengeId>(),
      purpose: PURPOSE,
      windowMs: 0,
      proof,
      guesses: GUESS_RULES,
      ipAddress: request.ipAddress ?? null,
      userAgent: request.userAgent ?? null,
      trust: { forMs: engine.settings.risk.graceAfterMfaMs },
      sessionFor(waiting) {
        const wish = waiting.wish as SignInWish
        if (wish.delivery === 'cookie') input.beforeCookie?.()
        prepared = prepareSession(
          engine,
          {
            tenantId,
            userId,
            staffId: waiting.staffId,
            userName: account.user.name,
            amr: [...wish.proof.amr, amr],
            // The device is the one that gave the password; where from, is where the factor came from.
            request: { ...request, deviceFingerprint: wish.deviceFingerprint, deviceInfo: wish.deviceInfo },
            delivery: wish.delivery,
            binding: wish.binding,
            deviceCookieHash: wish.deviceCookieHash,
            place: from,
            limits: sessionLimitsOf(engine.settings, held, true),
            cause: {
              action: 'AUTH_LOGIN',
              resource: 'user',
              resourceId: userId,
              metadata: { ...wish.proof.metadata, factor: type, ...recorded(wish) },
            },
          },
          admitted,
        )
        return prepared.stored
      },
    },
    (result, now) => {
      if (result.kind === 'not-enabled') {
        const failureReason = 'INVALID_CREDENTIALS'
        return [auditRow({ ...who, action: 'AUTH_LOGIN_FAILED', outcome: 'FAIL', failureReason, request }, now)]
      }
      if (result.kind === 'session-ended') {
        const failureReason = 'INVALID_TOKEN'
        return [auditRow({ ...who, action: 'AUTH_LOGIN_FAILED', outcome: 'FAIL', failureReason, request }, now)]
      }
      // The stop writes its own.
      if (result.kind === 'rapid') return []
      const asked = { purpose: PURPOSE, type, asked: factor, request }
      if (result.kind !== 'verified') return attemptRows(result, now, who, asked)
      return [
        ...(prepared?.rows(now) ?? []),
        ...attemptRows(result, now, { ...who, sessionId: result.session.id }, asked),
      ]
    },
  )
  switch (outcome.kind) {
    case 'verified':
      if (prepared === undefined) throw new TypeError('step-up: a session that was not prepared')
      await tellOf(engine, who, request, outcome.waited.wish as SignInWish)
      return {
        member: { user: account.user, tenant: place.tenant, staff: place.staff },
        issued: await prepared.issue(outcome.session),
      }
    case 'not-enabled':
      throw failureRecorded(new SallyportError('INVALID_CREDENTIALS', 'email or password is wrong'))
    case 'rapid':
      throw await stopSignIn(engine, {
        member: { user: account.user, tenant: place.tenant, staff: place.staff },
        request,
        place: from,
        judged: withRapid(outcome.waited.wish as SignInWish, { sessions: outcome.sessions }),
        reason: 'rapid_token_creation',
      })
    case 'session-ended':
      throw failureRecorded(over('This sign-in is over. Begin again.'))
    default:
      throw refusedAttempt(engine, { tenantId, userId }, outcome, { type, asked: factor, request })
  }
}

/** Tells the person of a device that is new, and a tenant that only watches of an address that the password did not come from. */
async function tellOf(
  engine: Engine,
  {
    tenantId,
    ...who
  }: {
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly staffId: StaffId
    readonly actorName: string
  },
  request: RequestFacts,
  { reasons, ipAddress }: SignInWish,
): Promise<void> {
  const { userId } = who
  if (reasons.includes(newDevice.name)) void alert(engine, { alert: 'new_device', tenantId, userId, request })
  if (ipAddress !== request.ipAddress) await watchAddress(engine, { tenantId, request, at: 'sign-in', who })
}

function over(message: string): SallyportError {
  return new SallyportError('INVALID_TOKEN', message)
}
