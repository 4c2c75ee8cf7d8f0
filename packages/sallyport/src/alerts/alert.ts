/**
 * Tells a person and their tenant's admins what happened to an account, and what to do about it.
 *
 * @module
 */

import { alertMail } from '../directory/mails.ts'
import { sendMail } from '../directory/send-mail.ts'
import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Recipients } from './recipients.ts'
import { recipientsOf } from './recipients.ts'
import type { Alert } from './what-happened.ts'
import { WHAT_HAPPENED } from './what-happened.ts'

export interface AlertInput {
  readonly alert: Alert
  readonly tenantId: TenantId
  /** To whom it happened. */
  readonly userId: UserId
  readonly request: RequestFacts
  /** Where they were read before, so that they are the ones whom the incident names. */
  readonly recipients?: Recipients | undefined
}

/**
 * Sends the mails. Call it after the commit; it need not be waited for. It never rejects: what could not be sent is logged, since no
 * mail undoes what it is about. The person is told here of what has no mail of its own.
 */
export async function alert(engine: Pick<Engine, 'store' | 'mailer' | 'log'>, input: AlertInput): Promise<void> {
  const { alert: what, request } = input
  const recipients = 'recipients' in input ? input.recipients : await recipientsOf(engine, input)
  if (recipients === undefined) return
  const { about, person, admins } = recipients
  const { subject, toPerson, toAdmins } = WHAT_HAPPENED[what]
  const from = { ipAddress: request.ipAddress ?? null, userAgent: request.userAgent ?? null }
  if (toPerson !== undefined && person !== undefined) {
    sendMail(engine, alertMail({ ...from, ...toPerson, to: person.email, subject, about: undefined }))
  }
  for (const { email } of admins) sendMail(engine, alertMail({ ...from, ...toAdmins, to: email, subject, about }))
}
