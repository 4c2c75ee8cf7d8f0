/**
 * Tells the owner of an account what became of its second factors, so that a change that was not theirs does not stay unseen.
 *
 * @module
 */

import { alert } from '../alerts/alert.ts'
import type { Alert } from '../alerts/what-happened.ts'
import type { Mail } from '../directory/mailer.ts'
import { sendMail } from '../directory/send-mail.ts'
import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { FactorOwner } from '../store/contract/step-up.ts'

export interface FactorChange {
  /** `locked`: disabled after too many wrong guesses. `codes`: the recovery codes were replaced. `reset`: an administrator removed them all. */
  readonly change: 'enrolled' | 'removed' | 'locked' | 'codes' | 'reset'
  /** As people call it: "authenticator app". */
  readonly factor: string
  readonly request: RequestFacts
}

const ALERT_OF: Readonly<Record<FactorChange['change'], Alert>> = {
  enrolled: 'factor_enrolled',
  removed: 'factor_removed',
  locked: 'factor_locked',
  codes: 'recovery_codes_replaced',
  reset: 'factors_reset',
}

/** Sends the mails after the change has committed: to an owner who has an address, and to the admins of the tenant. */
export function tellOwner(
  engine: Pick<Engine, 'mailer' | 'log' | 'store'>,
  of: { readonly tenantId: TenantId; readonly userId: UserId },
  owner: FactorOwner,
  change: FactorChange,
): void {
  if (owner.email !== null) sendMail(engine, factorMail(owner.email, change))
  const { tenantId, userId } = of
  void alert(engine, { alert: ALERT_OF[change.change], tenantId, userId, request: change.request })
}

/** Nothing in it was typed by anyone, so that the mail cannot be made to say what a stranger wants said. */
export function factorMail(to: string, { change, factor, request }: FactorChange): Mail {
  const { subject, happened, advice, kind } = textOf(change, factor)
  const from = request.ipAddress === undefined ? '' : ` The request came from ${request.ipAddress}.`
  const lines = [`${happened}${from}`, advice]
  return {
    to,
    subject,
    text: `${lines.join('\n\n')}\n`,
    html: lines.map((line) => `<p>${line}</p>`).join(''),
    kind,
  }
}

interface ChangeText extends Pick<Mail, 'kind' | 'subject'> {
  readonly happened: string
  readonly advice: string
}

const NOT_YOU = 'If this was not you, change your password, look through your sessions and tell your administrator.'

function textOf(change: FactorChange['change'], factor: string): ChangeText {
  switch (change) {
    case 'enrolled':
      return {
        kind: 'factor_enrolled',
        subject: 'A second factor was added to your account',
        happened: `A second factor was added to your account: ${factor}.`,
        advice: NOT_YOU,
      }
    case 'removed':
      return {
        kind: 'factor_disabled',
        subject: 'A second factor was removed from your account',
        happened: `The ${factor} was removed from your account, and your other sessions were ended.`,
        advice: NOT_YOU,
      }
    case 'locked':
      return {
        kind: 'factor_disabled',
        subject: 'A second factor of your account was disabled',
        happened: `The ${factor} of your account was disabled, because a wrong code was given too many times in a row.`,
        advice: `If you did not give them, someone is signed in to your account: end your sessions and change your password. Otherwise remove the ${factor} with the help of another factor, and add it again.`,
      }
    case 'reset':
      return {
        kind: 'factor_disabled',
        subject: 'Your second factors were removed',
        happened: `An administrator removed your ${factor} and recovery codes, and ended your sessions. Until you add a factor again, your password alone opens your account.`,
        advice: 'If you did not ask for this, change your password now and tell your administrator.',
      }
    case 'codes':
      return {
        kind: 'factor_enrolled',
        subject: 'Your recovery codes were replaced',
        happened: 'Your account has new recovery codes. The ones from before no longer work.',
        advice: NOT_YOU,
      }
  }
}

/** Names neither the service's page nor a link: a code that is asked for on another page is asked for by a thief. */
export function emailCodeMail(to: string, code: string): Mail {
  const lines = [
    `Your code is ${code}.`,
    'It works once, for 10 minutes, on the page that asked for it. Nobody of ours ever asks you for it.',
    'If you did not ask for it, someone knows your password: change it, and look through your sessions.',
  ]
  return {
    to,
    subject: 'Your code',
    text: `${lines.join('\n\n')}\n`,
    html: lines.map((line) => `<p>${line}</p>`).join(''),
    kind: 'step_up_code',
    code,
  }
}
