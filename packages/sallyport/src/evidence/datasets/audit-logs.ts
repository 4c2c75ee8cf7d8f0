/**
 * The whole audit log, with what is needed to compute each row's leaf again.
 *
 * @module
 */

import type { Column } from '../../store/contract/evidence.ts'
import type { LogDataset } from '../dataset.ts'
import { column } from '../dataset.ts'

/** The columns of every export of audit rows. */
export const AUDIT_COLUMNS: readonly Column[] = [
  column('seq', 'integer', 'Place in the tenant’s log, dense from 0.'),
  column('recorded_at', 'instant', 'When it was sealed. Never falls as seq rises; periods are of this.'),
  column('id', 'uuid', 'Id of the event.'),
  column('tenant_id', 'uuid', 'Whose log it is in.'),
  column('created_at', 'instant', 'When it happened, by the database’s clock.'),
  column('action', 'text', 'What happened.'),
  column('outcome', 'text', 'SUCCESS or FAIL.'),
  column('failure_reason', 'text', 'The error code of a failure.'),
  column('user_id', 'uuid', 'The actor; under impersonation the person acted as; null for a machine.'),
  column('actor_name', 'text', 'The actor’s name as it was then.'),
  column('staff_id', 'uuid', 'The actor’s membership of the tenant.'),
  column('session_id', 'uuid', 'The session it was done in, or that ended.'),
  column('real_user_id', 'uuid', 'Under impersonation, the person acting.'),
  column('is_impersonating', 'boolean', 'Whether it was done under impersonation.'),
  column('resource', 'text', 'The kind of thing it was done to.'),
  column('resource_id', 'text', 'Which one.'),
  column('old_value', 'json', 'What was changed, before; null where nothing was or none is kept.'),
  column('new_value', 'json', 'What was changed, after.'),
  column('metadata', 'json', 'What else there is to say.'),
  column('ip_address', 'text', 'Address of the client.'),
  column('country', 'text', 'ISO 3166-1 alpha-2, where known.'),
  column('city', 'text', 'Where known.'),
  column('user_agent', 'text', 'As the client gave it.'),
  column('correlation_id', 'text', 'Joins the events of one request.'),
  column('salt', 'hex', 'Binds the personal columns to the leaf; null once a person was erased.'),
  column('leaf_hash', 'hex', 'The leaf of the Merkle tree, SHA-256.'),
]

export const auditLogs: LogDataset = {
  kind: 'log',
  name: 'audit-logs',
  title: 'Audit log',
  period: 'recorded_at',
  columns: AUDIT_COLUMNS,
  criteria: ['CC2.1', 'CC4.1', 'CC7.2', 'CC7.3'],
}
