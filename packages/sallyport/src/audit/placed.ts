/**
 * The order that sealing leaves rows in, and the row that breaks it.
 *
 * @module
 */

import type { SealedRow } from '../store/contract/sealed-rows.ts'
import type { Finding } from './finding.ts'

/** Where a row stands. */
export type Placed = Pick<SealedRow, 'seq' | 'id' | 'recordedAtMs'>

/** Follows the rows of a log. */
export class OrderOfRows {
  /** The first row that stands where sealing would not have put it. Alone it proves nothing: batches may share a millisecond. */
  outOfOrder: Placed | undefined
  #before: Placed | undefined
  #beforeThat: Placed | undefined

  /** The last two rows. */
  get last(): readonly Placed[] {
    return [this.#beforeThat, this.#before].filter((row) => row !== undefined)
  }

  /** Goes on after these two, which were looked at elsewhere. */
  resume(last: readonly Placed[]): void {
    if (last.length === 0) return
    const [beforeThat, before] = last.length === 1 ? [this.#before, last[0]] : last
    this.#beforeThat = beforeThat
    this.#before = before
  }

  /** @returns What is wrong, where the row was recorded before what stands in front of it. */
  next(row: Placed): Finding | undefined {
    const stray = this.#misplaced(row)
    if (stray !== undefined) {
      if (row.recordedAtMs !== this.#before?.recordedAtMs) {
        return {
          kind: 'reordered',
          seq: stray.seq,
          id: stray.id,
          message: `row ${stray.seq} (${stray.id}) is out of order: what stands around it was recorded ${stray === row ? 'after' : 'before'} it`,
        }
      }
      this.outOfOrder ??= stray
    }
    this.#beforeThat = this.#before
    this.#before = row
    return undefined
  }

  /** Of this row and the one before, the one that is not where sealing would have put it: by time, and by id within a batch. */
  #misplaced(row: Placed): Placed | undefined {
    if (this.#before === undefined || !precedes(row, this.#before)) return undefined
    // Without the row before, this one would follow well: then it is that one which came from elsewhere.
    return this.#beforeThat === undefined || !precedes(row, this.#beforeThat) ? this.#before : row
  }
}

function precedes(one: Placed, other: Placed): boolean {
  const apart = one.recordedAtMs - other.recordedAtMs
  return apart === 0 ? one.id < other.id : apart < 0
}
