/**
 * Reads what COPY writes, off the wire and past the driver, which would make an object of every row.
 *
 * @module
 */

import type { Readable } from 'node:stream'
import pg from 'pg'
import type { RowFormat } from '../contract/evidence.ts'

/** Takes rows: the bytes of `wire` from `start` up to `end`, the line break at the end included. The bytes are the sink's to change. */
export interface RowSink {
  row(wire: Buffer, start: number, end: number): void
  /** All rows of this piece of the wire have been handed over. */
  flush(): void
}

/** What every message begins with: its kind, and its length without that one byte. */
const HEADER_BYTES = 5
const COPY_DATA = 0x64
const LENGTH_AT = 1

/**
 * Runs a query that copies to standard output, and hands each row to `sink`. The protocol has one message a row.
 *
 * Everything else that the server says goes on to the driver, which stays in step with it.
 */
export function copyOut(client: pg.ClientBase, text: string, sink: RowSink): Promise<void> {
  // The socket of a client: what every extension of the driver that copies takes hold of.
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Readable } }).connection
  const drivers = stream.listeners('data') as ((data: Buffer) => void)[]
  const wire = new CopyMessages(sink, (rest) => {
    for (const driver of drivers) driver.call(stream, rest)
  })
  const listener = (data: Buffer): void => wire.take(data)
  return new Promise<void>((resolve, reject) => {
    const query = new pg.Query({ text })
    const settle = (outcome: () => void) => () => {
      stream.off('data', listener)
      for (const driver of drivers) if (!stream.listeners('data').includes(driver)) stream.on('data', driver)
      outcome()
    }
    query.on('error', (error) => settle(() => reject(error))())
    query.on(
      'end',
      settle(() => (wire.refusal === undefined ? resolve() : reject(wire.refusal.error))),
    )
    stream.on('data', listener)
    for (const driver of drivers) stream.off('data', driver)
    client.query(query)
  })
}

/** Takes the messages of a wire apart. */
class CopyMessages {
  readonly #sink: RowSink
  readonly #others: (message: Buffer) => void
  /** The beginning of a message whose end has not come yet. */
  #begun: Buffer | undefined
  /** What the sink threw. The disk is full, for one: the rest is read and dropped, so that the connection stays in step. */
  refusal: { readonly error: unknown } | undefined

  constructor(sink: RowSink, others: (message: Buffer) => void) {
    this.#sink = sink
    this.#others = others
  }

  take(data: Buffer): void {
    let at = 0
    while (this.#begun !== undefined && at < data.length) at = this.#complete(this.#begun, data, at)
    while (data.length - at >= HEADER_BYTES) {
      const end = at + 1 + data.readUInt32BE(at + LENGTH_AT)
      if (end > data.length) break
      this.#message(data, at, end)
      at = end
    }
    // A copy, so that not the whole piece is kept for the sake of a few bytes.
    if (at < data.length) this.#begun = Buffer.from(data.subarray(at))
    this.#flush()
  }

  /** Adds to the message that has begun, first what is missing of its header. @returns Where the next one begins. */
  #complete(begun: Buffer, data: Buffer, at: number): number {
    const size = begun.length < HEADER_BYTES ? HEADER_BYTES : 1 + begun.readUInt32BE(LENGTH_AT)
    const end = Math.min(data.length, at + size - begun.length)
    const whole = Buffer.concat([begun, data.subarray(at, end)])
    if (whole.length < HEADER_BYTES || whole.length < 1 + whole.readUInt32BE(LENGTH_AT)) this.#begun = whole
    else {
      this.#begun = undefined
      this.#message(whole, 0, whole.length)
      this.#flush()
    }
    return end
  }

  #message(wire: Buffer, start: number, end: number): void {
    if (wire[start] !== COPY_DATA) return this.#others(wire.subarray(start, end))
    if (this.refusal !== undefined) return
    try {
      this.#sink.row(wire, start + HEADER_BYTES, end)
    } catch (error) {
      this.refusal = { error }
    }
  }

  #flush(): void {
    if (this.refusal !== undefined) return
    try {
      this.#sink.flush()
    } catch (error) {
      this.refusal = { error }
    }
  }
}

/** What stands before and after each row of a file, the line break that COPY ends a row with left out. */
const AROUND: Readonly<Record<RowFormat | 'lines', { readonly before: string; readonly after: string }>> = {
  csv: { before: '', after: '\r\n' },
  ndjson: { before: '', after: '\n' },
  json: { before: ',\n', after: '' },
  lines: { before: '', after: '\n' },
}

/**
 * Makes a file of the rows in the very bytes that they came in: each message's header is more than what a row needs around it,
 * so rows move to the front and nothing is copied elsewhere.
 */
export class RowsInPlace implements RowSink {
  rows = 0
  readonly #before: Buffer
  readonly #after: Buffer
  readonly #write: (piece: Buffer) => void
  #wire: Buffer | undefined
  #size = 0

  constructor(format: RowFormat | 'lines', write: (piece: Buffer) => void) {
    this.#before = Buffer.from(AROUND[format].before)
    this.#after = Buffer.from(AROUND[format].after)
    this.#write = write
  }

  row(wire: Buffer, start: number, end: number): void {
    this.#wire = wire
    let at = this.#size
    for (const byte of this.#before) wire[at++] = byte
    wire.copyWithin(at, start, end - 1)
    at += end - 1 - start
    for (const byte of this.#after) wire[at++] = byte
    this.#size = at
    this.rows++
  }

  flush(): void {
    if (this.#wire !== undefined) this.#write(this.#wire.subarray(0, this.#size))
    this.#wire = undefined
    this.#size = 0
  }
}
