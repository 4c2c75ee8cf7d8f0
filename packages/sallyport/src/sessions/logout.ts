/**
 * Signs out: ends the session that a credential belongs to. Safe to repeat, and never a containment.
 *
 * @module
 */

import { verifyAccessToken } from '../access-tokens/verify.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { PresentedProof } from '../key-binding/prove-key.ts'
import { parseRefreshToken } from '../refresh-tokens/token-format.ts'
import { authenticate } from './authenticate.ts'
import { endSessions } from './end.ts'
import { endedImpersonationRows } from './ended-rows.ts'

export interface LogoutInput {
  /** The bare access token, where the request had one. */
  readonly accessToken?: string | undefined
  /** Where the access token came under the scheme `DPoP`. */
  readonly proof?: PresentedProof | undefined
  readonly refreshToken?: string | undefined
  readonly request: RequestFacts
}

interface Owner {
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly name: string
  readonly realUserId?: UserId | undefined
}

/**
 * Ends the sessions that the given credentials belong to. A credential that is no good ends nothing, and is no error: a
 * client that signs out is told yes.
 *
 * @throws SallyportError `UNAVAILABLE`: a logout that did not happen is never acknowledged.
 */
export async function logout(engine: Engine, input: LogoutInput): Promise<void> {
  const owners = [await ownerOfAccessToken(engine, input), await ownerOfRefreshToken(engine, input)]
  const ended = new Set<SessionId>()
  for (const owner of owners) {
    if (owner === undefined || ended.has(owner.sessionId)) continue
    ended.add(owner.sessionId)
    await endSession(engine, owner, input.request)
  }
}

async function endSession(engine: Engine, owner: Owner, request: RequestFacts): Promise<void> {
  const { tenantId, sessionId, userId, staffId, name: actorName, realUserId } = owner
  await endSessions(
    engine,
    { of: 'session', tenantId, sessionId },
    { reason: 'logout', revokedBy: userId, bumpVersion: false },
    (result, now) =>
      // A second logout of one session changes nothing and so records nothing.
      result.sessions.length === 0
        ? []
        : [
            auditRow(
              {
                tenantId,
                userId,
                actorName,
                staffId,
                sessionId,
                realUserId,
                action: 'AUTH_LOGOUT',
                resource: 'session',
                resourceId: sessionId,
                request,
              },
              now,
            ),
            ...endedImpersonationRows(
              result,
              undefined,
              'logout',
              { userId, actorName, staffId, realUserId, request },
              now,
            ),
          ],
  )
}

async function ownerOfAccessToken(engine: Engine, { accessToken, proof }: LogoutInput): Promise<Owner | undefined> {
  if (accessToken === undefined) return undefined
  try {
    return await authenticate(engine, accessToken, { background: true, anywhere: true, proof })
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'STEP_UP_REQUIRED') return waitingOwner(engine, accessToken)
    if (error instanceof SallyportError && error.status === 401) return undefined
    throw error
  }
}

/** A session that waits for a step-up answers to nothing but that and the logout. */
async function waitingOwner(engine: Engine, accessToken: string): Promise<Owner | undefined> {
  const { keys, settings } = engine
  const verified = verifyAccessToken(
    keys,
    { issuer: settings.issuer, audience: settings.audience },
    accessToken,
    new Date(),
  )
  if (verified.kind !== 'valid') return undefined
  const { claims } = verified
  const entry = await engine.live.load(claims.tenant_id, claims.sid)
  return (
    entry && {
      tenantId: claims.tenant_id,
      sessionId: claims.sid,
      userId: claims.sub,
      staffId: claims.staff_id,
      name: entry.facts.user.name,
      realUserId: entry.facts.realUserId ?? undefined,
    }
  )
}

async function ownerOfRefreshToken(engine: Engine, { refreshToken }: LogoutInput): Promise<Owner | undefined> {
  const parsed = parseRefreshToken(engine.secrets, refreshToken)
  if (parsed === undefined) return undefined
  const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
  // Any token of the lineage names its session: whoever holds one may end it, which is the safe direction.
  if (facts?.session == null || facts.family.revokedAt !== null) return undefined
  return {
    tenantId: facts.tenantId,
    sessionId: facts.session.id,
    userId: facts.userId,
    staffId: facts.session.staffId,
    name: facts.session.user.name,
  }
}
