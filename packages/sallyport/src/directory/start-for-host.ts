/**
 * Starts a session for somebody whom the host's own sign-in or SSO has authenticated.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import type { IssuedSession } from '../sessions/issued.ts'
import type { EnsureMemberInput } from './shadow.ts'
import { ensureMember } from './shadow.ts'
import type { SessionWish } from './signed-in.ts'
import { startJudged } from './start-judged.ts'

export interface HostSignIn extends Omit<EnsureMemberInput, 'request'>, SessionWish {
  /** How the host authenticated the person (RFC 8176): `pwd`, `otp`, … */
  readonly amr: readonly string[]
}

/**
 * Keeps the shadow rows of tenant, user and member in step, and judges the sign-in like any other. A second factor that the host names
 * among the methods is taken for one.
 *
 * @throws SallyportError `FORBIDDEN` for a member, user or tenant that is disabled here; `STEP_UP_REQUIRED` with `stepUpToken`,
 * `factors`, `score` and `reasons`; `SESSION_BLOCKED`, `SESSION_LIMIT`, `IP_BLOCKED`, `IP_NOT_ALLOWED`, `UNAVAILABLE`; else as
 * {@link ensureMember} says.
 */
export async function startForHost(engine: Engine, { amr, ...input }: HostSignIn): Promise<IssuedSession> {
  const { tenantId, userId, staffId } = await ensureMember(engine, input)
  const account = await engine.store.directory.account({ userId })
  const place = account?.memberships.find(({ tenant }) => tenant.id === tenantId)
  const enabled = place?.staff.status === 'active' && !place.tenant.disabled && account?.user.disabled === false
  if (account === undefined || place === undefined || !enabled) throw disabled()
  const { user } = account
  const { request } = input
  await enforceIpRules(engine, {
    tenantId,
    request,
    at: 'sign-in',
    who: { userId, actorName: user.name, staffId },
  })
  const { tenant, staff } = place
  const issued = await startJudged(engine, { user, tenant, staff }, input, { amr, metadata: { by: 'host' } })
  // Disabled meanwhile.
  if (issued === undefined) throw disabled()
  return issued
}

function disabled(): SallyportError {
  return new SallyportError('FORBIDDEN', 'this member, their account or the tenant is disabled')
}
