/**
 * The row that a log keeps of a change of its key.
 *
 * @module
 */

import type { LogId } from '../store/contract/ledger.ts'
import { SERVICE_LOG } from './log.ts'
import type { AuditEvent, AuditRow } from './record.ts'
import { auditRow } from './record.ts'

export interface LogKeyChange extends Required<Pick<AuditEvent, 'oldValue' | 'newValue'>> {
  readonly change: 'rotated' | 'reanchored'
  /** Of whoever did it, for whoever reads the log. */
  readonly reason: string
}

export function logKeyRow(log: LogId, { change, reason, oldValue, newValue }: LogKeyChange, at: Date): AuditRow {
  return auditRow(
    {
      tenantId: log === SERVICE_LOG ? null : log,
      action: 'SIGNING_KEY_ROTATED',
      resource: 'audit_log',
      resourceId: log,
      oldValue,
      newValue,
      metadata: { actor: 'cli', change, reason },
    },
    at,
  )
}
