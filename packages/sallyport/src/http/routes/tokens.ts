/**
 * Refresh and logout.
 *
 * @module
 */

import { z } from 'zod'
import type { Engine } from '../../engine.ts'
import { invalidField, SallyportError } from '../../errors.ts'
import type { RequestFacts } from '../../internal/request-facts.ts'
import { failureRecorded } from '../../internal/recorded-failure.ts'
import { isReplay } from '../../refresh-tokens/is-replay.ts'
import type { RefreshOutcome } from '../../refresh-tokens/refresh.ts'
import { refresh } from '../../refresh-tokens/refresh.ts'
import { describeSession } from '../../sessions/describe.ts'
import { logout } from '../../sessions/logout.ts'
import { clearedCookies, sessionCookie } from '../cookies.ts'
import { deliver, issuedAtOf } from '../delivery.ts'
import type { FromClient } from '../client.ts'
import { clientOf } from '../client.ts'
import { limited } from '../limited.ts'
import type { Route } from '../route.ts'
import * as schemas from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

/** What a refresh is refused with, however the token came. */
const REFUSALS = [
  'REFRESH_TOKEN_INVALID',
  'REFRESH_TOKEN_REVOKED',
  'REFRESH_TOKEN_REUSED',
  'REFRESH_TOKEN_EXPIRED',
  'SESSION_INVALIDATED',
  'SESSION_REVOKED',
  'SESSION_EXPIRED',
  'INVALID_DPOP_PROOF',
  'WRONG_DELIVERY',
  'CSRF_REFUSED',
  'IP_BLOCKED',
  'IP_NOT_ALLOWED',
  'SESSION_BLOCKED',
  'RETRY',
  'STEP_UP_REQUIRED',
  'RATE_LIMITED',
  'UNAVAILABLE',
] as const

/**
 * Refreshes, and says in a header what happened. A refusal takes no cookie away: by the time it arrives the browser may hold
 * the cookie of another tab that was faster, or of a new sign-in, and a dead one does no harm.
 */
async function renew(
  from: FromClient,
  { refreshToken, delivery, stepUpToken, device }: Presented,
): Promise<Exclude<RefreshOutcome, { readonly kind: 'refused' }>> {
  const { guard, request, addHeader } = from
  const { engine } = guard
  const despite = () => isReplay(engine, refreshToken)
  return limited('refresh', { guard, request, subject: refreshToken, despite }, async () => {
    const client = await clientOf(from, { device })
    const outcome = await refresh(engine, {
      refreshToken,
      delivery,
      stepUpToken,
      proofs: client.proofs,
      request: client.request,
    })
    if (outcome.kind === 'refused') {
      const error = new SallyportError(outcome.code, outcome.message, { facts: outcome.facts ?? {} })
      // What a malformed token is refused for was never looked up, and a burst of tabs accuses nobody: neither left a row.
      throw outcome.recorded ? failureRecorded(error) : error
    }
    addHeader('sallyport-refresh', outcome.kind === 'rotated' ? 'rotated' : `replayed; cause=${outcome.cause}`)
    return outcome
  })
}

interface Presented {
  readonly refreshToken: string
  readonly delivery: 'body' | 'cookie'
  readonly stepUpToken?: string | undefined
  readonly device?: Pick<RequestFacts, 'deviceFingerprint' | 'deviceInfo'>
}

