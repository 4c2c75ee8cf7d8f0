/**
 * Confirms an email address by the link that was sent to it, and creates the tenant where a sign-up waited for that.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { TenantId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { UserRow } from '../store/contract/directory.ts'
import { confirmEmailChange } from './confirm-email-change.ts'
import { filedUnder } from './filed-under.ts'
import { hashOfPresented, linkInvalid } from './link-token.ts'
import { newTenant, newTenantRows } from './new-tenant.ts'

export interface VerifyEmailInput {
  readonly token: string
  readonly request: RequestFacts
}

/**
 * Confirms an address: of a sign-up, or the one that is to take another's place.
 *
 * @throws SallyportError `LINK_INVALID`, also when somebody else has the address by now.
 */
export async function verifyEmail(engine: Engine, { token, request }: VerifyEmailInput): Promise<void> {
  const { store, live } = engine
  const tokenHash = hashOfPresented(token)
  const link = await store.directory.link('email_verification', tokenHash)
  if (link === undefined) return confirmEmailChange(engine, tokenHash, request)
  if (link.kind !== 'email_verification') throw linkInvalid()
  if (link.signUp === undefined) {
    const verified = await store.directory.verifyEmail(tokenHash, (account, now) => [
      emailVerifiedRow(account.user, filedUnder(account), request, now),
    ])
    if (verified === undefined) throw linkInvalid()
    live.forget({ kind: 'user', ref: verified.user.id })
    return
  }
  const created = await store.directory.completeSignUp(
    tokenHash,
    newTenant({ email: link.email, ...link.signUp }),
    (member, now) => [
      ...newTenantRows(member, request, now),
      emailVerifiedRow(member.user, member.tenant.id, request, now),
    ],
  )
  if (created === undefined || created === 'email-taken') throw linkInvalid()
}

/** Whoever follows a link has the mailbox, and with it the address. */
export function emailVerifiedRow(user: UserRow, tenantId: TenantId | null, request: RequestFacts, now: Date): AuditRow {
  return auditRow(
    {
      tenantId,
      userId: user.id,
      actorName: user.name,
      action: 'EMAIL_VERIFIED',
      resource: 'user',
      resourceId: user.id,
      request,
    },
    now,
  )
}
