/**
 * The headers that every answer of the API carries.
 *
 * @module
 */

import type { Settings } from '../options.ts'

/** For answers that are data. A page that is meant to be looked at brings a content security policy of its own. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const TWO_YEARS = 63_072_000

/**
 * What every answer of one instance carries, made once: no answer is opened again to add to it.
 *
 * `vary` is said for every answer, so that no cache gives one origin what was meant for another. Browsers come back by https alone,
 * where the issuer is https.
 */
export function headersOf({ issuer }: Pick<Settings, 'issuer'>): Readonly<Record<string, string>> {
  const secure = issuer.startsWith('https:')
  return {
    ...SECURITY_HEADERS,
    vary: 'Origin',
    ...(secure && { 'strict-transport-security': `max-age=${TWO_YEARS}; includeSubDomains` }),
  }
}
