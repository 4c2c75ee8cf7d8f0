/**
 * Starts acting as another member of the tenant: visibly, for a reason, and never with more rights than one's own.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import { impersonationMail } from '../directory/mails.ts'
import { sendMail } from '../directory/send-mail.ts'
import type { PermissionRegistry } from '../directory/permissions.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SessionId, StaffId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { acrOf } from '../sessions/acr.ts'
import type { Caller } from '../sessions/caller.ts'
import { mintAccessToken } from '../sessions/mint-access-token.ts'
import type { ImpersonationFacts } from '../store/contract/impersonations.ts'
import type { SessionRow } from '../store/contract/sessions.ts'

export interface StartImpersonationInput {
  /** Whom to act as. */
  readonly staffId: StaffId
  /** In words; it stands in the register, in the audit log and in the person's own list of sessions. */
  readonly reason: string
  readonly request: RequestFacts
}

export interface StartedSession {
  readonly session: SessionRow
  /** Lives as long as the session: there is no refresh token. */
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
}

/**
 * The caller holds `SETTINGS_TEAM_VIEW` and stands behind the step-up `impersonate`.
 *
 * @throws SallyportError `CANNOT_IMPERSONATE` with the reason (`owner`, `self`, `disabled`, `more_rights`, `nested`),
 * `FORBIDDEN`, `NOT_FOUND` (no such member in this tenant), `SESSION_REVOKED` (the caller's own ended meanwhile).
 */
export async function startImpersonation(
  engine: Engine,
  caller: Caller,
  { staffId, reason, request }: StartImpersonationInput,
): Promise<StartedSession> {
  if (caller.kind === 'impersonation') throw cannot('nested', 'One impersonation is not started from within another.')
  const { settings } = engine
  const sessionId = newId<SessionId>()
  const outcome = await engine.store.impersonations.start(
    {
      id: sessionId,
      tenantId: caller.tenantId,
      staffId,
      real: { userId: caller.userId, staffId: caller.staffId, sessionId: caller.sessionId },
      reason,
      lifeMs: settings.impersonationLifeMs,
      ipAddress: request.ipAddress ?? null,
      userAgent: request.userAgent ?? null,
      refuse: (facts) => refusalOf(facts, settings.permissions),
    },
    ({ session, target }, now) => [
      auditRow(
        {
          tenantId: caller.tenantId,
          userId: target.user.id,
          actorName: target.user.name,
          staffId,
          sessionId,
          realUserId: caller.userId,
          action: 'IMPERSONATION_STARTED',
          resource: 'tenant_staff',
          resourceId: staffId,
          metadata: {
            reason,
            targetUserId: target.user.id,
            realSessionId: caller.sessionId,
            until: session.expiresAt.toISOString(),
          },
          request,
        },
        now,
      ),
    ],
  )
  if (outcome.kind === 'unknown') throw new SallyportError('NOT_FOUND', 'There is no such member in this tenant.')
  if (outcome.kind === 'session-ended')
    throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  if (outcome.kind === 'refused') throw outcome.error

  const { session, target } = outcome
  engine.events.emit('session.created', { tenantId: caller.tenantId, sessionId, userId: target.user.id })
  await tellPerson(engine, caller, { email: target.user.email, reason })
  return {
    session: { ...session, impersonator: { id: caller.userId, name: caller.name } },
    ...(await mintAccessToken(
      engine,
      {
        userId: target.user.id,
        tenantId: caller.tenantId,
        staffId,
        sessionId,
        sessionVersion: session.sessionVersion,
        generation: 0,
        authTime: session.authTime,
        amr: session.amr,
        acr: acrOf(session.amr),
        sessionEndsAt: session.expiresAt,
        realUserId: caller.userId,
        // It rests on the caller's session, and so on the key that holds that one.
        keyThumbprint: caller.keyThumbprint,
      },
      // As long as its session: nothing renews it.
      settings.impersonationLifeMs,
    )),
  }
}

function refusalOf(
  { real, target, targetDisabled }: ImpersonationFacts,
  registry: PermissionRegistry,
): SallyportError | undefined {
  const held = registry.of(real)
  if (!held.has('SETTINGS_TEAM_VIEW')) {
    return new SallyportError('FORBIDDEN', 'This needs the permission SETTINGS_TEAM_VIEW.')
  }
  const { staff } = target
  if (staff.id === real.id) return cannot('self', 'Nobody acts as themselves.')
  if (staff.role === 'owner') return cannot('owner', 'Nobody acts as an owner.')
  if (targetDisabled || staff.status !== 'active') return cannot('disabled', 'This member is disabled.')
  if ([...registry.of(staff)].some((permission) => !held.has(permission))) {
    return cannot('more_rights', 'This member may do what you may not.')
  }
  return undefined
}

function cannot(reason: string, message: string): SallyportError {
  return new SallyportError('CANNOT_IMPERSONATE', message, { facts: { reason } })
}

async function tellPerson(
  engine: Engine,
  caller: Caller,
  { email, reason }: { readonly email: string | null; readonly reason: string },
): Promise<void> {
  const policy = await engine.live.loadPolicy(caller.tenantId)
  if (policy?.settings.impersonation.notify !== true || email === null) return
  sendMail(engine, impersonationMail({ to: email, name: caller.name, reason }))
}
