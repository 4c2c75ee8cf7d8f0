/**
 * The port of outgoing mail.
 *
 * @module
 */

/** What a mail is about; the development outbox and tests find mails by it. */
export const MAIL_KINDS = [
  'invitation',
  'email_verification',
  'password_reset',
  'password_changed',
  'sign_up_known_address',
  'factor_enrolled',
  'factor_disabled',
  'token_reused',
  'impersonated',
  'step_up_code',
  'security_alert',
  'email_change',
  'email_changed',
] as const
/** What a mail is about. */
export type MailKind = (typeof MAIL_KINDS)[number]

/** One mail. `token` is beside the link in the text, for the development outbox; a transport for real mail ignores it. */
export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly kind: MailKind
  readonly token?: string | undefined
  readonly code?: string | undefined
}

/** Sends mail. Called after commit; a rejection is logged and never undoes what the mail is about. */
export interface Mailer {
  send(mail: Mail): Promise<void>
}
