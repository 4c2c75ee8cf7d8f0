/**
 * Sends the link that sets a new password, where there is a password to reset; to whoever asks it always says the same.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { emailAddress } from './email-address.ts'
import { filedUnder } from './filed-under.ts'
import { newLink } from './link-token.ts'
import { resetMail } from './mails.ts'
import { sendMail } from './send-mail.ts'

export interface RequestResetInput {
  readonly email: string
  readonly request: RequestFacts
}

/**
 * An unknown address, a disabled account and one whose sign-in is the host's get no mail, after the same reads and writes.
 *
 * @throws SallyportError `INVALID_REQUEST` for what is no address, `UNAVAILABLE`.
 */
export async function requestPasswordReset(engine: Engine, { email, request }: RequestResetInput): Promise<void> {
  const { store, settings } = engine
  const address = emailAddress(email)
  const account = await store.directory.account({ email: address })
  const entitled =
    account !== undefined && !account.user.disabled && account.passwordHash !== null ? account : undefined
  const { raw, link } = newLink('password_reset')
  const to = entitled?.user.email ?? address
  await store.directory.requestReset({ link, userId: entitled?.user.id, email: to }, (_, now) => [
    auditRow(
      {
        tenantId: filedUnder(account),
        action: 'PASSWORD_RESET_REQUESTED',
        // Anyone may ask for anyone: the account is whom it happened to, not who asked.
        outcome: entitled === undefined ? 'FAIL' : 'SUCCESS',
        failureReason: entitled === undefined ? 'NOT_FOUND' : undefined,
        resource: 'user',
        resourceId: account?.user.id,
        request,
      },
      now,
    ),
  ])
  // To the address on file, never to the one in the request: they may differ in case, and so in mailbox.
  if (entitled !== undefined) sendMail(engine, resetMail({ to, issuer: settings.issuer, token: raw }))
}
