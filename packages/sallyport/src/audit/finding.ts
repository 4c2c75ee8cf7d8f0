/**
 * What can be wrong with a log.
 *
 * @module
 */

/** What can be wrong, by what somebody did. */
export type FindingKind =
  | 'altered'
  | 'deleted'
  | 'inserted'
  | 'reordered'
  | 'truncated'
  | 'rewritten'
  | 'head'
  | 'node'
  | 'checkpoint'
  | 'waiting'

/** The first thing that is wrong. */
export interface Finding {
  readonly kind: FindingKind
  /** The row's place in the log, where it has one; the first of a range. */
  readonly seq?: number
  /** The last of a range. */
  readonly lastSeq?: number
  /** The audit row. */
  readonly id?: string
  /** In words a person reads. */
  readonly message: string
}

/** The row of that number has no seal. */
export function unsealed(seq: number): Finding {
  return { kind: 'deleted', seq, message: `row ${seq} was deleted: the log has no seal of that number` }
}
