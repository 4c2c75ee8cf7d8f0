/**
 * Gives a person the address that they asked for, once its link was followed.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { filedUnder } from './filed-under.ts'
import { linkInvalid } from './link-token.ts'
import { addressChangedMail } from './mails.ts'
import { sendMail } from './send-mail.ts'

/**
 * Both addresses are told, and the admins of the person's tenants.
 *
 * @throws SallyportError `LINK_INVALID`, also when somebody else has the address by now.
 */
export async function confirmEmailChange(engine: Engine, tokenHash: Uint8Array, request: RequestFacts): Promise<void> {
  const changed = await engine.store.directory.changeEmail(tokenHash, ({ account, before }, now) => [
    auditRow(
      {
        tenantId: filedUnder(account),
        userId: account.user.id,
        actorName: account.user.name,
        action: 'EMAIL_VERIFIED',
        resource: 'user',
        resourceId: account.user.id,
        oldValue: { email: before },
        newValue: { email: account.user.email },
        request,
      },
      now,
    ),
  ])
  if (changed === undefined) throw linkInvalid()
  const { account, before } = changed
  engine.live.forget({ kind: 'user', ref: account.user.id })
  for (const to of new Set([before, account.user.email])) {
    if (to !== null) sendMail(engine, addressChangedMail({ to, ipAddress: request.ipAddress ?? null }))
  }
  for (const { tenant, staff } of account.memberships) {
    if (staff.status !== 'active') continue
    void alert(engine, { alert: 'email_changed', tenantId: tenant.id, userId: account.user.id, request })
  }
}
