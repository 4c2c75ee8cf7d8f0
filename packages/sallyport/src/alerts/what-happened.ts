/**
 * What people are told of, and what each of it asks them to do: the one table behind all alerts.
 *
 * @module
 */

/** What happened to an account. */
export const ALERTS = [
  'token_reused',
  'session_blocked',
  'new_device',
  'factor_enrolled',
  'factor_removed',
  'factor_locked',
  'factors_reset',
  'recovery_codes_replaced',
  'password_changed',
  'email_changed',
] as const
export type Alert = (typeof ALERTS)[number]

interface Texts {
  readonly subject: string
  /** To the person, where this table is what tells them. */
  readonly toPerson?: { readonly happened: string; readonly advice: string }
  /** To the tenant's admins, after the name of the person. */
  readonly toAdmins: { readonly happened: string; readonly advice: string }
}

const LOOK = 'Ask them whether it was them. If it was not, force them out of their sessions and look at the audit log.'

/** Nothing in it was typed by anyone: no stranger can make a mail say what they want said. */
export const WHAT_HAPPENED: Readonly<Record<Alert, Texts>> = {
  token_reused: {
    subject: 'A session may have been stolen',
    toAdmins: {
      happened:
        'a refresh token was used a second time, as a copied one is. The sessions that it could reach were ended.',
      advice: 'Ask them whether they know the place and the device, and look at the incident in the audit log.',
    },
  },
  session_blocked: {
    subject: 'A sign-in or a session was blocked',
    toPerson: {
      happened: 'Someone used your account in a way that looked like theft, so it was stopped.',
      advice:
        'If it was you, sign in again from a place you use often. If it was not, change your password and tell your administrator.',
    },
    toAdmins: {
      happened: 'a sign-in or a session was blocked, because its risk was too high.',
      advice: 'The audit log has the score and its reasons. If it was not them, have them change their password.',
    },
  },
  new_device: {
    subject: 'A sign-in from a new device',
    toPerson: {
      happened: 'Your account was signed in to from a device that it was not used from before.',
      advice:
        'If it was you, there is nothing to do. If it was not, end that session, change your password and tell your administrator.',
    },
    toAdmins: { happened: 'the account was signed in to from a new device.', advice: LOOK },
  },
  factor_enrolled: {
    subject: 'A second factor was added',
    toAdmins: { happened: 'a second factor was added.', advice: LOOK },
  },
  factor_removed: {
    subject: 'A second factor was removed',
    toAdmins: { happened: 'a second factor was removed, and the other sessions were ended.', advice: LOOK },
  },
  factor_locked: {
    subject: 'A second factor was disabled',
    toAdmins: {
      happened: 'a second factor was disabled, because a wrong code was given too many times in a row.',
      advice: 'Whoever gave them knew the password. Ask them; if it was not them, have them change it.',
    },
  },
  factors_reset: {
    subject: 'The second factors of a member were reset',
    toAdmins: {
      happened: 'an administrator removed all second factors, and ended the sessions.',
      advice: 'If nobody among you did this on purpose, look at the audit log for who did.',
    },
  },
  recovery_codes_replaced: {
    subject: 'Recovery codes were replaced',
    toAdmins: { happened: 'the recovery codes were replaced.', advice: LOOK },
  },
  password_changed: {
    subject: 'A password was changed',
    toAdmins: { happened: 'the password was changed, and the other sessions were ended.', advice: LOOK },
  },
  email_changed: {
    subject: 'An email address was changed',
    toAdmins: { happened: 'the email address was changed.', advice: LOOK },
  },
}
