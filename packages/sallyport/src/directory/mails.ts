/**
 * The texts of the mails.
 *
 * Links carry their token in the fragment, which browsers keep to themselves: no server log and no `Referer` ever holds it.
 *
 * @module
 */

import type { Role } from './roles.ts'
import type { Mail, MailKind } from './mailer.ts'

/** What all mails with a link need. */
export interface LinkMailInput {
  readonly to: string
  /** The base of links. */
  readonly issuer: string
  readonly token: string
}

export function invitationMail(
  input: LinkMailInput & { readonly tenantName: string; readonly inviterName: string; readonly role: Role },
): Mail {
  const tenant = oneLine(input.tenantName)
  return compose('invitation', input.to, `You are invited to join ${tenant}`, {
    before: [`${oneLine(input.inviterName)} invites you to join ${tenant} as ${input.role}.`],
    link: { label: 'Accept the invitation', url: linkTo(input, 'accept-invitation') },
    after: ['The link works once, for 7 days. If you do not know who invites you, ignore this mail.'],
    token: input.token,
  })
}

/** Names nobody: whoever typed the address may have typed anything else, and a stranger reads it. */
export function verificationMail(input: LinkMailInput): Mail {
  return compose('email_verification', input.to, 'Confirm your email address', {
    before: ['An account was signed up with this address.'],
    link: { label: 'Confirm the address', url: linkTo(input, 'verify-email') },
    after: ['The link works once, for 24 hours. If this was not you, ignore this mail: do not confirm.'],
    token: input.token,
  })
}

/** The other outcome of a sign-up that goes on by mail. */
export function knownAddressMail({ to, issuer }: Omit<LinkMailInput, 'token'>): Mail {
  return compose('sign_up_known_address', to, 'You have an account already', {
    before: [
      'Someone, perhaps you, signed up with this address. There is an account with it, so nothing was created.',
      'If you do not know the password any more, ask for a new one.',
    ],
    link: { label: 'Sign in', url: `${issuer}/` },
    after: ['If this was not you, there is nothing to do.'],
  })
}

export function resetMail(input: LinkMailInput): Mail {
  return compose('password_reset', input.to, 'Set a new password', {
    before: ['A new password was asked for on your account.'],
    link: { label: 'Set a new password', url: linkTo(input, 'reset') },
    after: ['The link works once, for one hour. If this was not you, ignore this mail: your password stays as it is.'],
    token: input.token,
  })
}

export function passwordChangedMail({
  to,
  ipAddress,
}: {
  readonly to: string
  readonly ipAddress: string | null
}): Mail {
  return compose('password_changed', to, 'Your password was changed', {
    before: [
      `The password of your account was changed${ipAddress === null ? '' : `, from the address ${ipAddress}`}. Your other sessions were ended.`,
    ],
    after: ['If this was not you, set a new password at once and tell your administrator.'],
  })
}

/** Told where the tenant wants it: nobody should learn of it from a list of sessions alone. */
export function impersonationMail({
  to,
  name,
  reason,
}: {
  readonly to: string
  readonly name: string
  readonly reason: string
}): Mail {
  const who = oneLine(name)
  return compose('impersonated', to, `${who} is acting in your name`, {
    before: [
      `${who}, of your team, is looking at your account and can act in your name, for half an hour at most.`,
      `The reason given: ${oneLine(reason, 500)}`,
    ],
    after: [
      'You see it in your list of sessions, where you can end it at any time. Whatever is done meanwhile is recorded with both names.',
    ],
  })
}

