/**
 * The columns of an audit row, as statements select them and as drivers give them.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'
import type { AuditId } from '../../ids.ts'

/** Every column of `audit_logs`, which the statement calls `l`. */
export const AUDIT_COLUMNS = `l.id as row_id, l.tenant_id, l.created_at, l.action, l.outcome, l.failure_reason, l.user_id,
  l.actor_name, l.staff_id, l.session_id, l.real_user_id, l.is_impersonating, l.resource, l.resource_id, l.old_value,
  l.new_value, l.metadata, l.ip_address, l.country, l.city, l.user_agent, l.correlation_id, l.salt,
  l.leaf_hash as row_leaf_hash`

export interface AuditColumns {
  readonly row_id: string
  readonly tenant_id: string | null
  readonly created_at: Date
  readonly action: AuditRow['action']
  readonly outcome: AuditRow['outcome']
  readonly failure_reason: string | null
  readonly user_id: string | null
  readonly actor_name: string | null
  readonly staff_id: string | null
  readonly session_id: string | null
  readonly real_user_id: string | null
  readonly is_impersonating: boolean
  readonly resource: string | null
  readonly resource_id: string | null
  readonly old_value: unknown
  readonly new_value: unknown
  readonly metadata: unknown
  readonly ip_address: string | null
  readonly country: string | null
  readonly city: string | null
  readonly user_agent: string | null
  readonly correlation_id: string
  readonly salt: Uint8Array | null
  readonly row_leaf_hash: Uint8Array
}

export function auditRowOf(columns: AuditColumns): AuditRow {
  return {
    id: columns.row_id as AuditId,
    tenantId: columns.tenant_id,
    createdAt: columns.created_at,
    action: columns.action,
    outcome: columns.outcome,
    failureReason: columns.failure_reason,
    userId: columns.user_id,
    actorName: columns.actor_name,
    staffId: columns.staff_id,
    sessionId: columns.session_id,
    realUserId: columns.real_user_id,
    isImpersonating: columns.is_impersonating,
    resource: columns.resource,
    resourceId: columns.resource_id,
    oldValue: columns.old_value,
    newValue: columns.new_value,
    metadata: columns.metadata,
    ipAddress: columns.ip_address,
    country: columns.country,
    city: columns.city,
    userAgent: columns.user_agent,
    correlationId: columns.correlation_id,
    // Never null in a row that this code wrote: one that is does not hash to its leaf.
    salt: asBuffer(columns.salt ?? new Uint8Array()),
    leafHash: asBuffer(columns.row_leaf_hash),
  }
}

/** PGlite hands out Uint8Array, node-postgres Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
