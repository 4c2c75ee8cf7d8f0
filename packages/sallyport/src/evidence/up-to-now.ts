/**
 * Finds the end of a period that was asked for without one.
 *
 * @module
 */

import { sealLog } from '../audit/seal.ts'
import type { Store } from '../store/contract/store.ts'

/**
 * The instant behind everything that has happened by now: what waits is sealed first. A clock that was set back does not
 * hide rows, since `recorded_at` never falls.
 */
export async function upToNow({ store }: { readonly store: Store }, tenantId: string): Promise<Date> {
  await sealLog({ store }, tenantId)
  const now = await store.evidence.now()
  const head = await store.ledger.head(tenantId)
  return new Date(Math.max(now.getTime(), head?.recordedAt.getTime() ?? 0) + 1)
}
