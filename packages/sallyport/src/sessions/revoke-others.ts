/**
 * Revokes all of the caller's sessions in the tenant but the one they speak from.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from './caller.ts'
import { endSessions } from './end.ts'
import { endedRows } from './ended-rows.ts'

/**
 * The caller stands behind the step-up `revoke_other_sessions`.
 *
 * @returns How many sessions were live and are not any more.
 * @throws SallyportError `UNAVAILABLE`.
 */
export async function revokeOtherSessions(
  engine: Engine,
  caller: Caller,
  request: RequestFacts,
): Promise<{ readonly revoked: number }> {
  const ended = await endSessions(
    engine,
    { of: 'staff', tenantId: caller.tenantId, staffId: caller.staffId },
    {
      reason: 'revoke_others',
      revokedBy: caller.userId,
      exceptSessionId: caller.sessionId,
      loginsOnly: true,
      // A new version would end the current session too.
      bumpVersion: false,
    },
    (result, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'SESSION_REVOKE_ALL',
          resource: 'session',
          resourceId: caller.sessionId,
          metadata: { revoked: result.sessions.length, kept: caller.sessionId },
          request,
        },
        now,
      ),
      ...endedRows(result, 'revoke_others', { ...actor(caller), request }, now),
    ],
  )
  return { revoked: ended?.sessions.length ?? 0 }
}
