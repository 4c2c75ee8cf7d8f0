/**
 * How a change and its audit rows travel together.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'

/**
 * Makes the audit rows of a change from what the change turned out to be.
 *
 * A store MUST call it inside the transaction of the change and MUST commit its rows (each in `audit_logs` and in
 * `audit_pending`) together with the change, or neither. It MAY call it again when it has to run the transaction again.
 * It is pure: it reads nothing and decides nothing.
 */
export type AuditOf<Facts> = (facts: Facts, now: Date) => readonly AuditRow[]
