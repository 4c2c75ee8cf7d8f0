/**
 * Starts the session of a sign-in that was proven, by a password or by the host: scored first, and within the limits.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { assertNever } from '../internal/assert-never.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import { recorded, withRapid } from '../risk/judge.ts'
import type { JudgedSignIn } from '../risk/judge-sign-in.ts'
import { judgeSignIn, SESSION_LIMIT } from '../risk/judge-sign-in.ts'
import { newDevice } from '../risk/signals/new-device.ts'
import { stopSignIn } from '../risk/stop-sign-in.ts'
import { isStrong } from '../sessions/acr.ts'
import type { IssuedSession } from '../sessions/issued.ts'
import type { SignInProof, SignInRisk } from '../step-up/hold-sign-in.ts'
import { holdSignIn } from '../step-up/hold-sign-in.ts'
import type { Member } from '../store/contract/directory.ts'
import type { SessionWish } from './signed-in.ts'
import { startSessionWithin } from './signed-in.ts'

/**
 * Nothing is issued before the score is known, and the session is made within the limits, which count parallel sign-ins too. A second
 * factor among the methods is the answer to what a score or the cap would ask for; to a stop there is none.
 *
 * @returns `undefined` when the member, the user or the tenant is not enabled at this moment.
 * @throws SallyportError `STEP_UP_REQUIRED` with what the sign-in goes on with; `SESSION_BLOCKED`, `SESSION_LIMIT`, `UNAVAILABLE`.
 */
export async function startJudged(
  engine: Engine,
  member: Member,
  wish: SessionWish,
  proof: SignInProof,
): Promise<IssuedSession | undefined> {
  const { settings } = engine
  const { request } = wish
  const who = { tenantId: member.tenant.id, userId: member.user.id, staffId: member.staff.id }
  const judged = await judgeSignIn(engine, who, request)
  const { score, reasons, signals, wouldBe, place, deviceTrusted } = judged
  const stop = { member, request, place, judged }
  if (judged.decision === 'rapid') throw await stopSignIn(engine, { ...stop, reason: 'rapid_token_creation' })
  if (judged.decision === 'block') throw await stopSignIn(engine, { ...stop, reason: 'high_risk_activity' })
  const asked = judged.decision === 'step-up'
  const asksAtCap = settings.sessionLimit.policy === 'step-up'
  if (!isStrong(proof.amr)) {
    if (asksAtCap && judged.overCap) await holdSignIn(engine, member, wish, proof, atCap(judged))
    const risk = { score, reasons, signals, wouldBe, stepUp: asked, deviceTrusted, place }
    await holdSignIn(engine, member, wish, proof, risk)
  }

  const start = await startSessionWithin(engine, member, wish, {
    amr: proof.amr,
    metadata: { ...proof.metadata, ...recorded(judged) },
    place,
  })
  switch (start.kind) {
    case 'started':
      if (reasons.includes(newDevice.name)) void alert(engine, { ...who, alert: 'new_device', request })
      return start.issued
    case 'not-enabled':
      return undefined
    case 'rapid': {
      const rapid = withRapid(judged, { sessions: start.sessions })
      throw await stopSignIn(engine, { ...stop, judged: rapid, reason: 'rapid_token_creation' })
    }
    case 'over-cap':
      // Taken up by sign-ins beside this one.
      if (asksAtCap) await holdSignIn(engine, member, wish, proof, atCap(judged))
      throw await refusedAtCap(engine, member, wish, proof, start.sessions)
    default:
      return assertNever(start)
  }
}

/** A step-up that the cap asks for, with whatever the score says beside it. */
function atCap({ score, reasons, signals, wouldBe, deviceTrusted, place }: JudgedSignIn): SignInRisk {
  return { score, reasons: [SESSION_LIMIT, ...reasons], signals, wouldBe, stepUp: true, deviceTrusted, place }
}

async function refusedAtCap(
  engine: Engine,
  { tenant, user, staff }: Member,
  { request }: SessionWish,
  { metadata }: SignInProof,
  sessions: number,
): Promise<SallyportError> {
  await engine.store.audit.append([
    auditRow(
      {
        tenantId: tenant.id,
        userId: user.id,
        actorName: user.name,
        staffId: staff.id,
        action: 'AUTH_LOGIN_FAILED',
        outcome: 'FAIL',
        failureReason: 'SESSION_LIMIT',
        resource: 'user',
        resourceId: user.id,
        metadata: { ...metadata, sessions },
        request,
      },
      engine.live.date(),
    ),
  ])
  return failureRecorded(
    new SallyportError('SESSION_LIMIT', 'you have as many sessions as you may; end one and try again'),
  )
}
