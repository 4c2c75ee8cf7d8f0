/**
 * Asks for another email address, which counts once it is confirmed.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { emailAddress } from './email-address.ts'
import { newLink } from './link-token.ts'
import { addressChangeAskedMail, confirmAddressMail, knownAddressMail } from './mails.ts'
import { sendMail } from './send-mail.ts'

export interface ChangeEmailInput {
  readonly email: string
  readonly request: RequestFacts
}

/**
 * Sends a link to the new address, and tells the old one. Nothing changes before the link is followed, and an address that somebody
 * has is answered like any other: the mail to it then says so. Guard it with the step-up `security_settings`.
 *
 * @throws SallyportError `INVALID_REQUEST` for what is no address, `SESSION_REVOKED`.
 */
export async function changeEmail(engine: Engine, caller: Caller, { email, request }: ChangeEmailInput): Promise<void> {
  const { store, settings } = engine
  const to = emailAddress(email)
  const [mine, theirs] = await Promise.all([
    store.directory.account({ userId: caller.userId }),
    store.directory.account({ email: to }),
  ])
  // One's own in another spelling is free to oneself.
  const free = theirs === undefined || theirs.user.id === caller.userId
  const { raw, link } = newLink('email_change')
  const { tenantId, userId, sessionId } = caller
  const kept = await store.directory.requestEmailChange(
    { tenantId, userId, sessionId, link, email: to, free },
    (_, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'SETTINGS_UPDATED',
          resource: 'user',
          resourceId: userId,
          metadata: { setting: 'email', stage: 'asked' },
          request,
        },
        now,
      ),
    ],
  )
  if (!kept) throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  sendMail(
    engine,
    free
      ? confirmAddressMail({ to, issuer: settings.issuer, token: raw })
      : knownAddressMail({ to, issuer: settings.issuer }),
  )
  const old = mine?.user.email
  if (old != null) sendMail(engine, addressChangeAskedMail({ to: old, ipAddress: request.ipAddress ?? null }))
}
