/**
 * Stops a sign-in: audited, told, and answered without a session.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import { alertedTo, recipientsOf } from '../alerts/recipients.ts'
import type { AuditEvent } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { endSessions } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import type { Member } from '../store/contract/directory.ts'
import type { Place } from './facts.ts'
import type { Judgement } from './judge.ts'
import { recorded } from './judge.ts'

export interface StoppedSignIn {
  readonly member: Member
  readonly request: RequestFacts
  readonly place: Place
  readonly judged: Pick<Judgement, 'score' | 'reasons' | 'signals'>
  readonly reason: 'high_risk_activity' | 'rapid_token_creation'
}

/** Resolves to the refusal, `SESSION_BLOCKED`. The account's other sessions stay unless the setting says otherwise. */
export async function stopSignIn(
  engine: Engine,
  { member, request, place, judged, reason }: StoppedSignIn,
): Promise<SallyportError> {
  const { settings, store, events } = engine
  const { score, reasons } = judged
  const [tenantId, userId, staffId] = [member.tenant.id, member.user.id, member.staff.id]
  const recipients = await recipientsOf(engine, { tenantId, userId })
  const event: AuditEvent = {
    tenantId,
    // Who gave the password is not known: the account is whom it happened to.
    action: 'SUSPICIOUS_LOGIN_DETECTED',
    outcome: 'FAIL',
    failureReason: 'SESSION_BLOCKED',
    resource: 'user',
    resourceId: userId,
    metadata: {
      ...recorded(judged),
      reason,
      level: 'critical',
      at: 'sign_in',
      targetUserId: userId,
      targetStaffId: staffId,
      alerted: alertedTo(recipients),
    },
    request,
    country: place.country,
    city: place.city,
  }
  if (settings.risk.blockEndsSessions && reason === 'high_risk_activity') {
    await endSessions(
      engine,
      { of: 'staff', tenantId, staffId },
      { reason: 'high_risk', bumpVersion: true },
      (ended, now) => [auditRow(event, now), ...endedRows(ended, 'high_risk', { request }, now)],
    )
  } else {
    await store.audit.append([auditRow(event, engine.live.date())])
  }
  events.emit('session.blocked', { tenantId, userId, sessionId: null, reason, score })
  void alert(engine, { alert: 'session_blocked', tenantId, userId, request, recipients })
  return failureRecorded(
    new SallyportError('SESSION_BLOCKED', 'This sign-in was stopped to protect the account.', {
      facts: { reason, score, reasons },
    }),
  )
}