export const tokenRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'POST',
    path: '/api/auth/refresh',
    name: 'refresh',
    tag: 'Sign-in and tokens',
    summary: 'Exchange a refresh token for its successor and a fresh access token.',
    description:
      'A lost response is simply asked for again: the same successor is answered. `Sallyport-Refresh` says what happened. ' +
      '403, 409, 428, 429 and 5xx consume nothing: keep the token and send it again. Each refresh is scored: 428 asks for a ' +
      'step-up with the stepUpToken of the answer, after which the same refresh is sent again, from the same device. A session ' +
      'that was begun with a DPoP proof needs one by the same key each time (RFC 9449).',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: {
      action: ['AUTH_TOKEN_REFRESH', 'SUSPICIOUS_LOGIN_DETECTED'],
      failure: 'AUTH_REFRESH_FAILED',
      resource: 'auth_refresh',
    },
    body: {
      refreshToken: schemas.token
        .optional()
        .describe('Where the session delivers it in the body; else its cookie brings it.'),
      deviceFingerprint: schemas.deviceFingerprint.optional(),
      deviceInfo: schemas.deviceInfo.optional(),
      stepUpToken: schemas.token
        .optional()
        .describe('Of the 428, where the client shows no device: the step-up that it was passed by is then used.'),
    },
    responses: {
      200: {
        description: 'Fresh tokens.',
        body: z.strictObject({
          accessToken: z.string(),
          expiresIn: z.int().describe('Seconds.'),
          refreshToken: z.string().optional().describe('Left out where it is delivered as a cookie.'),
          session: schemas.session,
        }),
      },
    },
    errors: REFUSALS,
    async handle(input) {
      const { guard, body, headers, addHeader } = input
      const { engine } = guard
      const { refreshToken: given, stepUpToken, deviceFingerprint, deviceInfo } = body
      const cookie = given === undefined ? sessionCookie(engine.settings, headers) : undefined
      const refreshToken = given ?? cookie?.token
      if (refreshToken === undefined) throw invalidField('refreshToken', 'is required where no cookie brings it')
      const delivery = cookie === undefined ? 'body' : 'cookie'
      const device = { deviceFingerprint, deviceInfo }
      const renewed = await renew(input, { refreshToken, delivery, stepUpToken, device })
      const tokens = deliver(engine.settings, addHeader, delivery, renewed, renewed.session)
      const described = describeSession(renewed.session, renewed.session.id)
      return { status: 200, body: Object.assign(tokens, { session: described }) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/auth/logout',
    name: 'logout',
    tag: 'Sign-in and tokens',
    summary: 'Sign out: end the session of the credentials that are sent.',
    description: 'Always 200. A credential that is no good ends nothing, and repeating it changes nothing.',
    auth: { credential: ['accessToken'], optional: true },
    whileImpersonating: 'always',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'AUTH_LOGOUT', resource: 'session' },
    body: { refreshToken: schemas.token.optional() },
    responses: { 200: { description: 'Signed out.', body: z.strictObject({ ok: z.literal(true) }) } },
    errors: ['CSRF_REFUSED', 'UNAVAILABLE'],
    async handle({ guard: { engine }, request, credential, body, headers, addHeader }) {
      const cookie = body.refreshToken === undefined ? sessionCookie(engine.settings, headers) : undefined
      await logout(engine, {
        accessToken: credential?.token,
        proof: credential?.proof,
        refreshToken: body.refreshToken ?? cookie?.token,
        request,
      })
      if (cookie !== undefined) clear(engine, addHeader, cookie.name)
      return { status: 200, body: { ok: true } }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/auth/user/refresh-session',
    name: 'refreshSession',
    tag: 'Sign-in and tokens',
    summary: 'Refresh by the session cookie alone, in the form that some clients expect.',
    description: 'As `POST /api/auth/refresh` with a cookie; the refusals are the same.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: {
      action: ['AUTH_TOKEN_REFRESH', 'SUSPICIOUS_LOGIN_DETECTED'],
      failure: 'AUTH_REFRESH_FAILED',
      resource: 'auth_refresh',
    },
    responses: {
      201: {
        description: 'Fresh tokens; the refresh token is in the cookie.',
        body: z.strictObject({
          message: z.string(),
          accessToken: z.string(),
          accessIat: z.string().describe('When the access token was issued, in milliseconds.'),
        }),
      },
    },
    errors: REFUSALS,
    async handle(input) {
      const { guard, headers, addHeader } = input
      const { engine } = guard
      const cookie = sessionCookie(engine.settings, headers, { convention: true })
      if (cookie === undefined) {
        throw new SallyportError('REFRESH_TOKEN_INVALID', 'there is no session cookie; sign in again')
      }
      const presented = { refreshToken: cookie.token, delivery: 'cookie' } as const
      const renewed = await renew(input, presented)
      deliver(engine.settings, addHeader, 'cookie', renewed, renewed.session, cookie.name)
      const { accessToken } = renewed
      return {
        status: 201,
        body: { message: 'Session refreshed', accessToken, accessIat: String(issuedAtOf(accessToken)) },
      }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/auth/logout',
    name: 'logoutByCookie',
    tag: 'Sign-in and tokens',
    summary: 'Sign out by the session cookie alone, in the form that some clients expect.',
    auth: 'none',
    mutates: true,
    permission: null,
    stepUp: null,
    audit: { action: 'AUTH_LOGOUT', resource: 'session' },
    responses: {
      200: { description: 'Signed out.', body: z.strictObject({ ok: z.literal(true), message: z.string() }) },
    },
    errors: ['CSRF_REFUSED', 'UNAVAILABLE'],
    async handle({ guard: { engine }, request, headers, addHeader }) {
      const cookie = sessionCookie(engine.settings, headers, { convention: true })
      if (cookie !== undefined) {
        await logout(engine, { refreshToken: cookie.token, request })
        clear(engine, addHeader, cookie.name)
      }
      return { status: 200, body: { ok: true, message: 'Signed out' } }
    },
  }),
]

function clear(engine: Engine, addHeader: (name: string, value: string) => void, name: string): void {
  for (const line of clearedCookies(engine.settings, [name])) addHeader('set-cookie', line)
}
