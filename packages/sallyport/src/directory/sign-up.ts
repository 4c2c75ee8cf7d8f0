/**
 * Signs a tenant up, with the person who asks as its owner.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { emailAddress } from './email-address.ts'
import { newLink } from './link-token.ts'
import { knownAddressMail, verificationMail } from './mails.ts'
import { newTenant, newTenantRows } from './new-tenant.ts'
import { acceptPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { sendMail } from './send-mail.ts'
import { invalidCredentials } from './sign-in.ts'
import type { SessionWish, SignedIn } from './signed-in.ts'
import { startSession } from './signed-in.ts'

export interface SignUpInput extends SessionWish {
  readonly email: string
  readonly password: string
  readonly name: string
  readonly tenantName: string
}

export type SignUpOutcome =
  | ({ readonly kind: 'signed-up' } & SignedIn)
  /** It goes on by mail, whoever has the address. */
  | { readonly kind: 'by-mail' }

/**
 * Creates the tenant and signs its owner in; with `signUp.verifyEmailFirst` it only sends a mail, and nothing of the answer
 * tells whether the address was known. Until it is confirmed, such a sign-up takes neither the address nor a slug.
 *
 * @throws SallyportError `EMAIL_TAKEN`, `PASSWORD_REJECTED`, `INVALID_REQUEST`, `FORBIDDEN` where sign-up is off.
 */
export async function signUp(engine: Engine, input: SignUpInput): Promise<SignUpOutcome> {
  const { settings, store } = engine
  if (!settings.signUp.enabled) throw new SallyportError('FORBIDDEN', 'sign-up is closed here; ask for an invitation')
  const email = emailAddress(input.email)
  const { name, tenantName } = input
  acceptPassword(
    settings,
    input.password,
    { email, name, words: [tenantName, new URL(settings.issuer).hostname] },
    'password',
  )
  const passwordHash = await hashPassword(input.password)
  const { raw, link } = newLink('email_verification')

  if (settings.signUp.verifyEmailFirst) {
    const known = (await store.directory.account({ email })) !== undefined
    const signUp = known ? undefined : { tenantName, userName: name, passwordHash }
    await store.directory.requestSignUp({ link, email, signUp })
    const to = { to: email, issuer: settings.issuer }
    sendMail(engine, known ? knownAddressMail(to) : verificationMail({ ...to, token: raw }))
    return { kind: 'by-mail' }
  }

  const created = await store.directory.createTenant(
    { ...newTenant({ email, tenantName, userName: name, passwordHash }), link },
    (member, now) => newTenantRows(member, input.request, now),
  )
  if (created === 'email-taken') throw new SallyportError('EMAIL_TAKEN', 'there is an account with this address')
  sendMail(engine, verificationMail({ to: email, issuer: settings.issuer, token: raw }))
  const signedIn = await startSession(engine, created, input, { method: 'password', after: 'sign_up' })
  if (signedIn === undefined) throw invalidCredentials()
  return { kind: 'signed-up', ...signedIn }
}
