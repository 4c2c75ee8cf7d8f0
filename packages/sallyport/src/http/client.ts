/**
 * What is known of the client behind a sign-in or a refresh: its device, and the key that it proves; and how a session begins for it.
 *
 * @module
 */

import { z } from 'zod'
import type { SessionWish } from '../directory/signed-in.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { proofNonce } from '../key-binding/nonce.ts'
import { proveKey } from '../key-binding/prove-key.ts'
import type { Limited } from '../rate-limits/rules.ts'
import { newDeviceCookie, readDeviceCookie } from '../risk/device.ts'
import type { Binding } from '../store/contract/tokens.ts'
import { refuseForeignPage } from './cookies.ts'
import { dpopProofs } from './dpop-header.ts'
import { limited } from './limited.ts'
import type { ApiEngine } from './routes/engine.ts'
import * as schemas from './schemas.ts'

export interface Client {
  readonly request: RequestFacts
  /** All that the request proved: a key, the device's cookie, both or nothing. */
  readonly proofs: readonly Binding[]
}

/** The parts of a route's input that tell of the client. */
export interface FromClient {
  readonly guard: ApiEngine
  readonly request: RequestFacts
  readonly headers: Headers
  readonly path: string
  readonly addHeader: (name: string, value: string) => void
}

/** What is known of the client besides the headers. */
interface Told {
  /** The thumbprint of the key that this very request has proven already: a proof is good once. */
  readonly provenKey?: string | undefined
  /** What the body says. */
  readonly device?: Pick<RequestFacts, 'deviceFingerprint' | 'deviceInfo'> | undefined
}

/**
 * Gathers it. A proof of a key that comes along must be good, also where none is asked for.
 *
 * @throws SallyportError `INVALID_DPOP_PROOF`; `UNAVAILABLE`.
 */
export async function clientOf(from: FromClient, { provenKey, device = {} }: Told = {}): Promise<Client> {
  const { guard, request, headers } = from
  const { secrets, settings } = guard.engine
  const deviceCookieHash = readDeviceCookie(secrets, settings, headers.get('cookie'))
  const byCookie: Binding[] = deviceCookieHash === undefined ? [] : [{ type: 'cookie', value: deviceCookieHash }]
  const byKey = provenKey === undefined ? await keyOf(from) : ({ type: 'key', value: provenKey } as const)
  // Beside the cookie and not in its place: a browser that has a key proves it for a session of before, too.
  return {
    request: Object.assign({}, request, device, { deviceCookieHash }),
    proofs: byKey === undefined ? byCookie : [byKey, ...byCookie],
  }
}

async function keyOf({ guard: { engine }, headers, path, addHeader }: FromClient): Promise<Binding | undefined> {
  const proofs = dpopProofs(headers)
  if (proofs === undefined) return undefined
  const key = await proveKey(engine, { proofs, method: 'POST', path })
  // A proof that is refused for its nonce is answered with one; whoever passes is told the next, so that none need be refused.
  if (engine.settings.dpop.nonce) addHeader('dpop-nonce', proofNonce(engine.secrets, new Date()))
  return key
}

/** What a client says of itself where a session begins. */
export const sessionFields = {
  deviceFingerprint: schemas.deviceFingerprint.optional(),
  deviceInfo: schemas.deviceInfo.optional(),
  delivery: z
    .enum(['body', 'cookie'])
    .optional()
    .describe('Where the refresh token is delivered, now and at each refresh. Defaults to the body.'),
}

export interface Beginner extends FromClient {
  readonly body: Pick<RequestFacts, 'deviceFingerprint' | 'deviceInfo'> & Pick<SessionWish, 'delivery'>
  readonly limit: {
    readonly what: Limited
    /** The account or link that it is about. */
    readonly subject: string
  }
}

/**
 * Does the work that a session begins with, within its limits and for the client that asks: bound to what it proves, with a device
 * cookie where it has none. The cookie is handed out where the work leads on: to a session, or to a step-up.
 *
 * @throws SallyportError `CSRF_REFUSED`, `INVALID_DPOP_PROOF`, `RATE_LIMITED`, `UNAVAILABLE`; else as `work` does.
 */
export async function beginSession<T>(from: Beginner, work: (wish: SessionWish) => Promise<T>): Promise<T> {
  const { guard, headers, addHeader, body, limit } = from
  const { secrets, settings } = guard.engine
  const { deviceFingerprint, deviceInfo, delivery } = body
  return limited(limit.what, { guard, request: from.request, subject: limit.subject }, async () => {
    if (delivery === 'cookie') refuseForeignPage(settings, headers)
    const { request, proofs } = await clientOf(from, { device: { deviceFingerprint, deviceInfo } })
    const made = request.deviceCookieHash === undefined ? newDeviceCookie(secrets, settings) : undefined
    const deviceCookieHash = request.deviceCookieHash ?? made?.cookieHash ?? ''
    // A key before the cookie: a cookie can be copied. The cookie binds only those families whose tokens come as cookies too.
    const byCookie: Binding = delivery === 'cookie' ? { type: 'cookie', value: deviceCookieHash } : { type: 'none' }
    const handOut = () => made !== undefined && addHeader('set-cookie', made.setCookie)
    try {
      const done = await work({
        delivery,
        binding: proofs.find(({ type }) => type === 'key') ?? byCookie,
        deviceCookieHash,
        request,
      })
      handOut()
      return done
    } catch (error) {
      if (error instanceof SallyportError && error.code === 'STEP_UP_REQUIRED') handOut()
      throw error
    }
  })
}
