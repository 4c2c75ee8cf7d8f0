/**
 * Searches the audit log to the end of a period, at a bounded cost: one search looks at a bounded number of rows, and so do all of
 * them together.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import type { AuditSearch, AuditStore } from '../store/contract/audit.ts'

/** Half a million rows, half a second. */
const MOST_SEARCHES = 25

export interface Searched {
  /** Newest first. */
  readonly rows: readonly AuditRow[]
  /** Whether the period was seen to its end. */
  readonly complete: boolean
}

/** @param most Beyond this many rows it is not looked for more. */
export async function searchAll(
  audit: Pick<AuditStore, 'search'>,
  search: Omit<AuditSearch, 'limit' | 'after'>,
  most: number,
): Promise<Searched> {
  const rows: AuditRow[] = []
  let after: AuditSearch['after']
  for (let count = 0; count < MOST_SEARCHES; count++) {
    const found = await audit.search({ ...search, limit: most - rows.length, after })
    rows.push(...found.rows)
    after = found.more
    if (after === undefined) return { rows, complete: true }
    if (rows.length >= most) break
  }
  return { rows, complete: false }
}
