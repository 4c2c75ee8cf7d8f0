/**
 * The port of the sealed log: the Merkle trees that audit rows are moved into, and what is signed of them.
 *
 * @module
 */

import type { SeqRange } from './evidence.ts'
import type { AuditRow } from '../../audit/record.ts'

/** Names a log: a tenant's id, or the nil UUID for the service's own. */
export type LogId = string

/** How far a log has come. `frontier` are the hashes of its complete subtrees, largest first, each of 32 bytes. */
export interface LogHead {
  readonly size: number
  readonly frontier: Buffer
  /** The newest `recorded_at` in it. */
  readonly recordedAt: Date
}

/** An audit row that waits to be sealed. */
export interface PendingRow {
  readonly id: string
  readonly leafHash: Buffer
}

/** A subtree of a log whose hash is kept: `level` is a multiple of {@link NODE_LEVELS}. */
export interface StoredNode {
  readonly level: number
  readonly index: number
  readonly hash: Buffer
}

/** Hashes are kept of the leaves and of every fourth level above: a fifteenth of the rows, and at most 8 reads for any other. */
export const NODE_LEVELS = 4

/** One batch of a log, appended in one transaction. */
export interface SealBatch {
  readonly log: LogId
  /** The size that the batch was computed on. */
  readonly size: number
  readonly rows: readonly PendingRow[]
  readonly nodes: readonly StoredNode[]
  /** After the batch. */
  readonly frontier: Buffer
}

export interface Seal {
  readonly seq: number
  readonly recordedAt: Date
}

export interface LogKeyRow {
  readonly epoch: number
  readonly publicKey: Buffer
  /** Sealed under the server's secrets. */
  readonly privateKey: string
  readonly createdAt: Date
}

export interface SignedState {
  readonly size: number
  readonly frontier: Buffer
  readonly signedAt: Date
}

export interface StoredCheckpoint {
  readonly size: number
  readonly keyEpoch: number
  readonly note: string
  readonly signedAt: Date
}

export interface LedgerStore {
  /** The logs of the oldest rows that wait, with the ids of those rows, oldest first; `limit` rows in all. */
  waiting(limit: number): Promise<ReadonlyMap<LogId, readonly string[]>>
  /** The same of one log. */
  waitingOf(log: LogId, limit: number): Promise<readonly string[]>
  /** Which of these rows still wait, in the order of their ids. */
  pending(log: LogId, ids: readonly string[]): Promise<readonly PendingRow[]>

  head(log: LogId): Promise<LogHead | undefined>

  /**
   * Appends a batch if the log still has the size that the batch was computed on: of all that seal the same log at one
   * time exactly one MUST resolve to `sealed`, and of the others nothing may be left. `recorded_at` of its rows is the
   * database's clock, and MUST NOT be before that of any row sealed earlier. The rows leave those that wait, and go on counting in
   * the overview as they did.
   *
   * @throws SallyportError `CONFLICT` when a row of the batch does not wait any more although the size is unchanged.
   */
  seal(batch: SealBatch): Promise<'sealed' | 'superseded'>

  /** Leaf hashes from `from` up to, not including, `to`; fewer where there are fewer. MUST be in the order of seq, and without a gap from `from`. */
  leaves(log: LogId, from: number, to: number): Promise<readonly Buffer[]>
  /** Stored hashes, level 0 (the leaves) included, in any order. */
  nodes(log: LogId, refs: readonly { readonly level: number; readonly index: number }[]): Promise<readonly StoredNode[]>
  sealsOf(log: LogId, ids: readonly string[]): Promise<ReadonlyMap<string, Seal>>

  /** The log of every tenant, and every other that has a head, a waiting row or a checkpoint, in the order of ids. */
  logs(): Promise<readonly LogId[]>
  /**
   * Hands out the sealed rows of a run, with their audit rows, in the order of seq, as pages of whole lines that
   * `readSealedRows` takes apart. Rows are found by id alone, so that one moved to another tenant is seen. `page` is
   * synchronous, and the bytes are its own only while it runs.
   */
  sealed(log: LogId, run: SeqRange, page: (lines: Buffer) => void): Promise<void>
  /** The first seal from that number on. */
  sealFrom(log: LogId, seq: number): Promise<{ readonly seq: number; readonly id: string } | undefined>
  /** How many audit rows the log has, how many seals, and how many rows wait: of one moment. */
  counted(log: LogId): Promise<{ readonly rows: number; readonly seals: number; readonly waiting: number }>
  /** Looks at up to `limit` audit rows, newest first: `id` is one that is neither sealed nor waiting. `last` is where to go on. */
  unaccounted(
    log: LogId,
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly id: string | undefined; readonly last: string | undefined }>
  /** The first waiting row whose audit row is missing, is another tenant's, or has another hash. */
  doubtfulPending(log: LogId): Promise<string | undefined>

  key(log: LogId): Promise<LogKeyRow | undefined>
  keys(log: LogId): Promise<readonly LogKeyRow[]>
  /** Adds a key unless that epoch has one. */
  addKey(log: LogId, key: Omit<LogKeyRow, 'createdAt'>): Promise<void>
  /** Replaces a sealed private key, where it is still the one given. */
  resealKey(log: LogId, epoch: number, from: string, to: string): Promise<void>

  signed(log: LogId): Promise<SignedState | undefined>
  /**
   * Notes what is about to be published, before it is: if the last signed size is still `after`, moves it to `size` and keeps
   * the checkpoint, in one transaction.
   */
  sign(input: {
    readonly log: LogId
    /** `undefined`: nothing was signed before. */
    readonly after: number | undefined
    readonly size: number
    readonly frontier: Buffer
    readonly keyEpoch: number
    readonly note: string
  }): Promise<StoredCheckpoint | undefined>
  /** The newest checkpoint of the newest key. */
  checkpoint(log: LogId): Promise<StoredCheckpoint | undefined>
  /** Checkpoints of sizes from `from` on, oldest first. */
  checkpoints(log: LogId, from: number, limit: number): Promise<readonly StoredCheckpoint[]>
  /**
   * Logs that are due a checkpoint: never signed, `rows` or more ahead of what was signed, ahead at all for `ageMs`, or
   * behind what was signed. Longest unsigned first.
   */
  unsigned(due: { readonly rows: number; readonly ageMs: number; readonly limit: number }): Promise<readonly LogId[]>
  /** Adds a key of the next epoch, with its audit row; `false` where that epoch has one. What was signed last stays. */
  rotateKey(log: LogId, key: Omit<LogKeyRow, 'createdAt'>, audit: (now: Date) => readonly AuditRow[]): Promise<boolean>
  /** The same, and forgets what was signed last: for a log that is anchored anew. */
  reanchor(log: LogId, key: Omit<LogKeyRow, 'createdAt'>, audit: (now: Date) => readonly AuditRow[]): Promise<boolean>

  /** Takes or keeps the lease of the sealer. */
  lead(holder: string, forMs: number): Promise<boolean>
  /** Gives it back. */
  resign(holder: string): Promise<void>
}
