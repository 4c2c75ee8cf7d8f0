/**
 * Checks a run of a log's rows by itself: each row's hash, their order, and the tree that they come to. What a run needs to know
 * of the rows before it is left to whoever puts the runs together, so that runs can be checked beside each other.
 *
 * @module
 */

import { NODE_LEVELS } from '../store/contract/ledger.ts'
import type { SealedRow } from '../store/contract/sealed-rows.ts'
import { readSealedRows } from '../store/contract/sealed-rows.ts'
import type { Finding } from './finding.ts'
import { unsealed } from './finding.ts'
import { leafHashHex } from './leaf.ts'
import { OrderOfRows, type Placed } from './placed.ts'
import { Frontier } from './verifying/merkle.ts'

export interface Run {
  /** A multiple of the rows of a whole run, and those a power of two: the run is a subtree of the log. */
  readonly first: number
  readonly end: number
  /** Sizes of the log, from `first` up to and including `end`, at which something is signed. */
  readonly sizes: readonly number[]
}

/** What a run says that only the rows before it can make sense of, in the order of seq. */
export type Remark =
  /** Rows without content, as a range. */
  | { readonly kind: 'missing'; readonly start: number; end: number; readonly id: string }
  /** A row whose personal columns and salt are gone. */
  | { readonly kind: 'erased'; readonly seq: number; readonly id: string }
  /** A purge of audit rows, or the erasure of a person in them: its metadata say which. */
  | { readonly kind: 'purged'; readonly metadata: unknown }

/** What became of a run. It crosses threads, so it is of plain values. */
export interface RunResult {
  readonly first: number
  /** Rows that were found good. */
  readonly rows: number
  readonly finding: Finding | undefined
  /** Hashes of the complete subtrees of those rows, largest first. */
  readonly frontier: Uint8Array
  /** The same at each of the run's sizes that was reached. */
  readonly signed: readonly { readonly size: number; readonly frontier: Uint8Array }[]
  /** Subtrees whose hash is kept, by their place in the log, smaller ones before those that they are in. */
  readonly nodes: readonly { readonly level: number; readonly index: number; readonly hash: Uint8Array }[]
  readonly remarks: readonly Remark[]
  /** The first two rows, and the last two: the order across two runs is for whoever has both. */
  readonly head: readonly Placed[]
  readonly tail: readonly Placed[]
  readonly outOfOrder: Placed | undefined
}

export class RunCheck {
  readonly #run: Run
  readonly #frontier = new Frontier()
  readonly #order = new OrderOfRows()
  readonly #head: Placed[] = []
  readonly #remarks: Remark[] = []
  readonly #nodes: { level: number; index: number; hash: Buffer }[] = []
  readonly #signed: { size: number; frontier: Buffer }[] = []
  readonly #sizes: ReadonlySet<number>
  #finding: Finding | undefined

  constructor(run: Run) {
    this.#run = run
    this.#sizes = new Set(run.sizes)
    this.#sign(run.first)
  }

  /** Takes the next rows: whole lines, of which nothing is kept. After a finding the rest is passed over. */
  page(lines: Buffer): void {
    if (this.#finding === undefined) readSealedRows(lines, (row) => (this.#finding ??= this.#row(row)))
  }

  end(): RunResult {
    const { first, end } = this.#run
    const rows = this.#frontier.size
    return {
      first,
      rows,
      finding: this.#finding ?? (first + rows < end ? unsealed(first + rows) : undefined),
      frontier: this.#frontier.toBytes(),
      signed: this.#signed,
      nodes: this.#nodes,
      remarks: this.#remarks,
      head: this.#head,
      tail: this.#order.last,
      outOfOrder: this.#order.outOfOrder,
    }
  }

  #row(sealed: SealedRow): Finding | undefined {
    const { first } = this.#run
    const expected = first + this.#frontier.size
    if (sealed.seq !== expected) return unsealed(expected)
    const altered = this.#altered(sealed)
    if (altered !== undefined) return { kind: 'altered', seq: expected, id: sealed.id, message: altered }
    const placed = { seq: sealed.seq, id: sealed.id, recordedAtMs: sealed.recordedAtMs }
    if (this.#head.length < 2) this.#head.push(placed)
    // Of the first two, what stands before them has a part in who is out of place.
    if (this.#frontier.size < 2) this.#order.resume([placed])
    else {
      const reordered = this.#order.next(placed)
      if (reordered !== undefined) return reordered
    }
    this.#frontier.append(Buffer.from(sealed.leafHash, 'hex'), ({ level, index, hash }) => {
      if (level % NODE_LEVELS === 0) this.#nodes.push({ level, index: first / 2 ** level + index, hash })
    })
    this.#sign(expected + 1)
    return undefined
  }

  #sign(size: number): void {
    if (this.#sizes.has(size)) this.#signed.push({ size, frontier: this.#frontier.toBytes() })
  }

  /** What is wrong with the row of a seal. */
  #altered({ seq, id, leafHash: sealedHash, row }: SealedRow): string | undefined {
    if (row === undefined) {
      const last = this.#remarks.at(-1)
      if (last?.kind === 'missing' && last.end === seq) last.end++
      else this.#remarks.push({ kind: 'missing', start: seq, end: seq + 1, id })
      return undefined
    }
    // Of an erased row nothing is left to compute the leaf from; an erasure has to account for it further on.
    if (isErased(row) && row.leafHash === sealedHash) {
      this.#remarks.push({ kind: 'erased', seq, id })
      return undefined
    }
    let computed: string | undefined
    try {
      computed = leafHashHex(row)
    } catch {
      // A value that has no canonical form was not written by this code.
    }
    const named = (): string => `row ${seq} (${id}) was altered`
    if (computed === sealedHash) {
      if (row.leafHash !== sealedHash) return `${named()}: its column leaf_hash is not what was sealed`
      if (row.action === 'EVIDENCE_PURGED') this.#remarks.push({ kind: 'purged', metadata: row.metadata })
      return undefined
    }
    if (row.leafHash === sealedHash) return `${named()}: its columns do not come to the hash that was sealed`
    if (computed === row.leafHash) return `${named()}: it was replaced with its hash, or its seal was altered`
    return `${named()}: neither its columns nor its hash are what was sealed`
  }
}

function isErased(row: NonNullable<SealedRow['row']>): boolean {
  if (row.salt.length > 0) return false
  const { actorName, oldValue, newValue, metadata, ipAddress, country, city, userAgent } = row
  return [actorName, oldValue, newValue, metadata, ipAddress, country, city, userAgent].every((value) => value === null)
}
