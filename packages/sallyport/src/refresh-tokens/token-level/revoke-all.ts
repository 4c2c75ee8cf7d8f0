/**
 * Revokes every refresh token of a user.
 *
 * @module
 */

import { auditRow } from '../../audit/record.ts'
import type { Engine } from '../../engine.ts'
import type { UserId } from '../../ids.ts'
import { isId, newId } from '../../ids.ts'
import { announceEnded } from '../../sessions/end.ts'
import { endedRows } from '../../sessions/ended-rows.ts'

/** Ends every family of the user, in every tenant, with the sessions behind them. */
export async function revokeAllRefreshTokens(engine: Engine, userId: UserId): Promise<{ readonly success: boolean }> {
  if (!isId(userId)) return { success: false }
  const correlationId = newId<string>()
  const ended = await engine.store.tokens.revokeAllOfUser({
    userId,
    reason: 'manual',
    audit: (facts, now) => [
      auditRow(
        {
          tenantId: null,
          userId,
          action: 'SESSION_REVOKE_ALL',
          resource: 'user',
          resourceId: userId,
          metadata: { reason: 'manual', families: facts.families, sessions: facts.sessions.length },
          correlationId,
        },
        now,
      ),
      ...endedRows(facts, 'manual', { correlationId }, now),
    ],
  })
  announceEnded(engine, ended, { reason: 'manual' })
  return { success: true }
}
