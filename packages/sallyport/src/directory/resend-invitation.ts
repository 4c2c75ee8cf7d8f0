/**
 * Sends an open invitation again: with a new link, which takes the place of the one before.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { InvitationRow } from '../store/contract/directory.ts'
import { invite } from './invite.ts'
import { requirePermission } from './require-permission.ts'

/**
 * The caller stands behind the step-up `team_change`. What is kept of a link is its hash alone, so the same one cannot be sent twice.
 *
 * @throws SallyportError `NOT_FOUND` for one that is not open in the caller's tenant; else as {@link invite}.
 */
export async function resendInvitation(
  engine: Engine,
  caller: Caller,
  { invitationId, request }: { readonly invitationId: string; readonly request: RequestFacts },
): Promise<InvitationRow> {
  requirePermission(caller, 'SETTINGS_TEAM_EDIT')
  const { invitations } = await engine.store.directory.team(caller.tenantId)
  const open = invitations.find(({ id }) => id === invitationId)
  if (open === undefined) throw new SallyportError('NOT_FOUND', 'There is no such open invitation.')
  const { email, name, role } = open
  return invite(engine, caller, { email, name, role, request })
}
