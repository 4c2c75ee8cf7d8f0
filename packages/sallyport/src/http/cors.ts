/**
 * Says which pages of other origins may read answers.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { FetchHandler } from './app.ts'
import { isOurs } from './cookies.ts'
import { headersOf } from './security-headers.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS = 'authorization, content-type, dpop, sallyport-background, x-request-id'
/** `date` is what a client with a wrong clock makes its proofs by; `content-disposition` names a download. */
const EXPOSED =
  'sallyport-refresh, retry-after, ratelimit, ratelimit-policy, www-authenticate, x-request-id, dpop-nonce, date, content-disposition'

/**
 * Only origins of the list are answered, each by its own name: never `*`, which browsers refuse with credentials, and never
 * whatever was sent, which would be everybody.
 */
export function withOrigins(handle: FetchHandler, settings: Pick<Settings, 'issuer' | 'allowedOrigins'>): FetchHandler {
  const always = headersOf(settings)

  return async function answer(request, connection) {
    const origin = request.headers.get('origin')
    // Most requests come from no page: their answer is left as it is.
    if (origin === null || !isOurs(settings, origin)) return handle(request, connection)
    const preflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
    const response = preflight
      ? new Response(null, { status: 204, headers: { ...always } })
      : await handle(request, connection)
    const { headers } = response
    headers.set('access-control-allow-origin', origin)
    headers.set('access-control-allow-credentials', 'true')
    if (preflight) {
      headers.set('access-control-allow-methods', METHODS)
      headers.set('access-control-allow-headers', REQUEST_HEADERS)
      headers.set('access-control-max-age', '600')
    } else {
      headers.set('access-control-expose-headers', EXPOSED)
    }
    return response
  }
}
