/**
 * A tenant with a log, on either database, and readers of what is exported, written apart from what writes it.
 *
 * @module
 */

import { createHash, randomUUID } from 'node:crypto'
import type { AuditEvent, AuditRow } from '../../packages/sallyport/src/audit/record.ts'
import { auditRow } from '../../packages/sallyport/src/audit/record.ts'
import { sealLog } from '../../packages/sallyport/src/audit/seal.ts'
import type { ExportInput } from '../../packages/sallyport/src/evidence/export-dataset.ts'
import { exportDataset } from '../../packages/sallyport/src/evidence/export-dataset.ts'
import { machineAsking } from '../../packages/sallyport/src/evidence/requester.ts'
import type { ClockShift } from '../../packages/sallyport/src/store/contract/store.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { openInMemory } from '../../packages/sallyport/src/store/pglite/open.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { pgliteDatabase } from '../../packages/sallyport/src/store/postgres/pglite.ts'
import type { Bench } from '../support/directory-bench.ts'
import { openBench } from '../support/directory-bench.ts'
import { createDatabase, hasPostgres } from '../support/postgres.ts'

export interface EvidenceBench extends Bench {
  readonly database: Database
  /** Moves the database's clock. */
  readonly clock: ClockShift
  /** Set on PostgreSQL. */
  readonly url: string | undefined
  readonly tenantId: string
  /** Writes an event; `at` is when it happened, the database's clock if left out. */
  event(event: Partial<AuditEvent>, at?: Date): Promise<AuditRow>
  /** Seals what waits, as if the database's clock stood at `at`. */
  sealAt(at: Date): Promise<void>
  seal(): Promise<void>
  export(input: ExportInput): Promise<Buffer>
}

export type Kind = 'postgres' | 'pglite'
export const KINDS: readonly Kind[] = hasPostgres ? ['postgres', 'pglite'] : ['pglite']

export async function openEvidence(kind: Kind): Promise<EvidenceBench> {
  const made = kind === 'postgres' ? await createDatabase() : undefined
  const clock = { offsetMs: 0 }
  const database =
    made === undefined ? pgliteDatabase(await openInMemory(), clock) : nodePostgres({ url: made.url, clock })
  // The sealer stays out of the way: these tests say when a row is sealed.
  const bench = await openBench(database, { audit: { sealEvery: '60s' } })
  const { issued } = await bench.owner()
  const { tenantId } = issued.session
  return {
    ...bench,
    database,
    clock,
    url: made?.url,
    tenantId,
    async event(event, at = new Date()) {
      const row = auditRow({ tenantId, action: 'SETTINGS_UPDATED', correlationId: randomUUID(), ...event }, at)
      await bench.engine.store.audit.append([row])
      return row
    },
    async sealAt(at) {
      const before = clock.offsetMs
      clock.offsetMs = at.getTime() - Date.now()
      try {
        await sealLog(bench.engine, tenantId)
      } finally {
        clock.offsetMs = before
      }
    },
    seal: () => sealLog(bench.engine, tenantId),
    export: async (input) => bytesOf((await exportDataset(bench.engine, machineAsking(tenantId, 'test'), input)).body),
    async close() {
      await bench.close()
      await made?.drop()
    },
  }
}

export async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** RFC 4180 by its grammar, one character after another. An empty cell without quotes is null. */
export function parseCsv(text: string): {
  readonly header: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
} {
  const records: (string | null)[][] = []
  let record: (string | null)[] = []
  let at = 0
  while (at < text.length) {
    if (text[at] === '"') {
      let cell = ''
      for (at++; ; at++) {
        if (at >= text.length) throw new Error('a quote is not closed')
        if (text[at] !== '"') cell += text[at]
        else if (text[at + 1] === '"') {
          cell += '"'
          at++
        } else break
      }
      at++
      record.push(cell)
    } else {
      const end = /[,\r]/.exec(text.slice(at))
      const cell = end === null ? text.slice(at) : text.slice(at, at + end.index)
      if (/["\n]/.test(cell)) throw new Error('a cell without quotes holds what needs them')
      record.push(cell === '' ? null : cell)
      at += cell.length
    }
    if (text[at] === ',') {
      at++
      continue
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`a record does not end with CRLF at ${at}`)
    at += 2
    records.push(record)
    record = []
  }
  const [header, ...rows] = records
  if (header === undefined) throw new Error('no header')
  return { header: header as string[], rows }
}

/** A cell as it was before a formula in it was defused. */
export function undefused(cell: string): string {
  return /^'+[=+@\t\r\n＝＋－＠-]/.test(cell) ? cell.slice(1) : cell
}
