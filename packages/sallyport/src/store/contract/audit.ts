/**
 * The port of the audit log.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'

/** What is asked of a host's transaction: Drizzle's, over the same kind of database as the store's. */
export interface HostTransaction {
  execute(query: never): PromiseLike<unknown>
}

export interface AuditQuery {
  readonly tenantId: string
  readonly limit: number
  readonly after?: { readonly createdAt: Date; readonly id: string } | undefined
}

/** What a search goes by. What it leaves out is not asked. */
export interface AuditSearch extends AuditQuery {
  /** Half-open, of `created_at`. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly actions?: readonly string[] | undefined
  readonly userId?: string | undefined
  readonly outcome?: AuditRow['outcome'] | undefined
  readonly resource?: string | undefined
  readonly sessionId?: string | undefined
  /** All rows of one request have one. */
  readonly correlationId?: string | undefined
  /** Text that stands somewhere in the row's words: names, reasons, ids, addresses, places. Without regard to case. */
  readonly text?: string | undefined
}

export interface AuditHits {
  /** Newest first, `limit` at most. */
  readonly rows: readonly AuditRow[]
  /** Where the search stopped before it had seen all rows; `undefined` when it has. */
  readonly more: { readonly createdAt: Date; readonly id: string } | undefined
}

/** Sealed rows of one log whose personal columns are about to go. */
export interface ErasedRows {
  readonly tenantId: string | null
  /** In their order. */
  readonly seqs: readonly number[]
  /** SHA-256 over the rows' ids, sorted, one a line. */
  readonly idsSha256: string
}

export interface AuditStore {
  /** Writes rows, all or none, in a transaction of their own: for what changes nothing else. */
  append(rows: readonly AuditRow[]): Promise<void>

  /** One row; `undefined` for one that is not there, or another tenant's. */
  find(tenantId: string, id: string): Promise<AuditRow | undefined>

  /** Newest first, bound to one tenant. */
  page(query: AuditQuery): Promise<readonly AuditRow[]>

  /**
   * Newest first, bound to one tenant. It looks at a bounded number of rows, however few of them it is asked for: a page may
   * have fewer rows than `limit`, none even, and still there is more.
   */
  search(query: AuditSearch): Promise<AuditHits>

  /**
   * Erases the personal columns and the salt of one batch of sealed rows of one log: of those that one of these ids is the
   * actor, the acting person or the resource of. MUST commit together with the audit rows. Resolves to how many; 0 when no
   * row is left.
   */
  erase(
    batch: { readonly ids: readonly string[]; readonly limit: number },
    audit: (erased: ErasedRows, now: Date) => readonly AuditRow[],
  ): Promise<number>

  /**
   * Writes rows in a transaction of the host's own, on whose commit they then depend.
   *
   * @param tx The transaction, as the host's Drizzle gave it.
   * @throws TypeError when it is none of this kind of database.
   */
  appendIn(tx: HostTransaction, rows: (now: Date) => readonly AuditRow[]): Promise<void>
}
