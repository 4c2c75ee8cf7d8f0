/**
 * Gathers what is known of a request besides its credentials.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { TrustedProxies } from '../options.ts'
import type { GeoOptions } from '../risk/settings.ts'
import { type Connection, clientAddress, isFromProxy } from './client-address.ts'

/** Marks a request that no person has caused, such as a poll. */
const BACKGROUND = 'sallyport-background'
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/
/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:$|-)/
const MAX_USER_AGENT = 512

/** What of a request is believed, and from whom: of the settings, what says so. */
export interface Edge {
  readonly trustedProxies?: TrustedProxies | undefined
  readonly geo?: Pick<GeoOptions, 'headers'> | undefined
}

/** The facts of one request; nothing of it is trusted beyond what each field says. */
export function requestFacts(
  { headers }: Pick<Request, 'headers'>,
  connection: Connection | undefined,
  { trustedProxies, geo }: Edge = {},
): RequestFacts {
  return {
    ipAddress: clientAddress(connection, headers, trustedProxies),
    userAgent: headers.get('user-agent')?.slice(0, MAX_USER_AGENT),
    correlationId: correlationId(headers),
    // It can only shorten a session, so that whoever cares to may say it.
    background: headers.get(BACKGROUND) === 'true' ? true : undefined,
    // Anyone can write these. Believed from a stranger, a thief would be wherever the owner is.
    placeHeaders:
      geo?.headers !== undefined && isFromProxy(connection, trustedProxies)
        ? placeHeaders(geo.headers, headers)
        : undefined,
  }
}

function placeHeaders(
  { country, city, latitude, longitude }: NonNullable<GeoOptions['headers']>,
  headers: Headers,
): RequestFacts['placeHeaders'] {
  const told = (name: string | undefined) => (name === undefined ? undefined : (headers.get(name) ?? undefined))
  return { country: told(country), city: told(city), latitude: told(latitude), longitude: told(longitude) }
}

function correlationId(headers: Headers): string {
  const given = headers.get('x-request-id')
  // Of another form it could write into logs and headers: then it is as good as none.
  if (given !== null && REQUEST_ID.test(given)) return given
  const trace = headers.get('traceparent')?.match(TRACE_PARENT)?.[1]
  if (trace !== undefined && !/^0+$/.test(trace)) return trace
  // Needs no order, so no UUIDv7: Node draws the randomness for many of these at once.
  return randomUUID()
}
