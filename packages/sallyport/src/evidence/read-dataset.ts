/**
 * Reads a dataset as the bytes of a file, at constant memory and without holding anything while the reader is slow.
 *
 * @module
 */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SeqRange, WrittenRows } from '../store/contract/evidence.ts'
import type { Store } from '../store/contract/store.ts'
import type { Dataset, LogDataset, StateDataset } from './dataset.ts'
import { columnsOf } from './dataset.ts'
import type { ExportFormat } from './datasets.ts'
import type { Period } from './period.ts'

export interface ReadInput {
  readonly tenantId: string
  readonly format: ExportFormat
  readonly device: 'include' | 'omit'
  /** Of a state dataset; of the log, its range says which rows. */
  readonly period?: Period | undefined
  /** Of a log dataset. */
  readonly range?: SeqRange | undefined
}

/** What became of a read that went to its end. */
export interface ReadResult {
  readonly rows: number
  /** Set for a table: the instant that it was read at. */
  readonly asOf?: Date
}

type Reading = AsyncGenerator<Buffer, ReadResult>
type Deps = { readonly store: Pick<Store, 'evidence'> }

/** Rows of one statement; of a filtered dataset, rows that one statement looks at. */
const CHUNK = 2000
const FILTERED_CHUNK = 20_000
/** Statements that run ahead of the reader: one is formatted in the database while another is on its way. */
const AHEAD = 2
const PIECE_BYTES = 128 * 1024

/** The bytes of the file. The generator's return value says how many rows went into it. */
export function readDataset(deps: Deps, dataset: Dataset, input: ReadInput): Reading {
  return dataset.kind === 'log' ? readLog(deps, dataset, input) : readState(deps, dataset, input)
}

async function* readLog({ store: { evidence } }: Deps, dataset: LogDataset, input: ReadInput): Reading {
  const { format, range = { first: 0, end: 0 }, tenantId } = input
  const columns = columnsOf(dataset, input.device)
  const { actions, impersonating } = dataset
  const size = actions === undefined && impersonating === undefined ? CHUNK : FILTERED_CHUNK
  const ahead: Promise<WrittenRows>[] = []
  let next = range.first
  const ask = (): void => {
    if (next >= range.end) return
    const chunk = { first: next, end: Math.min(range.end, next + size) }
    next = chunk.end
    const written = evidence.rowsOfLog({ log: tenantId, range: chunk, columns, format, actions, impersonating })
    // Whoever reads it sees the failure; until then it is not one that nobody handles.
    written.catch(() => undefined)
    ahead.push(written)
  }
  const frame = frameOf(format, columns)
  if (frame.head.length > 0) yield frame.head
  let rows = 0
  for (let i = 0; i < AHEAD; i++) ask()
  for (let chunk = ahead.shift(); chunk !== undefined; chunk = ahead.shift()) {
    const { pieces, rows: more } = await chunk
    ask()
    for (const [at, piece] of pieces.entries()) yield rows === 0 && at === 0 ? frame.first(piece) : piece
    rows += more
  }
  if (frame.tail.length > 0) yield frame.tail
  return { rows }
}

async function* readState({ store: { evidence } }: Deps, dataset: StateDataset, input: ReadInput): Reading {
  const { format, tenantId, period } = input
  const columns = columnsOf(dataset, input.device)
  const frame = frameOf(format, columns)
  const spool = new Spool()
  try {
    const { rows, asOf } = await evidence.rowsOfState(
      {
        table: dataset.table,
        tenantId,
        columns,
        format,
        from: dataset.period === undefined ? undefined : period?.from,
        to: dataset.period === undefined ? undefined : period?.to,
      },
      (piece) => spool.write(piece),
    )
    if (frame.head.length > 0) yield frame.head
    let first = true
    for (const piece of spool.read()) {
      yield first ? frame.first(piece) : piece
      first = false
    }
    if (frame.tail.length > 0) yield frame.tail
    return { rows, asOf }
  } finally {
    spool.close()
  }
}

/** What a file has around its rows. */
interface Frame {
  readonly head: Buffer
  /** What the first bytes of the rows become. */
  readonly first: (piece: Buffer) => Buffer
  readonly tail: Buffer
}

function frameOf(format: ExportFormat, columns: readonly { readonly name: string }[]): Frame {
  const same = (piece: Buffer): Buffer => piece
  switch (format) {
    case 'csv':
      return {
        head: Buffer.from(`${columns.map(({ name }) => `"${name}"`).join(',')}\r\n`),
        first: same,
        tail: Buffer.alloc(0),
      }
    case 'ndjson':
      return { head: Buffer.alloc(0), first: same, tail: Buffer.alloc(0) }
    case 'json':
      // Each object has its comma before it, and the first has none. A file that was cut off has no end, and so is not valid.
      return { head: Buffer.from('{"rows":['), first: (piece) => piece.subarray(1), tail: Buffer.from('\n]}\n') }
  }
}

/** A temporary file that nobody else can open, and that is gone when the process is. */
class Spool {
  readonly #fd: number
  #bytes = 0

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-export-'))
    this.#fd = openSync(join(folder, 'spool'), 'wx+', 0o600)
    // The name goes at once; the descriptor keeps the file. Where a system does not allow that, the name stays until it ends.
    rmSync(folder, { recursive: true, force: true })
  }

  write(piece: Buffer): void {
    for (let done = 0; done < piece.length; )
      done += writeSync(this.#fd, piece, done, piece.length - done, this.#bytes + done)
    this.#bytes += piece.length
  }

  *read(): Generator<Buffer> {
    for (let at = 0; at < this.#bytes; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, this.#bytes - at))
      const read = readSync(this.#fd, piece, 0, piece.length, at)
      if (read === 0) throw new Error('the spool of an export was cut off')
      at += read
      yield piece.subarray(0, read)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
