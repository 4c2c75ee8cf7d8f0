/**
 * Who steps up: a session by its access token, or by a step-up token the session or the sign-in that waits.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { actor } from '../audit/record.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { Caller } from '../sessions/caller.ts'
import type { StepUpActor } from '../store/contract/step-up.ts'
import type { StepUpTokenClaims } from './step-up-token.ts'

/** Either credential of the step-up endpoints, once it was verified. */
export type SteppingUp = { readonly caller: Caller } | { readonly claims: StepUpTokenClaims }

/** As the store knows the one who acts, and as the audit log names them. */
export interface ActingParty {
  readonly actor: StepUpActor
  readonly who: Pick<AuditEvent, 'tenantId' | 'userId' | 'actorName' | 'staffId' | 'sessionId' | 'realUserId'>
}

/**
 * Holds the purpose to the credential: a step-up token is good for its own purpose alone, a session for those that are registered.
 *
 * @throws SallyportError `INVALID_REQUEST` naming `purpose`, `FORBIDDEN` under impersonation.
 */
export function actingFor(
  { stepUpPurposes }: Pick<Settings, 'stepUpPurposes'>,
  by: SteppingUp,
  purpose: string,
): ActingParty {
  if ('caller' in by) {
    const { caller } = by
    if (stepUpPurposes.find(purpose) === undefined) {
      throw invalidField('purpose', 'must be a purpose that a session can step up for')
    }
    if (caller.kind !== 'login' || caller.realUserId !== undefined) {
      throw new SallyportError('NOT_WHILE_IMPERSONATING', 'Nobody passes a step-up on behalf of another.')
    }
    const { tenantId, userId, sessionId } = caller
    return { actor: { tenantId, userId, sessionId }, who: actor(caller) }
  }
  const { claims } = by
  if (purpose !== claims.purpose) throw invalidField('purpose', `must be ${claims.purpose} with this step-up token`)
  const [tenantId, userId] = [claims.tenant_id, claims.sub]
  if (claims.sid !== undefined) {
    return { actor: { tenantId, userId, sessionId: claims.sid }, who: { tenantId, userId, sessionId: claims.sid } }
  }
  if (claims.sign_in === undefined) throw new TypeError('step-up: a token of neither a session nor a sign-in')
  return { actor: { tenantId, userId, signInId: claims.sign_in }, who: { tenantId, userId } }
}
