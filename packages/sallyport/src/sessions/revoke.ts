/**
 * Revokes one session by its id: one's own, or another's with the right to.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import { membershipOf } from '../directory/membership-of.ts'
import { outranks } from '../directory/roles.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SessionId, UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from './caller.ts'
import { endSessions } from './end.ts'
import { endedImpersonationRows } from './ended-rows.ts'

/**
 * Revokes a session with its family. Repeating it changes nothing and succeeds: the session is ended either way.
 *
 * The caller stands behind the step-up `revoke_session`.
 *
 * @throws SallyportError `NOT_FOUND` (unknown, or of another tenant), `FORBIDDEN` (another's without
 * `SETTINGS_SECURITY_EDIT`, or of one who outranks the caller), `UNAVAILABLE`.
 */
export async function revokeSession(
  engine: Engine,
  caller: Caller,
  sessionId: SessionId,
  request: RequestFacts,
): Promise<{ readonly currentRevoked: boolean; readonly delivery: 'body' | 'cookie' }> {
  const session = await engine.store.sessions.find(caller.tenantId, sessionId)
  if (session === undefined) throw notFound()
  const own = session.userId === caller.userId
  if (!own) await refuseUnlessAllowed(engine, caller, session.userId)
  const ended = await endSessions(
    engine,
    { of: 'session', tenantId: caller.tenantId, sessionId },
    { reason: 'manual', revokedBy: caller.userId, bumpVersion: false },
    (result, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'SESSION_REVOKED',
          resource: 'session',
          resourceId: sessionId,
          metadata: { reason: 'manual', own, targetUserId: session.userId },
          request,
        },
        now,
      ),
      ...endedImpersonationRows(result, undefined, 'manual', { ...actor(caller), request }, now),
    ],
  )
  if (ended === undefined) throw notFound()
  return { currentRevoked: sessionId === caller.sessionId, delivery: session.delivery }
}

/** Whether the caller may act on the sessions of another staff member. */
async function refuseUnlessAllowed(engine: Engine, caller: Caller, userId: UserId): Promise<void> {
  if (!caller.permissions.has('SETTINGS_SECURITY_EDIT')) {
    throw new SallyportError('FORBIDDEN', 'This needs the permission SETTINGS_SECURITY_EDIT.')
  }
  const target = await membershipOf(engine, caller.tenantId, userId)
  if (target !== undefined && outranks(target.staff.role, caller.role)) {
    throw new SallyportError('FORBIDDEN', 'Nobody acts on the sessions of one who outranks them.')
  }
}

function notFound(): SallyportError {
  return new SallyportError('NOT_FOUND', 'There is no such session in this tenant.')
}
