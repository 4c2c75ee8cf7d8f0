/**
 * Exports one dataset of a tenant as a file.
 *
 * @module
 */

import { sealLog } from '../audit/seal.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SeqRange } from '../store/contract/evidence.ts'
import type { ExportStream } from './audited-export.ts'
import { auditedExport } from './audited-export.ts'
import type { DatasetName, ExportFormat } from './datasets.ts'
import { datasets } from './datasets.ts'
import type { Period } from './period.ts'
import { noPeriod, periodOf } from './period.ts'
import { readDataset } from './read-dataset.ts'
import type { Requester } from './requester.ts'
import { upToNow } from './up-to-now.ts'

export interface ExportInput {
  readonly dataset: DatasetName
  readonly format: ExportFormat
  /** ISO 8601 instants, half-open. Default to the 400 days up to now. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** `omit` leaves fingerprints of devices out. Defaults to `include`. */
  readonly device?: 'include' | 'omit' | undefined
}

export interface ExportFile extends ExportStream {
  /** Made of the dataset and the period as they were understood, and of nothing that a client wrote. */
  readonly fileName: string
  readonly contentType: string
}

const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
}

/**
 * Starts the export. Complete or failed: the stream ends in an error where it cannot be completed.
 *
 * @throws SallyportError `INVALID_RANGE` naming the field; `CONFLICT` (reason `export_running`); `UNAVAILABLE`.
 */
export async function exportDataset(
  engine: Pick<Engine, 'store' | 'settings' | 'log' | 'live'>,
  requester: Requester,
  input: ExportInput,
): Promise<ExportFile> {
  const { store, settings } = engine
  const { format, device = 'include' } = input
  const { tenantId } = requester
  const dataset = datasets(settings.audit.actions)[input.dataset]
  let period: Period | undefined
  if (dataset.period === undefined) noPeriod(input)
  else {
    period = periodOf(input, await upToNow(engine, tenantId))
  }
  const { exportId, body } = await auditedExport(engine, {
    requester,
    resource: dataset.name,
    started: {
      format,
      device,
      from: period?.from.toISOString() ?? null,
      to: period?.to.toISOString() ?? null,
    },
    async produce() {
      if (dataset.kind === 'state' || period === undefined) {
        const reading = readDataset(engine, dataset, { tenantId, format, device, period })
        return described(reading, ({ rows, asOf }) => ({ rows, asOf: asOf?.toISOString() ?? null }))
      }
      // Where the period reaches into rows that wait to be sealed, the export waits with them.
      await sealLog(engine, tenantId)
      const range = await store.evidence.recordedIn(tenantId, period)
      const reading = readDataset(engine, dataset, { tenantId, format, device, range })
      const seqs = range.end > range.first ? { firstSeq: range.first, lastSeq: range.end - 1 } : {}
      return described(reading, async ({ rows }) => {
        const removed = await missingOf(store, tenantId, dataset.actions, range, rows)
        return { rows, ...seqs, ...(removed === undefined ? {} : { removedByRetention: removed }) }
      })
    },
  })
  return { exportId, body, fileName: fileNameOf(dataset.name, period, format), contentType: CONTENT_TYPES[format] }
}

async function* described<Result>(
  reading: AsyncGenerator<Buffer, Result>,
  facts: (result: Result) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>,
): AsyncGenerator<Buffer, Readonly<Record<string, unknown>>> {
  return await facts(yield* reading)
}

/**
 * Holds what was written against a count by another statement.
 *
 * @returns Of a whole log, rows that retention has removed: of each seq there is a leaf, and a row or none.
 * @throws SallyportError `INTERNAL` when rows are missing from the file. The transfer then breaks.
 */
async function missingOf(
  store: Engine['store'],
  log: string,
  actions: readonly string[] | undefined,
  range: SeqRange,
  rows: number,
): Promise<number | undefined> {
  // Each seq of a run is there once: as many rows as numbers are all that there can be.
  if (actions === undefined && rows === range.end - range.first) return 0
  const { sealed, kept, byAction } = await store.evidence.countLog(log, range)
  const expected = actions === undefined ? kept : actions.reduce((sum, action) => sum + (byAction[action] ?? 0), 0)
  if (rows < expected || sealed !== range.end - range.first) {
    throw new SallyportError('INTERNAL', 'the audit log was exported incompletely; run "sallyport audit verify"')
  }
  return actions === undefined ? sealed - rows : undefined
}

/** Instants without the colons that some file systems refuse. */
export function fileNameOf(name: string, period: Period | undefined, extension: string): string {
  const stamp = (at: Date): string => at.toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${name}${period === undefined ? '' : `_${stamp(period.from)}_${stamp(period.to)}`}.${extension}`
}
