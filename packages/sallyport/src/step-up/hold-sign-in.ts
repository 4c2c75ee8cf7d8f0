/**
 * Holds a sign-in whose password was right until a second factor is given.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import type { SessionWish } from '../directory/signed-in.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { ChallengeId } from '../ids.ts'
import { newId } from '../ids.ts'
import { deviceName } from '../internal/device-digest.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { Reason } from '../risk/assess.ts'
import { presentedDevice } from '../risk/device.ts'
import type { Place } from '../risk/facts.ts'
import type { Judgement } from '../risk/judge.ts'
import { recorded } from '../risk/judge.ts'
import type { Member } from '../store/contract/directory.ts'
import type { FactorsOfUser } from './factors-of.ts'
import { factorsFor } from './factors-of.ts'
import { issueStepUpToken, STEP_UP_TOKEN_TTL_MS } from './step-up-token.ts'

/** What the risk of a sign-in came to. */
export interface SignInRisk {
  readonly score: number
  readonly reasons: readonly string[]
  /** The reasons with their points and what they were seen in. */
  readonly signals?: readonly Reason[] | undefined
  /** In monitor mode, what the score would have done. */
  readonly wouldBe?: Judgement['wouldBe']
  /** Whether the score alone asks for a second factor, whatever `mfa.atSignIn` says. */
  readonly stepUp: boolean
  /** A device that has passed a second factor before and is trusted since. */
  readonly deviceTrusted: boolean
  /** Where it came from; unknown where no score was computed. */
  readonly place?: Pick<Place, 'country' | 'city'> | undefined
}

/** How somebody has shown who they are. */
export interface SignInProof {
  /** The methods (RFC 8176). */
  readonly amr: readonly string[]
  /** What the audit row says of them. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** What is kept of a sign-in until its session is made; JSON. */
export interface SignInWish {
  readonly delivery?: SessionWish['delivery']
  readonly binding?: SessionWish['binding']
  readonly deviceCookieHash?: string | undefined
  readonly deviceFingerprint?: string | undefined
  readonly deviceInfo?: Readonly<Record<string, unknown>> | undefined
  /** Where the password came from. */
  readonly ipAddress?: string | undefined
  readonly score: number
  readonly reasons: readonly string[]
  readonly signals: readonly Reason[]
  readonly proof: SignInProof
}

/**
 * Resolves where no second factor is asked for. Else nothing is issued: the sign-in is kept, and the refusal carries the token that
 * it goes on with.
 *
 * @throws SallyportError `STEP_UP_REQUIRED` with `purpose`, `factors`, `stepUpToken`, `score` and `reasons`; `SESSION_BLOCKED` with
 * the reason `no_factor` where the person has none that would do.
 */
export async function holdSignIn(
  engine: Engine,
  member: Member,
  { request, delivery, binding, deviceCookieHash }: SessionWish,
  proof: SignInProof,
  risk: SignInRisk,
): Promise<void> {
  const [tenantId, userId] = [member.tenant.id, member.user.id]
  const factors = await factorsFor(engine, { tenantId, userId }, 'sign_in')
  if (!isAsked(engine, factors, risk)) return

  const { score, reasons, signals = [] } = risk
  const event = {
    tenantId,
    userId,
    actorName: member.user.name,
    staffId: member.staff.id,
    resource: 'user',
    resourceId: userId,
    country: risk.place?.country,
    city: risk.place?.city,
    outcome: 'FAIL',
    metadata: {
      purpose: 'sign_in',
      factors: factors.usable,
      ...recorded({ ...risk, signals }),
      ...(risk.stepUp && { level: 'elevated' }),
    },
    request,
  } as const
  if (factors.usable.length === 0) {
    await engine.store.audit.append([
      auditRow(
        {
          ...event,
          action: risk.stepUp ? 'STEP_UP_REQUIRED' : 'AUTH_LOGIN_FAILED',
          failureReason: 'SESSION_BLOCKED',
        },
        engine.live.date(),
      ),
    ])
    throw failureRecorded(
      new SallyportError('SESSION_BLOCKED', 'This sign-in needs a second factor, and there is none that would do.', {
        facts: { reason: 'no_factor', score, reasons },
      }),
    )
  }

  const signInId = newId<ChallengeId>()
  const wish: SignInWish = {
    delivery,
    binding,
    deviceCookieHash: deviceCookieHash ?? request.deviceCookieHash,
    deviceFingerprint: request.deviceFingerprint,
    deviceInfo: request.deviceInfo,
    ipAddress: request.ipAddress,
    score,
    reasons,
    signals,
    proof,
  }
  await engine.store.stepUp.holdSignIn(
    { id: signInId, tenantId, userId, staffId: member.staff.id, wish, ttlMs: STEP_UP_TOKEN_TTL_MS },
    (_none, now) => [auditRow({ ...event, action: 'STEP_UP_REQUIRED', failureReason: 'STEP_UP_REQUIRED' }, now)],
  )
  const stepUpToken = issueStepUpToken(engine, {
    tenantId,
    userId,
    target: { purpose: 'sign_in', signInId },
    device: deviceName(presentedDevice(request)),
  })
  throw failureRecorded(
    new SallyportError('STEP_UP_REQUIRED', 'This sign-in needs a second factor.', {
      facts: { purpose: 'sign_in', factors: factors.usable, stepUpToken, score, reasons },
    }),
  )
}

function isAsked({ settings }: Pick<Engine, 'settings'>, { enrolled }: FactorsOfUser, risk: SignInRisk): boolean {
  if (risk.stepUp) return true
  switch (settings.mfaAtSignIn) {
    case 'always':
      return true
    case 'enrolled':
      return enrolled.length > 0 && !risk.deviceTrusted
    case 'risk':
      return false
  }
}
