/**
 * Says which pages of other origins may read answers, and that browsers come back by https alone.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { FetchHandler } from './app.ts'
import { isOurs } from './cookies.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'authorization, content-type, dpop, sallyport-background, x-request-id'
/** `date` is what a client with a wrong clock makes its proofs by; `content-disposition` names a download. */
const EXPOSED =
  'sallyport-refresh, retry-after, ratelimit, ratelimit-policy, www-authenticate, x-request-id, dpop-nonce, date, content-disposition'
const TWO_YEARS = 63_072_000

/**
 * Only origins of the list are answered, each by its own name: never `*`, which browsers refuse with credentials, and never
 * whatever was sent, which would be everybody.
 */
export function withOrigins(handle: FetchHandler, settings: Pick<Settings, 'issuer' | 'allowedOrigins'>): FetchHandler {
  const secure = settings.issuer.startsWith('https:')

  return async function answer(request, connection) {
    const origin = request.headers.get('origin')
    const known = origin !== null && isOurs(settings, origin)
    const preflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
    const response =
      known && preflight
        ? new Response(null, { status: 204, headers: { ...SECURITY_HEADERS } })
        : await handle(request, connection)
    const { headers } = response
    // Said for every answer, so that no cache gives one origin what was meant for another.
    headers.append('vary', 'Origin')
    if (known) {
      headers.set('access-control-allow-origin', origin)
      headers.set('access-control-allow-credentials', 'true')
      if (preflight) {
        headers.set('access-control-allow-methods', METHODS)
        headers.set('access-control-allow-headers', REQUEST_HEADERS)
        headers.set('access-control-max-age', '600')
      } else {
        headers.set('access-control-expose-headers', EXPOSED)
      }
    }
    if (secure) headers.set('strict-transport-security', `max-age=${TWO_YEARS}; includeSubDomains`)
    return response
  }
}
