/**
 * Makes the audit row of something that happened: redacted, salted and hashed before it goes near the database.
 *
 * @module
 */

import type { AuditId } from '../ids.ts'
import { newId } from '../ids.ts'
import { randomChunk } from '../internal/random.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { AuditAction, AuditOutcome } from './actions.ts'
import type { HostAction } from './define-actions.ts'
import { leafHash } from './leaf.ts'
import { redact } from './redact.ts'

/** What an operation says happened. What it leaves out is null in the row. */
export interface AuditEvent {
  /** Null only where no tenant is known: such rows form the service's own log. */
  readonly tenantId: string | null
  readonly action: AuditAction | HostAction
  readonly outcome?: AuditOutcome
  /** The error code of a refusal. */
  readonly failureReason?: string | undefined
  /** The actor; under impersonation the person acted as; null for a thief or a machine. */
  readonly userId?: string | null | undefined
  readonly actorName?: string | null | undefined
  readonly staffId?: string | null | undefined
  readonly sessionId?: string | null | undefined
  readonly realUserId?: string | null | undefined
  /** Of the access token that the request was made with: kept in the metadata, so that two who share a session can be told apart. */
  readonly tokenGeneration?: number | undefined
  readonly resource?: string
  readonly resourceId?: string | null | undefined
  /** Diffs only. */
  readonly oldValue?: Readonly<Record<string, unknown>>
  readonly newValue?: Readonly<Record<string, unknown>>
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly request?: RequestFacts | undefined
  /** Only where there is no request: jobs and the command line. */
  readonly correlationId?: string
  readonly country?: string | null | undefined
  readonly city?: string | null | undefined
}

/** A row of `audit_logs`, complete. */
export interface AuditRow {
  readonly id: AuditId
  readonly tenantId: string | null
  readonly createdAt: Date
  readonly action: AuditAction | HostAction
  readonly outcome: AuditOutcome
  readonly failureReason: string | null
  readonly userId: string | null
  readonly actorName: string | null
  readonly staffId: string | null
  readonly sessionId: string | null
  readonly realUserId: string | null
  readonly isImpersonating: boolean
  readonly resource: string | null
  readonly resourceId: string | null
  readonly oldValue: unknown
  readonly newValue: unknown
  readonly metadata: unknown
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly correlationId: string
  readonly salt: Buffer
  readonly leafHash: Buffer
}

/**
 * Builds the row. Give it to the store together with the change that it records, so that both commit or neither does.
 *
 * @param event What happened, and to what.
 * @param at The moment by the database's clock.
 * @throws TypeError when a value has no canonical form: an audit row that cannot be hashed means that the change does not happen.
 */
export function auditRow(event: AuditEvent, at: Date): AuditRow {
  const row = {
    id: newId<AuditId>(),
    tenantId: event.tenantId,
    createdAt: at,
    action: event.action,
    outcome: event.outcome ?? 'SUCCESS',
    failureReason: event.failureReason ?? null,
    userId: event.userId ?? null,
    actorName: redactText(event.actorName),
    staffId: event.staffId ?? null,
    sessionId: event.sessionId ?? null,
    realUserId: event.realUserId ?? null,
    isImpersonating: event.realUserId != null,
    resource: event.resource ?? null,
    resourceId: redactText(event.resourceId),
    oldValue: redactOrNull(event.oldValue),
    newValue: redactOrNull(event.newValue),
    metadata: redactOrNull(metadataOf(event)),
    ipAddress: event.request?.ipAddress ?? null,
    country: event.country ?? null,
    city: event.city ?? null,
    // Both may be whatever a client cares to send, a credential in the wrong header included.
    userAgent: redactText(event.request?.userAgent),
    correlationId: redactText(event.request?.correlationId ?? event.correlationId) ?? newId<AuditId>(),
    // 128 bits, so that a commitment says nothing of a value that can be guessed.
    salt: randomChunk(16),
  }
  return Object.assign(row, { leafHash: leafHash(row) })
}

function metadataOf({ metadata, tokenGeneration }: AuditEvent): AuditEvent['metadata'] {
  return tokenGeneration === undefined ? metadata : { ...metadata, tokenGeneration }
}

/** The part of an event that says who acted, taken from the authenticated caller. */
export function actor(
  caller: Caller,
): Pick<AuditEvent, 'tenantId' | 'userId' | 'actorName' | 'staffId' | 'sessionId' | 'realUserId' | 'tokenGeneration'> {
  return {
    tenantId: caller.tenantId,
    userId: caller.userId,
    actorName: caller.name,
    staffId: caller.staffId,
    sessionId: caller.sessionId,
    realUserId: caller.realUserId,
    // An impersonation is of one token.
    tokenGeneration: caller.kind === 'login' ? caller.generation : undefined,
  }
}

function redactText(value: string | null | undefined): string | null {
  return value == null ? null : (redact(value) as string)
}

function redactOrNull(value: Readonly<Record<string, unknown>> | undefined): unknown {
  return value === undefined ? null : redact(value)
}
