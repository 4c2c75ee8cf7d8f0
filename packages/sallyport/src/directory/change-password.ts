/**
 * Changes the password of the person who is signed in.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import { alert } from '../alerts/alert.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import { mintAccessToken } from '../sessions/mint-access-token.ts'
import { reauthenticate } from '../step-up/reauthenticate.ts'
import type { SessionRow } from '../store/contract/sessions.ts'
import { passwordChangedMail } from './mails.ts'
import { acceptPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { sendMail } from './send-mail.ts'
import { invalidCredentials } from './sign-in.ts'

export interface ChangePasswordInput {
  readonly currentPassword: string
  readonly newPassword: string
  readonly request: RequestFacts
}

export interface ChangePasswordResult {
  readonly session: SessionRow
  /** The one from before died with the version that it names. */
  readonly accessToken: string
  readonly expiresIn: number
}

/**
 * Ends all other sessions of the person, in every tenant. The current one stays, at the new version, and its refresh token
 * goes on as it is. The caller stands behind the step-up `security_settings`.
 *
 * @throws SallyportError `INVALID_CREDENTIALS` for a wrong current password, `RATE_LIMITED` after too many, `PASSWORD_REJECTED`, `SESSION_REVOKED` when the
 * session ended meanwhile, `FORBIDDEN` under impersonation.
 */
export async function changePassword(
  engine: Engine,
  caller: Caller,
  { currentPassword, newPassword, request }: ChangePasswordInput,
): Promise<ChangePasswordResult> {
  if (caller.kind === 'impersonation')
    throw new SallyportError('NOT_WHILE_IMPERSONATING', 'only the person may change the password')
  const { user, memberships, passwordHash } = await reauthenticate(engine, caller, currentPassword)
  const words = memberships.map(({ tenant }) => tenant.name)
  acceptPassword(engine.settings, newPassword, { email: user.email, name: user.name, words }, 'newPassword')

  const to = await hashPassword(newPassword)
  const { tenantId, userId, sessionId } = caller
  const changed = await engine.store.directory.changePassword(
    { tenantId, userId, sessionId, from: passwordHash, to },
    (ended, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'PASSWORD_CHANGED',
          resource: 'user',
          resourceId: userId,
          metadata: { by: 'change', sessionsEnded: ended.sessions.length },
          request,
        },
        now,
      ),
      ...endedRows(ended, 'password_changed', { ...actor(caller), request }, now),
    ],
  )
  // Changed by another request meanwhile: what was proven is not the password any more.
  if (changed === 'stale') throw invalidCredentials()
  if (changed === 'session-ended') throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')

  const { session, keyThumbprint, ended } = changed
  announceEnded(engine, ended, { reason: 'password_changed' })
  if (user.email !== null) {
    sendMail(engine, passwordChangedMail({ to: user.email, ipAddress: request.ipAddress ?? null }))
  }
  void alert(engine, { alert: 'password_changed', tenantId, userId, request })
  return {
    session,
    ...(await mintAccessToken(engine, {
      userId,
      tenantId,
      staffId: caller.staffId,
      sessionId,
      sessionVersion: session.sessionVersion,
      generation: caller.generation,
      authTime: caller.authTime,
      amr: caller.amr,
      acr: caller.acr,
      sessionEndsAt: session.expiresAt,
      ...(keyThumbprint === null ? {} : { keyThumbprint }),
    })),
  }
}
