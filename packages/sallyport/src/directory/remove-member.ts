/**
 * Removes a member from a tenant.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { StaffId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { applyChange, refuseWhileImpersonating } from './change-member.ts'

/**
 * Ends everything that the member has open in the tenant, the impersonations of them and by them included. The person keeps
 * their account and their places elsewhere; an invitation brings them back, with the role that it names and no extra grants.
 * The caller stands behind the step-up `team_change`.
 *
 * @throws SallyportError `FORBIDDEN` for one who is not the caller's to remove, `LAST_OWNER`, `NOT_FOUND`.
 */
export async function removeMember(
  engine: Engine,
  caller: Caller,
  { staffId, request }: { readonly staffId: StaffId; readonly request: RequestFacts },
): Promise<void> {
  refuseWhileImpersonating(caller)
  await applyChange(engine, caller, staffId, { status: 'removed' }, request)
}
