/**
 * Proofs for outsiders: that a row is in the log, and that a log only grew.
 *
 * @module
 */

import { invalidField, SallyportError } from '../errors.ts'
import type { AuditStore } from '../store/contract/audit.ts'
import type { LedgerStore, LogId, StoredCheckpoint } from '../store/contract/ledger.ts'
import { NODE_LEVELS } from '../store/contract/ledger.ts'
import { logOf } from './log.ts'
import type { Sealer } from './sealer.ts'
import type { NodeRef, Range } from './verifying/merkle-proofs.ts'
import { completeNodes, consistencyRanges, inclusionRanges, rangeHash } from './verifying/merkle-proofs.ts'
import { Frontier } from './verifying/merkle.ts'

export interface ProveDeps {
  readonly store: { readonly ledger: Pick<LedgerStore, 'nodes' | 'sealsOf' | 'checkpoint' | 'head'> }
  readonly sealer: Pick<Sealer, 'checkpoint'>
}

export interface InclusionProof {
  readonly leafIndex: number
  readonly treeSize: number
  readonly hashes: readonly Buffer[]
  /** The signed note whose root the proof leads to. */
  readonly checkpoint: string
}

/** A proof together with what the leaf is made of and no listing tells. */
export interface EventProof extends InclusionProof {
  /** What the row's personal columns are committed under; null where its content was removed. */
  readonly salt: Buffer | null
}

/**
 * The newest checkpoint of a log; one is made where there is none yet.
 *
 * @throws SallyportError `NOT_FOUND` for a log without a row; `CONFLICT` when the log may not be signed.
 */
export async function latestCheckpoint({ store, sealer }: ProveDeps, log: LogId): Promise<StoredCheckpoint> {
  const newest = (await store.ledger.checkpoint(log)) ?? (await sealer.checkpoint(log))
  if (newest === undefined) throw new SallyportError('NOT_FOUND', 'This log has no rows yet.')
  return newest
}

/**
 * Proves that a row is in its log, under the newest checkpoint. A row that no checkpoint covers yet is sealed and signed first.
 *
 * @throws SallyportError `NOT_FOUND` for a row that this log does not have; `CONFLICT` when the log may not be signed.
 */
export async function proveInclusion(deps: ProveDeps, log: LogId, id: string): Promise<InclusionProof> {
  const { ledger } = deps.store
  let seal = (await ledger.sealsOf(log, [id])).get(id)
  let checkpoint = await ledger.checkpoint(log)
  if (seal === undefined || checkpoint === undefined || checkpoint.size <= seal.seq) {
    checkpoint = await deps.sealer.checkpoint(log)
    seal ??= (await ledger.sealsOf(log, [id])).get(id)
  }
  if (seal === undefined || checkpoint === undefined || checkpoint.size <= seal.seq) {
    throw new SallyportError('NOT_FOUND', 'There is no such event.')
  }
  const { seq: leafIndex } = seal
  const { size: treeSize, note } = checkpoint
  const hashes = await hashesOf(ledger, log, inclusionRanges(leafIndex, treeSize))
  return { leafIndex, treeSize, hashes, checkpoint: note }
}

/**
 * Proves that an event of a tenant is in its log, to whoever has the event and means to compute its leaf.
 *
 * @throws SallyportError as {@link proveInclusion}.
 */
export async function proveEvent(
  deps: ProveDeps & { readonly store: { readonly audit: Pick<AuditStore, 'find'> } },
  tenantId: string,
  id: string,
): Promise<EventProof> {
  const proof = await proveInclusion(deps, logOf(tenantId), id)
  return { ...proof, salt: (await deps.store.audit.find(tenantId, id))?.salt ?? null }
}

/**
 * Proves that the log of `second` rows begins with the log of `first` rows. From 0 there is nothing to prove: the answer is empty.
 *
 * @throws SallyportError `INVALID_REQUEST` for sizes that the log has not reached, or in the wrong order.
 */
export async function proveConsistency(
  { store: { ledger } }: Pick<ProveDeps, 'store'>,
  log: LogId,
  { first, second }: { readonly first: number; readonly second: number },
): Promise<readonly Buffer[]> {
  const size = (await ledger.head(log))?.size ?? 0
  if (second > size) throw invalidField('second', `must be at most ${size}, the rows of the log`)
  if (first > second) throw invalidField('first', 'must be at most "second"')
  return first === 0 ? [] : hashesOf(ledger, log, consistencyRanges(first, second))
}

/** The hashes of ranges, by one read: each is of few complete subtrees, and each of those of at most 8 that are kept. */
async function hashesOf(
  ledger: Pick<LedgerStore, 'nodes'>,
  log: LogId,
  ranges: readonly Range[],
): Promise<readonly Buffer[]> {
  const parts = ranges.map((range) => completeNodes(range))
  const kept = new Map<string, Buffer>()
  const wanted = new Map(
    parts
      .flat()
      .flatMap(keptUnder)
      .map((ref) => [place(ref), ref]),
  )
  for (const node of await ledger.nodes(log, [...wanted.values()])) kept.set(place(node), node.hash)
  return parts.map((nodes) => rangeHash(nodes.map((node) => nodeOf(node, kept))))
}

/** The subtrees under this one whose hashes are kept. */
function keptUnder({ level, index }: NodeRef): readonly NodeRef[] {
  const above = level % NODE_LEVELS
  const width = 2 ** above
  return Array.from({ length: width }, (_, at) => ({ level: level - above, index: index * width + at }))
}

function nodeOf(node: NodeRef, kept: ReadonlyMap<string, Buffer>): Buffer {
  const hashes = keptUnder(node).map((ref) => kept.get(place(ref)))
  const subtree = new Frontier()
  for (const hash of hashes) {
    if (hash === undefined) {
      throw new SallyportError('INTERNAL', 'a part of the audit log is missing; run "sallyport audit verify"')
    }
    subtree.append(hash)
  }
  return subtree.root()
}

function place({ level, index }: NodeRef): string {
  return `${level}/${index}`
}
