/**
 * Records a host's own event, alone or in the host's own transaction.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { HostTransaction } from '../store/contract/audit.ts'
import { ACTIONS } from './actions.ts'
import type { AuditEvent } from './record.ts'
import { auditRow } from './record.ts'

/**
 * Writes one row. With a transaction the row commits with what the host changes in it, or not at all; without one it is
 * durable when this resolves.
 *
 * @throws TypeError for a value without a canonical form, or an action that is neither built in nor given to the instance
 *   as `audit.actions`. In a transaction of the host's that is the moment to roll back: no change without its row.
 */
export async function recordEvent(
  { store, settings, live }: Pick<Engine, 'store' | 'settings' | 'live'>,
  event: AuditEvent,
  tx?: HostTransaction,
): Promise<void> {
  const { action } = event
  if (!(ACTIONS as readonly string[]).includes(action) && !Object.hasOwn(settings.audit.actions, action)) {
    throw new TypeError(
      `audit.record: ${action} is no action; define it with defineActions and give it as audit.actions`,
    )
  }
  if (tx === undefined) return store.audit.append([auditRow(event, live.date())])
  return store.audit.appendIn(tx, (now) => [auditRow(event, now)])
}
