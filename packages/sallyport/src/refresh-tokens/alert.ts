/**
 * Tells the owner of a stolen token and their tenant's admins what happened and what to do.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import type { Recipients } from '../alerts/recipients.ts'
import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { reuseMail } from '../directory/mails.ts'
import { sendMail } from '../directory/send-mail.ts'
import type { RefreshFacts } from '../store/contract/tokens.ts'

/** Sends the alert after the containment has committed. Never rejects: what could not be sent is logged. */
export async function sendReuseAlert(
  engine: Engine,
  facts: RefreshFacts,
  request: RequestFacts,
  recipients: Recipients | undefined,
): Promise<void> {
  try {
    const { tenantId, userId } = facts
    void alert(engine, { alert: 'token_reused', tenantId, userId, request, recipients })
    const account = await engine.store.directory.account({ userId: facts.userId })
    const { email: to, name } = account?.user ?? { email: null, name: '' }
    if (to === null) return
    const { ipAddress = null, userAgent = null } = request
    sendMail(engine, reuseMail({ to, name, at: facts.now, ipAddress, userAgent }))
  } catch (error) {
    engine.log.error({ err: error, familyId: facts.family.id }, 'whom to tell of a token reuse could not be read')
  }
}
