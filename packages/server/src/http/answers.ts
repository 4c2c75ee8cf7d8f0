/**
 * The few answers that the service gives itself, besides the engine's.
 *
 * @module
 */

import { STATUS_CODES } from 'node:http'

/** On everything that the service itself answers. */
export const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** What browsers are told where the issuer is https: to come back by https alone, for two years. The engine says the same of the API. */
export const HSTS = 'max-age=63072000; includeSubDomains'

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers },
  })
}

/** An error in the form of all others (RFC 9457). */
export function problem(
  status: number,
  error: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const requestId = crypto.randomUUID()
  const body = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, error, requestId }
  return json(status, body, { 'content-type': 'application/problem+json', 'x-request-id': requestId, ...headers })
}
