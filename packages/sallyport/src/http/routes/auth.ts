/**
 * Sign-up, sign-in, who one is, invitations, passwords and addresses.
 *
 * @module
 */

import { z } from 'zod'
import { acceptInvitation } from '../../directory/accept-invitation.ts'
import { changeEmail } from '../../directory/change-email.ts'
import { changePassword } from '../../directory/change-password.ts'
import { describeMember } from '../../directory/describe.ts'
import type { Engine } from '../../engine.ts'
import { listMemberships } from '../../directory/list-memberships.ts'
import { requestPasswordReset } from '../../directory/request-reset.ts'
import { resetPassword } from '../../directory/reset-password.ts'
import { ROLES } from '../../directory/roles.ts'
import { showInvitation } from '../../directory/show-invitation.ts'
import { signIn } from '../../directory/sign-in.ts'
import { signUp } from '../../directory/sign-up.ts'
import type { SignedIn } from '../../directory/signed-in.ts'
import { verifyEmail } from '../../directory/verify-email.ts'
import { whoAmI } from '../../directory/who-am-i.ts'
import { describeSession } from '../../sessions/describe.ts'
import { refuseForeignPage } from '../cookies.ts'
import { deliver } from '../delivery.ts'
import { completeSignIn } from '../../step-up/complete-sign-in.ts'
import { FACTOR_TYPES } from '../../store/contract/step-up.ts'
import { beginSession, sessionFields } from '../client.ts'
import { limited } from '../limited.ts'
import { nameSchema } from '../published.ts'
import type { Route } from '../route.ts'
import {
  anyId,
  code,
  email,
  name,
  opaque,
  password,
  session,
  staff,
  tenant,
  tenantName,
  timestamp,
  token,
  user,
} from '../schemas.ts'
import { assertion } from '../webauthn-schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const TAG = 'Sign-in and tokens'

const signedIn = nameSchema(
  'SignedIn',
  z.strictObject({
    user,
    tenant,
    staff,
    session,
    accessToken: z.string(),
    expiresIn: z.int().describe('Seconds.'),
    refreshToken: z.string().optional().describe('Left out where it is delivered as a cookie.'),
  }),
)

const success = z.strictObject({ success: z.literal(true) })

/** The answer, with the refresh token where the session's delivery puts it. */
function deliveredOf(
  engine: Engine,
  { member, issued }: SignedIn,
  addHeader: (name: string, value: string) => void,
): z.input<typeof signedIn> {
  const { user: person, tenant: place, staff: role } = describeMember(member, engine.settings.permissions)
  const { session: row } = issued
  return {
    user: person,
    tenant: place,
    staff: { ...role, permissions: [...role.permissions] },
    session: describeSession(row, row.id),
    ...deliver(engine.settings, addHeader, row.delivery, issued, row),
  }
}

