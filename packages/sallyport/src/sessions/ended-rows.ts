/**
 * The audit rows of sessions that ended as a consequence: one each, beside the event that names the request.
 *
 * @module
 */

import type { AuditEvent, AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { SessionId } from '../ids.ts'
import type { EndedSessions, RevokeReason } from '../store/contract/ended-sessions.ts'

type EndedBy = Pick<AuditEvent, 'request' | 'correlationId' | 'userId' | 'actorName' | 'staffId' | 'realUserId'>

/** A `SESSION_REVOKED` row for each session that ended, with the correlation id of the request that ended it. */
export function endedRows(ended: EndedSessions, reason: RevokeReason, by: EndedBy, now: Date): readonly AuditRow[] {
  return ended.sessions.map((session) =>
    session.kind === 'impersonation'
      ? impersonationEndedRow(session, reason, by, now)
      : auditRow(
          {
            ...by,
            tenantId: session.tenantId,
            action: 'SESSION_REVOKED',
            sessionId: session.sessionId,
            resource: 'session',
            resourceId: session.sessionId,
            metadata: { reason, consequence: true, targetUserId: session.userId },
          },
          now,
        ),
  )
}

/** For requests whose own event names the session that they end: the impersonations that ended beside it. */
export function endedImpersonationRows(
  ended: EndedSessions,
  named: SessionId | undefined,
  reason: RevokeReason,
  by: EndedBy,
  now: Date,
): readonly AuditRow[] {
  return ended.sessions
    .filter(({ kind, sessionId }) => kind === 'impersonation' && sessionId !== named)
    .map((session) => impersonationEndedRow(session, reason, by, now))
}

/** `IMPERSONATION_ENDED`, filed under the person acted as, with the one who acted. */
export function impersonationEndedRow(
  session: EndedSessions['sessions'][number],
  reason: RevokeReason,
  by: EndedBy,
  now: Date,
): AuditRow {
  return auditRow(
    {
      ...by,
      tenantId: session.tenantId,
      action: 'IMPERSONATION_ENDED',
      userId: session.userId,
      actorName: undefined,
      staffId: session.staffId,
      sessionId: session.sessionId,
      realUserId: session.realUserId,
      resource: 'session',
      resourceId: session.sessionId,
      metadata: { how: howEnded(reason), endedBy: by.realUserId ?? by.userId ?? null },
    },
    now,
  )
}

/** How an impersonation ended, in the words of the register. */
export function howEnded(reason: RevokeReason): string {
  if (reason === 'impersonation_ended') return 'exit'
  return reason === 'session_expired' ? 'expired' : reason
}
