/**
 * Hands fresh tokens to a client the way its session was started for: in the body, or the refresh token as a cookie.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { IssuedTokens } from '../sessions/issued.ts'
import { freshCookies } from './cookies.ts'

/** Where headers of the answer go. */
type AddHeader = (name: string, value: string) => void

/** The tokens as they stand in the body. */
export interface DeliveredTokens {
  readonly accessToken: string
  readonly expiresIn: number
  /** Left out where it travels as a cookie: no script ever holds it. */
  readonly refreshToken?: string
}

/** @param cookieName Where the client uses another name than the configured one. */
export function deliver(
  settings: Settings,
  addHeader: AddHeader,
  delivery: 'body' | 'cookie',
  { accessToken, expiresIn, refreshToken }: IssuedTokens,
  { expiresAt }: { readonly expiresAt: Date },
  cookieName?: string,
): DeliveredTokens {
  if (delivery === 'body') return { accessToken, expiresIn, refreshToken }
  const issuedAtMs = issuedAtOf(accessToken)
  const maxAgeMs = Math.min(settings.refreshTtlMs, expiresAt.getTime() - issuedAtMs)
  for (const line of freshCookies(settings, { refreshToken, issuedAtMs, maxAgeMs }, cookieName)) {
    addHeader('set-cookie', line)
  }
  return { accessToken, expiresIn }
}

/** The `iat` of an access token that was minted a moment ago, in milliseconds. */
export function issuedAtOf(accessToken: string): number {
  const [, payload = ''] = accessToken.split('.')
  const { iat } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { readonly iat: number }
  return iat * 1000
}