export function reuseMail(input: {
  readonly to: string
  readonly name: string
  readonly at: Date
  readonly ipAddress: string | null
  readonly userAgent: string | null
}): Mail {
  return compose('token_reused', input.to, 'Your session may have been stolen', {
    before: [
      `Hello ${oneLine(input.name)},`,
      'a refresh token of yours was used a second time. Either somebody copied it, or an old copy was restored on one of your devices. To be safe, the sessions that it could reach were ended.',
      `When: ${input.at.toISOString()}`,
      `From: ${input.ipAddress ?? 'an unknown address'}`,
      `With: ${input.userAgent === null ? 'an unknown program' : oneLine(input.userAgent, 200)}`,
    ],
    after: [
      'Sign in again. If you do not recognise the place or the device, change your password and tell your administrator.',
    ],
  })
}

/** To a person or to an admin, of what happened to an account and what to do. */
export function alertMail(input: {
  readonly to: string
  readonly subject: string
  readonly happened: string
  readonly advice: string
  /** The name of whom it happened to, where that is somebody else. */
  readonly about: string | undefined
  readonly ipAddress: string | null
  readonly userAgent: string | null
}): Mail {
  const happened = input.about === undefined ? input.happened : `${oneLine(input.about)}: ${input.happened}`
  return compose('security_alert', input.to, input.subject, {
    before: [
      happened,
      `From: ${input.ipAddress ?? 'an unknown address'}`,
      `With: ${input.userAgent === null ? 'an unknown program' : oneLine(input.userAgent, 200)}`,
    ],
    after: [input.advice],
  })
}

export function confirmAddressMail(input: LinkMailInput): Mail {
  return compose('email_change', input.to, 'Confirm your new email address', {
    before: ['An account is to have this address from now on.'],
    link: { label: 'Confirm the address', url: linkTo(input, 'verify-email') },
    after: ['The link works once, for 24 hours. If this was not you, ignore this mail: do not confirm.'],
    token: input.token,
  })
}

/** To the address on file, before anything is changed: whoever reads it can still stop it. */
export function addressChangeAskedMail({
  to,
  ipAddress,
}: {
  readonly to: string
  readonly ipAddress: string | null
}): Mail {
  return compose('email_changed', to, 'Your email address is to be changed', {
    before: [
      `Another email address was named for your account${ipAddress === null ? '' : `, from the address ${ipAddress}`}. It takes the place of this one when it is confirmed.`,
    ],
    after: ['If this was not you, end your sessions, change your password and tell your administrator.'],
  })
}

/** To both addresses, afterwards. */
export function addressChangedMail({
  to,
  ipAddress,
}: {
  readonly to: string
  readonly ipAddress: string | null
}): Mail {
  return compose('email_changed', to, 'Your email address was changed', {
    before: [
      `The email address of your account was changed${ipAddress === null ? '' : `, from the address ${ipAddress}`}.`,
    ],
    after: ['If this was not you, tell your administrator at once: mails for you go elsewhere now.'],
  })
}

interface Content {
  readonly before: readonly string[]
  readonly link?: { readonly label: string; readonly url: string }
  readonly after: readonly string[]
  readonly token?: string
}

function compose(kind: MailKind, to: string, subject: string, { before, link, after, token }: Content): Mail {
  const text = [...before, ...(link === undefined ? [] : [`${link.label}: ${link.url}`]), ...after]
  const html = [
    ...before.map(paragraph),
    ...(link === undefined ? [] : [`<p><a href="${escapeHtml(link.url)}">${escapeHtml(link.label)}</a></p>`]),
    ...after.map(paragraph),
  ]
  return {
    to,
    subject,
    text: `${text.join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(subject)}</title><body>${html.join('')}</body></html>`,
    kind,
    ...(token === undefined ? {} : { token }),
  }
}

function linkTo({ issuer, token }: LinkMailInput, page: string): string {
  return `${issuer}/${page}#token=${token}`
}

function paragraph(line: string): string {
  return `<p>${escapeHtml(line)}</p>`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/**
 * Text that people chose, fit for a subject and for a stranger's eyes: a line break would begin a header, marks of writing
 * direction would turn the rest of the line around, and a name as long as a letter would be one.
 */
function oneLine(text: string, max = 80): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const characters = Array.from(line)
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`
}
