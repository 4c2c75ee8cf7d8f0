/**
 * Deletes a person: everything that they could act with, and themselves. What they did stays in the audit log, under their id.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'

/**
 * For the host: no endpoint does this. One `EVIDENCE_PURGED` row for each tenant that rows went from, and one in the service's
 * own log for what belongs to no tenant, tell what went: tables, counts, and a digest over the ids.
 *
 * @throws SallyportError `NOT_FOUND`, `LAST_OWNER` (a tenant would have no owner left), `UNAVAILABLE`.
 */
export async function deleteUser(
  engine: Engine,
  userId: UserId,
  { request = { correlationId: newId() } }: { readonly request?: RequestFacts | undefined } = {},
): Promise<void> {
  const outcome = await engine.store.team.deleteUser(userId, ({ ended, purged }, now) => [
    ...[...new Set(purged.map(({ tenantId }) => tenantId))].map((tenantId) =>
      auditRow(
        {
          tenantId,
          action: 'EVIDENCE_PURGED',
          resource: 'user',
          resourceId: userId,
          metadata: {
            actor: 'host',
            reason: 'user_deleted',
            tables: purged
              .filter((one) => one.tenantId === tenantId)
              .map(({ table, count, sha256 }) => ({ table, count, sha256 })),
          },
          request,
        },
        now,
      ),
    ),
    ...endedRows(ended, 'member_removed', { request }, now),
  ])
  if (outcome.kind === 'unknown') throw new SallyportError('NOT_FOUND', 'There is no such user.')
  if (outcome.kind === 'last-owner') {
    throw new SallyportError('LAST_OWNER', 'The user is the only owner of a tenant: make another one first.')
  }
  engine.live.forget({ kind: 'user', ref: userId })
  announceEnded(engine, outcome.ended, { reason: 'member_removed' })
}
