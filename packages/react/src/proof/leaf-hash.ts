/**
 * The hash under which an event stands in the sealed log, computed from what is shown of it.
 *
 * @module
 */

import type { AuditEvent } from '@sallyport/client'
import type { Bytes } from './bytes.ts'
import { sha256, toHex, utf8 } from './bytes.ts'
import { canonicalJson } from './canonical-json.ts'

/** What the listing leaves out of an event. */
export interface LeafSecrets {
  readonly tenantId: string | null
  /** In hex. Each row's own; it keeps guesses at personal data from being checked by their hash. */
  readonly salt: string
}

/** SHA-256(0x00 ‖ entry), RFC 6962 section 2.1. */
export async function leafHash(event: AuditEvent, secrets: LeafSecrets): Promise<Bytes> {
  return sha256(utf8(`\u0000${await leafEntry(event, secrets)}`))
}

/** The canonical JSON of the event's columns; those with personal data enter as commitments under the salt. */
async function leafEntry(event: AuditEvent, { tenantId, salt }: LeafSecrets): Promise<string> {
  const personal: Readonly<Record<string, unknown>> = {
    actorName: event.actorName,
    city: event.city,
    country: event.country,
    ipAddress: event.ipAddress,
    metadata: event.metadata,
    newValue: event.after,
    oldValue: event.before,
    userAgent: event.userAgent,
  }
  const held = Object.entries(personal).filter(([, value]) => value !== null)
  const commitments = await Promise.all(
    (held.length === 0 ? [['none', null] as const] : held).map(
      async ([column, value]) =>
        [column, toHex(await sha256(utf8(`${salt}:${column}:${canonicalJson(value)}`)))] as const,
    ),
  )
  const { action, correlationId, createdAt, failureReason, id, isImpersonating, outcome } = event
  const { realUserId, resource, resourceId, sessionId, staffId, userId } = event
  return canonicalJson({
    action,
    correlationId,
    createdAt,
    failureReason,
    id,
    isImpersonating,
    outcome,
    personal: Object.fromEntries(commitments),
    realUserId,
    resource,
    resourceId,
    sessionId,
    staffId,
    tenantId,
    userId,
    v: 1,
  })
}
