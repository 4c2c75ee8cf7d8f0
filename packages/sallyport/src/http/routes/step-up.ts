/**
 * Step-ups: give a second factor for a purpose, or ask for what it is to be given with.
 *
 * @module
 */

import { z } from 'zod'
import type { SteppingUp } from '../../step-up/actor.ts'
import { passkeyOptions } from '../../step-up/passkey-options.ts'
import { sendEmailCode } from '../../step-up/send-email-code.ts'
import { factorOf, verifyRiskStepUp, verifyStepUp } from '../../step-up/verify.ts'
import { FACTOR_TYPES } from '../../store/contract/step-up.ts'
import { limited } from '../limited.ts'
import type { Route } from '../route.ts'
import { code, purpose, timestamp } from '../schemas.ts'
import { asSteppingUp } from '../step-up-credential.ts'
import { assertion, requestOptions } from '../webauthn-schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

/** A session's own, or that of the session or sign-in that waits. */
const auth = { credential: ['accessToken', 'stepUpToken'] } as const

/** What a session can be refused for besides. */
const OF_SESSIONS = [
  'TOKEN_EXPIRED',
  'INVALID_DPOP_PROOF',
  'SESSION_INVALIDATED',
  'SESSION_REVOKED',
  'SESSION_EXPIRED',
  'STEP_UP_REQUIRED',
  'FORBIDDEN',
  'UNAVAILABLE',
] as const

/** The session, or the sign-in that has none yet. */
function subjectOf(by: SteppingUp): string | undefined {
  return 'caller' in by ? by.caller.sessionId : (by.claims.sid ?? by.claims.sign_in)
}

export const stepUpRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'POST',
    path: '/api/security/step-up/verify',
    name: 'verifyStepUp',
    tag: 'Step-up',
    summary: 'Give a second factor for a purpose, which opens that purpose to this session for a while.',
    description:
      'A code is accepted once, for one purpose of one session. Wrong codes are limited for the person, whatever session they come through: 5 in 15 minutes, 20 in 24 hours; after 100 in a row the factor is disabled. ' +
      'A session that waits since its risk was seen sends its stepUpToken as Bearer, with the purpose session_risk.',
    auth,
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'STEP_UP_VERIFIED', resource: 'step_up' },
    body: {
      purpose: purpose.describe('What the factor is given for: built in, or registered by the host.'),
      factor: z
        .enum(FACTOR_TYPES)
        .optional()
        .describe('Defaults to passkey where an assertion is given, else to totp.'),
      code: code.optional(),
      assertion: assertion.optional().describe('With the factor passkey, in place of a code.'),
    },
    responses: {
      200: {
        description: 'The purpose is open to this session.',
        body: z.strictObject({ success: z.literal(true), purpose: z.string(), expiresAt: timestamp }),
      },
    },
    errors: ['NOT_WHILE_IMPERSONATING', 'INVALID_OTP', 'TOTP_NOT_ENABLED', 'NO_FACTOR', 'RATE_LIMITED', ...OF_SESSIONS],
    async handle({ guard, credential, body, request }) {
      const { engine } = guard
      const asked = { purpose: body.purpose, factor: factorOf(body) }
      const passed = await asSteppingUp(guard, { credential, request, action: 'STEP_UP_VERIFIED', asked }, (by) =>
        limited('stepUp', { guard, request, subject: subjectOf(by) }, () =>
          'caller' in by
            ? verifyStepUp(engine, by.caller, { ...body, request })
            : verifyRiskStepUp(engine, by.claims, { ...body, request }),
        ),
      )
      return { status: 200, body: { success: true, purpose: passed.purpose, expiresAt: passed.expiresAt } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/step-up/email-code',
    name: 'sendEmailCode',
    tag: 'Step-up',
    summary: 'Have a code sent by mail, for those who have nothing better.',
    description:
      'Eight digits, good for 10 minutes and 5 tries, for one purpose of this session or sign-in; a new one voids the one before. Three mails in 15 minutes at most.',
    auth,
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'STEP_UP_CODE_SENT', resource: 'step_up' },
    body: { purpose },
    responses: {
      202: { description: 'A code is on its way.', body: z.strictObject({ success: z.literal(true) }) },
    },
    errors: ['NOT_WHILE_IMPERSONATING', 'NO_FACTOR', 'RATE_LIMITED', ...OF_SESSIONS],
    async handle({ guard, credential, body, request }) {
      const asked = { ...body, factor: 'email_code' } as const
      await asSteppingUp(guard, { credential, request, action: 'STEP_UP_CODE_SENT', asked }, (by) =>
        limited('emailCode', { guard, request, subject: subjectOf(by) }, () =>
          sendEmailCode(guard.engine, by, { purpose: body.purpose, request }),
        ),
      )
      return { status: 202, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/security/step-up/passkey-options',
    name: 'passkeyOptions',
    tag: 'Step-up',
    summary: 'Ask for what the browser is to sign with a passkey.',
    description: 'Good for 5 minutes and one answer, for one purpose of this session or sign-in.',
    auth,
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'STEP_UP_VERIFIED', resource: 'step_up' },
    body: { purpose },
    responses: { 200: { description: 'For navigator.credentials.get().', body: requestOptions } },
    errors: ['NOT_WHILE_IMPERSONATING', 'NO_FACTOR', ...OF_SESSIONS],
    async handle({ guard, credential, body, request }) {
      const asked = { ...body, factor: 'passkey' } as const
      const options = await asSteppingUp(guard, { credential, request, action: 'STEP_UP_VERIFIED', asked }, (by) =>
        passkeyOptions(guard.engine, by, body),
      )
      return { status: 200, body: { ...options } as z.input<typeof requestOptions> }
    },
  }),
]
