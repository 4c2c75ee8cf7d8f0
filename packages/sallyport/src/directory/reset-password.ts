/**
 * Sets a new password by the link of a reset.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import { alert } from '../alerts/alert.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import { filedUnder } from './filed-under.ts'
import { hashOfPresented, linkInvalid } from './link-token.ts'
import { passwordChangedMail } from './mails.ts'
import { acceptPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { sendMail } from './send-mail.ts'
import { emailVerifiedRow } from './verify-email.ts'

export interface ResetPasswordInput {
  readonly token: string
  readonly password: string
  readonly request: RequestFacts
}

/**
 * Ends every session of the person, in every tenant, and opens none: who has the mailbox still has to sign in, second factor
 * included. A password that is refused leaves the link as it is.
 *
 * @throws SallyportError `LINK_INVALID`, `PASSWORD_REJECTED`, `UNAVAILABLE`.
 */
export async function resetPassword(engine: Engine, { token, password, request }: ResetPasswordInput): Promise<void> {
  const { store } = engine
  const tokenHash = hashOfPresented(token)
  const link = await store.directory.link('password_reset', tokenHash)
  if (link?.kind !== 'password_reset') throw linkInvalid()
  const { user, memberships } = link.account
  const words = memberships.map(({ tenant }) => tenant.name)
  acceptPassword(engine.settings, password, { email: user.email, name: user.name, words }, 'password')

  const passwordHash = await hashPassword(password)
  const reset = await store.directory.resetPassword(
    { tokenHash, passwordHash },
    ({ account, ended, emailVerified }, now) => {
      const by = { userId: account.user.id, actorName: account.user.name, request }
      return [
        auditRow(
          {
            ...by,
            tenantId: filedUnder(account),
            action: 'PASSWORD_CHANGED',
            resource: 'user',
            resourceId: account.user.id,
            metadata: { by: 'reset', sessionsEnded: ended.sessions.length },
          },
          now,
        ),
        ...(emailVerified ? [emailVerifiedRow(account.user, filedUnder(account), request, now)] : []),
        ...endedRows(ended, 'password_reset', by, now),
      ]
    },
  )
  if (reset === undefined) throw linkInvalid()
  announceEnded(engine, reset.ended, { reason: 'password_reset' })
  const { email } = reset.account.user
  if (email !== null) sendMail(engine, passwordChangedMail({ to: email, ipAddress: request.ipAddress ?? null }))
  for (const { tenant, staff } of reset.account.memberships) {
    if (staff.status !== 'active') continue
    void alert(engine, { alert: 'password_changed', tenantId: tenant.id, userId: reset.account.user.id, request })
  }
}
