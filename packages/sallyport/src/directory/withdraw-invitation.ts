/**
 * Takes an invitation back before it is accepted.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { requirePermission } from './require-permission.ts'

/**
 * The caller stands behind the step-up `team_change`. The link that was mailed opens nothing any more.
 *
 * @throws SallyportError `FORBIDDEN` without `SETTINGS_TEAM_EDIT`; `NOT_FOUND` for one that was accepted, withdrawn or replaced, that
 * has expired, or that is another tenant's.
 */
export async function withdrawInvitation(
  engine: Pick<Engine, 'store'>,
  caller: Caller,
  { invitationId, request }: { readonly invitationId: string; readonly request: RequestFacts },
): Promise<void> {
  requirePermission(caller, 'SETTINGS_TEAM_EDIT')
  const withdrawn = await engine.store.directory.withdrawInvitation(
    { tenantId: caller.tenantId, id: invitationId },
    ({ id, email, name, role }, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'INVITATION_REVOKED',
          resource: 'user',
          resourceId: id,
          oldValue: { email, name, role },
          request,
        },
        now,
      ),
    ],
  )
  if (withdrawn === undefined) throw new SallyportError('NOT_FOUND', 'There is no such open invitation.')
}
