/**
 * What a log is called, inside and to the world.
 *
 * @module
 */

import type { LogId } from '../store/contract/ledger.ts'

/** The service's own log: rows that belong to no tenant. The nil UUID, which no tenant can have. */
export const SERVICE_LOG: LogId = '00000000-0000-0000-0000-000000000000'

/** The log that an audit row goes to. */
export function logOf(tenantId: string | null): LogId {
  return tenantId ?? SERVICE_LOG
}

/** The origin line of a log's checkpoints, and the name of its key: `<issuer's host>/audit/<tenant id>`. */
export function originOf(issuer: string, log: LogId): string {
  return `${new URL(issuer).host}/audit/${log}`
}
