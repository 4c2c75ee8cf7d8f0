/**
 * Forces a member of the tenant out of every session, at once and everywhere.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import { membershipOf } from '../directory/membership-of.ts'
import { outranks } from '../directory/roles.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from './caller.ts'
import { endSessions } from './end.ts'
import { endedRows } from './ended-rows.ts'

/**
 * Raises the member's `session_version`, so that every access token dies at its next request, and ends their sessions and
 * families, so that no refresh mints a good one.
 *
 * The caller holds `SETTINGS_SECURITY_EDIT` and stands behind the step-up `force_logout`.
 *
 * @throws SallyportError `NOT_FOUND` (no such member in this tenant), `FORBIDDEN` (they outrank the caller), `UNAVAILABLE`.
 */
export async function forceLogout(
  engine: Engine,
  caller: Caller,
  userId: UserId,
  request: RequestFacts,
): Promise<{ readonly sessionsEnded: number; readonly sessionVersion: number }> {
  const member = await membershipOf(engine, caller.tenantId, userId)
  if (member === undefined) throw notFound()
  if (outranks(member.staff.role, caller.role)) {
    throw new SallyportError('FORBIDDEN', 'Nobody acts on the sessions of one who outranks them.')
  }
  const ended = await endSessions(
    engine,
    { of: 'staff', tenantId: caller.tenantId, staffId: member.staff.id },
    { reason: 'force_logout', revokedBy: caller.userId, bumpVersion: true },
    (result, now) => {
      const version = result.versions[0]?.sessionVersion
      return [
        auditRow(
          {
            ...actor(caller),
            action: 'SESSION_INVALIDATED',
            resource: 'tenant_staff',
            resourceId: member.staff.id,
            ...(version === undefined
              ? {}
              : { oldValue: { sessionVersion: version - 1 }, newValue: { sessionVersion: version } }),
            metadata: { reason: 'force_logout', targetUserId: userId, sessionsEnded: result.sessions.length },
            request,
          },
          now,
        ),
        ...endedRows(result, 'force_logout', { ...actor(caller), request }, now),
      ]
    },
  )
  const version = ended?.versions[0]
  if (ended === undefined || version === undefined) throw notFound()
  return { sessionsEnded: ended.sessions.length, sessionVersion: version.sessionVersion }
}

function notFound(): SallyportError {
  return new SallyportError('NOT_FOUND', 'There is no such member in this tenant.')
}
