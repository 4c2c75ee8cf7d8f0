/**
 * Devices: the cookie that the server signs for one, and what of a request names one.
 *
 * @module
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { PresentedDevice } from '../internal/device-digest.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Settings } from '../options.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'

/** 400 days: as long as browsers keep a cookie. */
const MAX_AGE_SECONDS = 400 * 86_400
const ID_BYTES = 16
const MAC_BYTES = 16
/** Version, key id, id, MAC. */
const COOKIE = /^d1\.([0-9a-f]{10})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})$/

/** A new device: the header that hands it its cookie, and what is kept of it. */
export interface NewDeviceCookie {
  readonly setCookie: string
  readonly cookieHash: string
}

type Where = Pick<Settings, 'issuer'>

/** Over https the `__Host-` prefix keeps sibling domains from planting one; plain http on localhost cannot have it. */
export function deviceCookieName({ issuer }: Where): string {
  return issuer.startsWith('https:') ? '__Host-sallyport-device' : 'sallyport-device'
}

/** Makes a device cookie with a random id. */
export function newDeviceCookie(secrets: SecretRing, settings: Where): NewDeviceCookie {
  const id = randomBytes(ID_BYTES).toString('base64url')
  const key = secrets.signing
  const value = `d1.${key.idHex}.${id}.${macOf(key.mac, id)}`
  const secure = settings.issuer.startsWith('https:') ? '; Secure' : ''
  return {
    setCookie: `${deviceCookieName(settings)}=${value}; Path=/; Max-Age=${MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax${secure}`,
    cookieHash: hashOf(id),
  }
}

/** The hash of a device cookie that this server signed; `undefined` where there is none, or one that it did not. */
export function readDeviceCookie(
  secrets: SecretRing,
  settings: Where,
  cookieHeader: string | null,
): string | undefined {
  if (cookieHeader === null) return undefined
  const prefix = `${deviceCookieName(settings)}=`
  const pair = cookieHeader.split(/; */).find((one) => one.startsWith(prefix))
  const [, keyId, id, mac] = COOKIE.exec(pair?.slice(prefix.length) ?? '') ?? []
  if (keyId === undefined || id === undefined || mac === undefined) return undefined
  const key = secrets.find(keyId)
  if (key === undefined) return undefined
  return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(key.mac, id))) ? hashOf(id) : undefined
}

/** What a request shows of its device. */
export function presentedDevice({
  deviceFingerprint,
  deviceCookieHash,
}: Pick<RequestFacts, 'deviceFingerprint' | 'deviceCookieHash'>): PresentedDevice {
  return { fingerprint: deviceFingerprint ?? null, cookieHash: deviceCookieHash ?? null }
}

function macOf(key: Buffer, id: string): string {
  return createHmac('sha256', key)
    .update('sallyport/device-cookie/v1\0')
    .update(id)
    .digest()
    .subarray(0, MAC_BYTES)
    .toString('base64url')
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}