export const authRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'POST',
    path: '/api/auth/sign-up',
    name: 'signUp',
    tag: TAG,
    summary: 'Sign a tenant up, with yourself as its owner.',
    description:
      'Where addresses are verified first, every sign-up is answered 202 and goes on by mail. Sets a device cookie.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: ['TENANT_CREATED', 'USER_JOINED'], resource: 'security' },
    body: { email, password, name, tenantName, ...sessionFields },
    responses: {
      201: { description: 'The tenant is there and you are signed in.', body: signedIn },
      202: { description: 'Look into your mail.', body: success },
    },
    errors: [
      'EMAIL_TAKEN',
      'PASSWORD_REJECTED',
      'FORBIDDEN',
      'INVALID_CREDENTIALS',
      'INVALID_DPOP_PROOF',
      'CSRF_REFUSED',
      'RATE_LIMITED',
      'UNAVAILABLE',
    ],
    async handle(input) {
      const { guard, body, addHeader } = input
      const { email: address, password: given, name: named, tenantName: tenantNamed } = body
      const limit = { what: 'signUp', subject: address.toLowerCase() } as const
      const outcome = await beginSession({ ...input, limit }, (wish) =>
        signUp(guard.engine, { ...wish, email: address, password: given, name: named, tenantName: tenantNamed }),
      )
      if (outcome.kind === 'by-mail') return { status: 202, body: { success: true } }
      return { status: 201, body: deliveredOf(guard.engine, outcome, addHeader) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/login',
    name: 'login',
    tag: TAG,
    summary: 'Sign in with email and password.',
    description:
      'Wrong address, wrong password and a disabled account are answered alike. 409 `TENANT_REQUIRED` lists the tenants of ' +
      'a person who is in several: name one and send the same again. Each sign-in is scored: 428 asks for a second factor, 401 ' +
      '`SESSION_BLOCKED` is a stop. With a DPoP proof (RFC 9449) the session is bound to its key. Sets a device cookie.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'AUTH_LOGIN', failure: 'AUTH_LOGIN_FAILED', resource: 'user' },
    body: {
      email,
      password,
      tenant: opaque(128, { description: 'The id or the slug of the tenant.' }).optional(),
      ...sessionFields,
    },
    responses: { 200: { description: 'You are signed in.', body: signedIn } },
    errors: [
      'INVALID_CREDENTIALS',
      'TENANT_REQUIRED',
      'INVALID_DPOP_PROOF',
      'CSRF_REFUSED',
      'IP_BLOCKED',
      'IP_NOT_ALLOWED',
      'STEP_UP_REQUIRED',
      'SESSION_BLOCKED',
      'SESSION_LIMIT',
      'RATE_LIMITED',
      'UNAVAILABLE',
    ],
    async handle(input) {
      const { guard, body, addHeader } = input
      const { email: address, password: given, tenant: named } = body
      const limit = { what: 'signIn', subject: address.toLowerCase() } as const
      const outcome = await beginSession({ ...input, limit }, (wish) =>
        signIn(guard.engine, { ...wish, email: address, password: given, tenant: named }),
      )
      return { status: 200, body: deliveredOf(guard.engine, outcome, addHeader) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/login/step-up',
    name: 'loginStepUp',
    tag: TAG,
    summary: 'Go on with a sign-in that was answered 428, by a second factor.',
    description:
      'The stepUpToken is that of the 428. A sign-in is completed once; wrong codes count as those of step-ups do. Codes by mail and passkey challenges are asked for at the step-up endpoints, with the stepUpToken as Bearer.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'AUTH_LOGIN', failure: 'AUTH_LOGIN_FAILED', resource: 'user' },
    body: {
      stepUpToken: token,
      factor: z
        .enum(FACTOR_TYPES)
        .optional()
        .describe('Defaults to passkey where an assertion is given, else to totp.'),
      code: code.optional(),
      assertion: assertion.optional().describe('With the factor passkey, in place of a code.'),
    },
    responses: { 200: { description: 'You are signed in.', body: signedIn } },
    errors: [
      'INVALID_OTP',
      'TOTP_NOT_ENABLED',
      'NO_FACTOR',
      'INVALID_TOKEN',
      'TOKEN_EXPIRED',
      'SESSION_BLOCKED',
      'INVALID_CREDENTIALS',
      'CSRF_REFUSED',
      'IP_BLOCKED',
      'IP_NOT_ALLOWED',
      'RATE_LIMITED',
      'UNAVAILABLE',
    ],
    async handle({ guard, request, body, headers, addHeader }) {
      const { engine } = guard
      const counted = { guard, request, subject: body.stepUpToken }
      const beforeCookie = () => refuseForeignPage(engine.settings, headers)
      const outcome = await limited('stepUp', counted, () => completeSignIn(engine, { ...body, request, beforeCookie }))
      return { status: 200, body: deliveredOf(engine, outcome, addHeader) }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/auth/me',
    name: 'me',
    tag: TAG,
    summary: 'Who you are, where, and in which session.',
    auth: 'session',
    mutates: false,
    responses: {
      200: {
        description: 'You.',
        body: z.strictObject({
          user,
          tenant,
          staff,
          session,
          impersonation: z
            .strictObject({
              realUser: z.strictObject({ id: anyId, name: z.string() }),
              startedAt: timestamp,
              expiresAt: timestamp,
              reason: z.string().nullable(),
            })
            .nullable()
            .describe('Who acts in your name, where somebody does.'),
          factors: z.array(
            z.strictObject({
              id: anyId,
              type: z.string(),
              label: z.string(),
              createdAt: timestamp,
              lastUsedAt: timestamp.nullable(),
            }),
          ),
        }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      const { staff: place, factors, ...rest } = await whoAmI(engine, caller)
      return {
        status: 200,
        body: { ...rest, staff: { ...place, permissions: [...place.permissions] }, factors: [...factors] },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/auth/memberships',
    name: 'listMemberships',
    tag: TAG,
    summary: 'The tenants that you are in.',
    description: 'Sign in to another one by naming it: a session belongs to one tenant.',
    auth: 'session',
    mutates: false,
    responses: {
      200: {
        description: 'Oldest first.',
        body: z.strictObject({
          memberships: z.array(
            z.strictObject({
              tenant,
              role: z.enum(ROLES),
              isCurrent: z.boolean().describe('Whether this request speaks from there.'),
            }),
          ),
        }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      return { status: 200, body: { memberships: await listMemberships(engine, caller) } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/invitations/show',
    name: 'showInvitation',
    tag: TAG,
    summary: 'See what a link invites you to, and use nothing up.',
    auth: 'none',
    mutates: false,
    body: { token },
    responses: {
      200: {
        description: 'The invitation.',
        body: z.strictObject({
          email: z.string(),
          name: z.string().describe('As the inviter wrote it.'),
          role: z.enum(ROLES),
          tenant: z.strictObject({ name: z.string() }),
          invitedBy: z.string().nullable(),
          expiresAt: timestamp,
          hasAccount: z.boolean().describe('Whether the address has an account: its own password is then asked for.'),
        }),
      },
    },
    errors: ['LINK_INVALID', 'IP_BLOCKED', 'IP_NOT_ALLOWED', 'RATE_LIMITED', 'UNAVAILABLE'],
    async handle({ guard, request, body }) {
      const counted = { guard, request, subject: body.token }
      const shown = await limited('reset', counted, () => showInvitation(guard.engine, { token: body.token, request }))
      return { status: 200, body: shown }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/invitations/accept',
    name: 'acceptInvitation',
    tag: TAG,
    summary: 'Join the tenant that you were invited to.',
    description:
      'Who has an account already gives its password; everybody else chooses one. With an account this is a sign-in like any other, which 428 may ask a second factor of: by then the link is used. Sets a device cookie.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'USER_JOINED', resource: 'tenant_staff' },
    body: { token, name, password, ...sessionFields },
    responses: { 201: { description: 'You have joined and are signed in.', body: signedIn } },
    errors: [
      'LINK_INVALID',
      'PASSWORD_REJECTED',
      'INVALID_CREDENTIALS',
      'INVALID_DPOP_PROOF',
      'CSRF_REFUSED',
      'ALREADY_MEMBER',
      'CONFLICT',
      'IP_BLOCKED',
      'IP_NOT_ALLOWED',
      'STEP_UP_REQUIRED',
      'SESSION_BLOCKED',
      'SESSION_LIMIT',
      'RATE_LIMITED',
      'UNAVAILABLE',
    ],
    async handle(input) {
      const { guard, body, addHeader } = input
      const { token: link, name: named, password: given } = body
      // Whoever has an account is asked for its password: the link must not be a way to guess it.
      const limit = { what: 'signIn', subject: link } as const
      const outcome = await beginSession({ ...input, limit }, (wish) =>
        acceptInvitation(guard.engine, { ...wish, token: link, name: named, password: given }),
      )
      return { status: 201, body: deliveredOf(guard.engine, outcome, addHeader) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/password',
    name: 'changePassword',
    tag: TAG,
    summary: 'Change your password.',
    description:
      'Ends all of your other sessions, in every tenant. This one goes on with the access token of the answer.',
    auth: 'session',
    mutates: true,
    permission: null,
    stepUp: 'security_settings',
    audit: { action: 'PASSWORD_CHANGED', resource: 'user' },
    body: { currentPassword: password, newPassword: password },
    responses: {
      200: {
        description: 'The password is changed.',
        body: z.strictObject({ accessToken: z.string(), expiresIn: z.int().describe('Seconds.'), session }),
      },
    },
    errors: ['INVALID_CREDENTIALS', 'PASSWORD_REJECTED', 'FORBIDDEN', 'RATE_LIMITED', 'SESSION_REVOKED', 'UNAVAILABLE'],
    async handle({ guard: { engine }, caller, request, body }) {
      const { accessToken, expiresIn, session: row } = await changePassword(engine, caller, { ...body, request })
      return { status: 200, body: { accessToken, expiresIn, session: describeSession(row, caller.sessionId) } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/password/reset-request',
    name: 'requestPasswordReset',
    tag: TAG,
    summary: 'Ask for a link that sets a new password.',
    description: 'Always 202: the answer does not tell whether the address is known.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'PASSWORD_RESET_REQUESTED', resource: 'user' },
    body: { email },
    responses: { 202: { description: 'If there is such an account, a mail is on its way.', body: success } },
    errors: ['RATE_LIMITED', 'UNAVAILABLE'],
    async handle({ guard, request, body }) {
      const counted = { guard, request, subject: body.email.toLowerCase() }
      await limited('reset', counted, () => requestPasswordReset(guard.engine, { email: body.email, request }))
      return { status: 202, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/password/reset',
    name: 'resetPassword',
    tag: TAG,
    summary: 'Set a new password by the link that was mailed.',
    description: 'Ends all of your sessions and opens none. Second factors stay as they are.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'PASSWORD_CHANGED', resource: 'user' },
    body: { token, password },
    responses: { 200: { description: 'The password is set. Sign in.', body: success } },
    errors: ['LINK_INVALID', 'PASSWORD_REJECTED', 'RATE_LIMITED', 'UNAVAILABLE'],
    async handle({ guard, request, body }) {
      const counted = { guard, request, subject: body.token }
      await limited('reset', counted, () => resetPassword(guard.engine, { ...body, request }))
      return { status: 200, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/email',
    name: 'changeEmail',
    tag: TAG,
    summary: 'Ask for another email address.',
    description:
      'A link goes to the new address, and word of it to the old one; nothing changes before the link is followed. The answer does not tell whether the address is known.',
    auth: 'session',
    mutates: true,
    permission: null,
    stepUp: 'security_settings',
    audit: { action: 'SETTINGS_UPDATED', resource: 'user' },
    body: { email },
    responses: { 202: { description: 'A mail is on its way to the new address.', body: success } },
    errors: ['FORBIDDEN', 'RATE_LIMITED'],
    async handle({ guard, caller, request, body }) {
      const counted = { guard, request, subject: caller.userId }
      await limited('emailCode', counted, () => changeEmail(guard.engine, caller, { email: body.email, request }))
      return { status: 202, body: { success: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/email/verify',
    name: 'verifyEmail',
    tag: TAG,
    summary: 'Confirm your address by the link that was mailed.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: ['EMAIL_VERIFIED', 'TENANT_CREATED', 'USER_JOINED'], resource: 'user' },
    body: { token },
    responses: { 200: { description: 'The address is confirmed.', body: success } },
    errors: ['LINK_INVALID', 'UNAVAILABLE'],
    async handle({ guard: { engine }, request, body }) {
      await verifyEmail(engine, { token: body.token, request })
      return { status: 200, body: { success: true } }
    },
  }),
]
