/**
 * Gathers rows into pieces of a file, each row between what its format puts around it.
 *
 * @module
 */

import type { RowFormat } from '../contract/evidence.ts'

const PIECE_BYTES = 128 * 1024

/** What stands before and after each row. */
const AROUND: Readonly<Record<RowFormat, { readonly before: Buffer; readonly after: Buffer }>> = {
  csv: { before: Buffer.alloc(0), after: Buffer.from('\r\n') },
  ndjson: { before: Buffer.alloc(0), after: Buffer.from('\n') },
  json: { before: Buffer.from(',\n'), after: Buffer.alloc(0) },
}

/** One file's worth of rows, or one chunk's. */
export class RowWriter {
  rows = 0
  readonly #before: Buffer
  readonly #after: Buffer
  readonly #write: (piece: Buffer) => void
  #piece = Buffer.allocUnsafe(PIECE_BYTES)
  #size = 0

  constructor(format: RowFormat, write: (piece: Buffer) => void) {
    const { before, after } = AROUND[format]
    this.#before = before
    this.#after = after
    this.#write = write
  }

  /** Takes a row without its line end. The bytes are copied: the driver goes on to use them for the next. */
  add(row: Uint8Array): void {
    const length = this.#before.length + row.length + this.#after.length
    if (this.#size + length > this.#piece.length) {
      this.end()
      if (length > this.#piece.length) this.#piece = Buffer.allocUnsafe(length)
    }
    const piece = this.#piece
    let at = this.#size
    piece.set(this.#before, at)
    piece.set(row, (at += this.#before.length))
    piece.set(this.#after, (at += row.length))
    this.#size = at + this.#after.length
    this.rows++
  }

  /** Hands on what is left. */
  end(): void {
    if (this.#size === 0) return
    this.#write(this.#piece.subarray(0, this.#size))
    this.#piece = Buffer.allocUnsafe(PIECE_BYTES)
    this.#size = 0
  }
}
