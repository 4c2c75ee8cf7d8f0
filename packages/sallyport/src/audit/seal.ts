/**
 * Moves audit rows that wait into their log's Merkle tree.
 *
 * @module
 */

import type { LedgerStore, LogId, PendingRow, StoredNode } from '../store/contract/ledger.ts'
import { NODE_LEVELS } from '../store/contract/ledger.ts'
import { Frontier } from './verifying/merkle.ts'

export interface SealDeps {
  readonly store: {
    readonly ledger: Pick<LedgerStore, 'waiting' | 'waitingOf' | 'pending' | 'head' | 'seal'>
  }
}

/** Rows of one transaction at most: short enough that nothing notices it, on the embedded database either. */
export const SEAL_BATCH = 2000

/**
 * Seals what waits, oldest ids first, up to one batch over all logs.
 *
 * @returns How many rows were taken up; fewer than {@link SEAL_BATCH} says that nothing waits any more.
 */
export async function sealWaiting(deps: SealDeps): Promise<number> {
  let taken = 0
  for (const [log, ids] of await deps.store.ledger.waiting(SEAL_BATCH)) {
    taken += ids.length
    await sealRows(deps, log, ids)
  }
  return taken
}

/** Seals everything of one log that waited when it was called. */
export async function sealLog(deps: SealDeps, log: LogId): Promise<void> {
  for (;;) {
    const ids = await deps.store.ledger.waitingOf(log, SEAL_BATCH)
    if (ids.length > 0) await sealRows(deps, log, ids)
    if (ids.length < SEAL_BATCH) return
  }
}

/** Another one that seals the same rows at the same time is no fault: its rows are sealed, and ours are looked at again. */
async function sealRows({ store: { ledger } }: SealDeps, log: LogId, ids: readonly string[]): Promise<void> {
  for (;;) {
    // The head before the rows: if the head then still moves from this size, nobody has sealed any of the rows since.
    const head = await ledger.head(log)
    const rows = await ledger.pending(log, ids)
    if (rows.length === 0) return
    const frontier = head === undefined ? new Frontier() : Frontier.fromBytes(head.size, head.frontier)
    const outcome = await ledger.seal({ log, size: frontier.size, ...grown(frontier, rows) })
    if (outcome === 'sealed') return
  }
}

function grown(
  frontier: Frontier,
  rows: readonly PendingRow[],
): { readonly rows: readonly PendingRow[]; readonly nodes: readonly StoredNode[]; readonly frontier: Buffer } {
  const nodes: StoredNode[] = []
  for (const { leafHash } of rows) {
    frontier.append(leafHash, (node) => {
      if (node.level % NODE_LEVELS === 0) nodes.push(node)
    })
  }
  return { rows, nodes, frontier: frontier.toBytes() }
}
