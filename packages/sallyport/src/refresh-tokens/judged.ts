/**
 * What is done with a refresh whose risk asks for more than tokens: a step-up, or a stop.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import type { Recipients } from '../alerts/recipients.ts'
import { alertedTo, recipientsOf } from '../alerts/recipients.ts'
import type { AuditEvent } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { JudgedRefresh } from '../risk/judge-refresh.ts'
import { recorded } from '../risk/judge.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import { factorsFor } from '../step-up/factors-of.ts'
import { issueStepUpToken } from '../step-up/step-up-token.ts'
import type { EndedSessions } from '../store/contract/ended-sessions.ts'
import type { RefreshFacts, RefreshSession } from '../store/contract/tokens.ts'
import type { RefreshRefusal } from './refresh.ts'

const PURPOSE = 'session_risk'

/** A refresh that was scored. */
export interface ScoredRefresh {
  readonly facts: RefreshFacts & { readonly session: RefreshSession }
  readonly tokenHash: Uint8Array
  readonly request: RequestFacts
  readonly judged: JudgedRefresh
}

/**
 * Asks for a step-up: nothing is consumed or issued, and the session waits, on every node. One that waits already is answered as it
 * was before.
 */
export async function demandStepUp(engine: Engine, refresh: ScoredRefresh): Promise<RefreshRefusal> {
  const { facts, tokenHash, request, judged } = refresh
  const { session, tenantId, userId } = facts
  const waiting = session.stepUpRequiredAt !== null
  const { score, reasons } = (waiting ? session.stepUpRisk : null) ?? judged
  const { usable: factors } = await factorsFor(engine, { tenantId, userId }, PURPOSE)
  const event: AuditEvent = {
    // Whoever holds the token: whether it is the owner, the step-up will tell.
    tenantId,
    sessionId: session.id,
    action: 'STEP_UP_REQUIRED',
    outcome: 'FAIL',
    resource: 'auth_refresh',
    resourceId: session.id,
    country: judged.place.country,
    city: judged.place.city,
    metadata: {
      ...(waiting ? { score, reasons, waiting } : recorded(judged)),
      purpose: PURPOSE,
      factors,
      level: 'elevated',
      targetUserId: userId,
      targetStaffId: session.staffId,
      familyId: facts.family.id,
      generation: facts.token.generation,
    },
    request,
  }
  // A session that nobody could open again is not made to wait: whoever comes from where it was goes on.
  if (factors.length === 0) {
    await engine.refusals.record({ ...event, failureReason: 'SESSION_BLOCKED' })
    return {
      kind: 'refused',
      recorded: true,
      code: 'SESSION_BLOCKED',
      message: 'this refresh needs a second factor, and there is none that would do',
      facts: { reason: 'no_factor', score, reasons },
    }
  }
  const failed = { ...event, failureReason: 'STEP_UP_REQUIRED' }
  if (waiting) {
    await engine.refusals.record(failed)
  } else {
    await engine.store.risk.wait({
      tenantId,
      sessionId: session.id,
      reason: { score, reasons },
      audit: (_none, now) => [auditRow(failed, now)],
    })
    engine.live.forget({ kind: 'session', ref: session.id })
  }
  return {
    kind: 'refused',
    recorded: true,
    code: 'STEP_UP_REQUIRED',
    message: 'this session waits for a step-up; verify, then send the same refresh again',
    facts: {
      purpose: PURPOSE,
      score,
      reasons,
      factors,
      stepUpToken: issueStepUpToken(engine, {
        tenantId,
        userId,
        target: { purpose: PURPOSE, sessionId: session.id, tokenHash },
        device: judged.device,
      }),
    },
  }
}

/** Ends the family, the session and every other of the member's by a new version, and tells them. */
export async function stopHighRisk(engine: Engine, refresh: ScoredRefresh): Promise<RefreshRefusal | undefined> {
  const { facts, request } = refresh
  const recipients = await recipientsOf(engine, facts)
  const ended = await engine.store.tokens.contain({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    tokenId: facts.token.id,
    reach: 'staff',
    reason: 'high_risk',
    audit: (result, now) => [
      auditRow(suspicious(refresh, 'high_risk_activity', recipients), now),
      ...endedRows(result, 'high_risk', { request }, now),
    ],
  })
  if (ended === undefined) return undefined
  announceEnded(engine, ended, { reason: 'high_risk' })
  return stopped(engine, refresh, 'high_risk_activity', recipients)
}

/** Ends the young family whose token was presented, and no other. */
export async function stopRapid(engine: Engine, refresh: ScoredRefresh): Promise<RefreshRefusal | undefined> {
  const { facts, request } = refresh
  const recipients = await recipientsOf(engine, facts)
  let ended: EndedSessions | undefined
  const didEnd = await engine.store.tokens.endFamily({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    reason: 'rapid_creation',
    audit: (result, now) => {
      ended = result
      return [
        auditRow(suspicious(refresh, 'rapid_token_creation', recipients), now),
        ...endedRows(result, 'rapid_creation', { request }, now),
      ]
    },
  })
  if (!didEnd) return undefined
  if (ended !== undefined) announceEnded(engine, ended, { reason: 'rapid_creation' })
  return stopped(engine, refresh, 'rapid_token_creation', recipients)
}

type StopReason = 'high_risk_activity' | 'rapid_token_creation'

function suspicious(refresh: ScoredRefresh, reason: StopReason, recipients: Recipients | undefined): AuditEvent {
  const { facts, request, judged } = refresh
  return {
    // The actor is unknown: the token's owner is whom it happened to, not who did it.
    tenantId: facts.tenantId,
    action: 'SUSPICIOUS_LOGIN_DETECTED',
    outcome: 'FAIL',
    failureReason: 'SESSION_BLOCKED',
    sessionId: facts.session.id,
    resource: 'refresh_token_family',
    resourceId: facts.family.id,
    metadata: {
      ...recorded(judged),
      reason,
      level: 'critical',
      at: 'refresh',
      targetUserId: facts.userId,
      targetStaffId: facts.session.staffId,
      familyId: facts.family.id,
      generation: facts.token.generation,
      alerted: alertedTo(recipients),
    },
    request,
    country: judged.place.country,
    city: judged.place.city,
  }
}

function stopped(
  engine: Engine,
  { facts, request, judged }: ScoredRefresh,
  reason: StopReason,
  recipients: Recipients | undefined,
): RefreshRefusal {
  const { tenantId, userId } = facts
  const { score, reasons } = judged
  engine.events.emit('session.blocked', { tenantId, userId, sessionId: facts.session.id, reason, score })
  void alert(engine, { alert: 'session_blocked', tenantId, userId, request, recipients })
  return {
    kind: 'refused',
    recorded: true,
    code: 'SESSION_BLOCKED',
    message: 'this session was ended to protect the account; sign in again',
    facts: { reason, score, reasons },
  }
}
