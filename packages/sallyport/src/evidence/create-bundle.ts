/**
 * Makes the evidence bundle of a period: one ZIP that is checked without the system it came from.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { canonicalJson } from '../audit/canonical-json.ts'
import { logKey } from '../audit/log-key.ts'
import { proveConsistency, proveInclusion } from '../audit/prove.ts'
import { sealLog } from '../audit/seal.ts'
import { Frontier } from '../audit/verifying/merkle.ts'
import { signNote } from '../audit/verifying/signed-note.ts'
import { writeTlogProof } from '../audit/verifying/tlog-proof.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { SeqRange } from '../store/contract/evidence.ts'
import type { ExportStream } from './audited-export.ts'
import { auditedExport } from './audited-export.ts'
import { defusedCounter } from './count-defused.ts'
import type { Dataset, LogDataset } from './dataset.ts'
import { columnsOf } from './dataset.ts'
import { datasets } from './datasets.ts'
import { evaluateChecklist } from './evaluate-checklist.ts'
import { fileNameOf } from './export-dataset.ts'
import type { Period } from './period.ts'
import { periodOf } from './period.ts'
import { readDataset } from './read-dataset.ts'
import { readmeAuditor } from './readme-auditor.ts'
import { REPORTS } from './reports.ts'
import type { Requester } from './requester.ts'
import { upToNow } from './up-to-now.ts'
import type { ManifestFile } from './verifying/manifest.ts'
import { MANIFEST, manifestNote, SIGNATURE } from './verifying/manifest.ts'

export interface BundleInput {
  /** ISO 8601 instants, half-open. Default to the 400 days up to now. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** `omit` leaves fingerprints of devices out. Defaults to `include`. */
  readonly device?: 'include' | 'omit' | undefined
}

export interface BundleFile extends ExportStream {
  readonly fileName: string
}

type Deps = Pick<Engine, 'store' | 'settings' | 'secrets' | 'sealer' | 'log' | 'live' | 'routes'>

const LEAVES = 10_000
/** Pages of the log, of 20,000 rows each, that are searched for the bundle before. */
const MOST_PAGES = 20
const { version: VERSION } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

/**
 * Starts the bundle. The manifest is its last file, and its signature the very last: a ZIP that was cut off has neither.
 *
 * @throws SallyportError `INVALID_RANGE`; `CONFLICT` (reason `export_running`, or where the log may not be signed); `UNAVAILABLE`.
 */
export async function createBundle(deps: Deps, requester: Requester, input: BundleInput): Promise<BundleFile> {
  const requestedAt = await deps.store.evidence.now()
  const period = periodOf(input, await upToNow(deps, requester.tenantId))
  const { device = 'include' } = input
  const { exportId, body } = await auditedExport(deps, {
    requester,
    resource: 'evidence-bundle',
    started: { from: period.from.toISOString(), to: period.to.toISOString(), device },
    produce: async (id) => writeBundle(deps, { requester, period, device, requestedAt, exportId: id }),
  })
  return { exportId, body, fileName: fileNameOf(`evidence_${requester.tenantId}`, period, 'zip') }
}

interface Making {
  readonly requester: Requester
  readonly period: Period
  readonly device: 'include' | 'omit'
  readonly requestedAt: Date
  readonly exportId: string
}

async function writeBundle(
  deps: Deps,
  { requester, period, device, requestedAt, exportId }: Making,
): Promise<AsyncGenerator<Buffer, Readonly<Record<string, unknown>>>> {
  const { store, settings } = deps
  const { tenantId } = requester
  await sealLog(deps, tenantId)
  const range = await store.evidence.recordedIn(tenantId, period)
  const checkpoint = await deps.sealer.checkpoint(tenantId)
  const key = await logKey(deps, tenantId)
  const tree = await readTree(deps, tenantId, range)
  const count = await store.evidence.countLog(tenantId, range)
  const snapshotAt = await store.evidence.now()
  const source = await store.evidence.source()
  const tenant = await store.evidence.tenantName(tenantId)
  const clockOffsetMs = Date.now() - snapshotAt.getTime()
  const previous = await previousBundle(deps, tenantId)
  const from = period.from.toISOString()
  const to = period.to.toISOString()

  const files: ManifestFile[] = []
  const streams: Readable[] = []
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  // A file that cannot be read to its end ends the bundle: yazl itself would wait for the rest of it for ever.
  let failure: Error | undefined
  const fail = (error: Error): void => {
    failure ??= error
    output.destroy(error)
  }
  zip.on('error', fail)
  // It may fail before anybody has begun to read, who is then told of it.
  output.on('error', () => undefined)
  let manifestSha256 = ''
  let exported = 0
  let escapedCells = 0
  // One moment for every entry: what the ZIP says of time is not evidence of anything.
  const options = { mtime: new Date(Date.UTC(2026, 0, 1)), mode: 0o100644 }

  const add = (path: string, bytes: AsyncGenerator<Buffer, Partial<ManifestFile>>): void => {
    const hash = createHash('sha256')
    const isCsv = path.endsWith('.csv')
    const defused = defusedCounter()
    async function* hashed(): AsyncGenerator<Buffer> {
      let size = 0
      for (let step = await bytes.next(); ; step = await bytes.next()) {
        if (step.done === true) {
          files.push({ path, bytes: size, sha256: hash.digest('hex'), ...step.value })
          escapedCells += defused.count
          return
        }
        if (isCsv) defused.take(step.value)
        hash.update(step.value)
        size += step.value.length
        yield step.value
      }
    }
    const stream = Readable.from(hashed(), { objectMode: false })
    stream.on('error', fail)
    streams.push(stream)
    zip.addReadStream(stream, path, options)
  }
  const addText = (path: string, text: string): void =>
    add(
      path,
      (async function* () {
        // yazl takes an empty stream as it takes any other.
        if (text !== '') yield Buffer.from(text)
        return {}
      })(),
    )
  const rangeOf = (dataset: Dataset): SeqRange =>
    dataset.kind === 'log' && dataset.fromStart === true ? { first: 0, end: range.end } : range
  /** Each report has the rows that an independent count has of its actions. */
  const complete = ({ name, actions, impersonating }: LogDataset, rows: number): void => {
    const counted =
      impersonating === true
        ? count.impersonating
        : actions === undefined
          ? count.kept
          : actions.reduce((sum, action) => sum + (count.byAction[action] ?? 0), 0)
    if (rows !== counted) {
      throw new SallyportError('INTERNAL', `${name} was exported incompletely; run "sallyport audit verify"`)
    }
  }
  const addDataset = (dataset: Dataset): void => {
    const columns = columnsOf(dataset, device)
    for (const format of ['ndjson', 'csv'] as const) {
      add(
        `data/${dataset.name}.${format}`,
        (async function* () {
          const reading = readDataset(deps, dataset, { tenantId, format, device, period, range: rangeOf(dataset) })
          const { rows, asOf } = yield* reading
          if (dataset.name === 'audit-logs' && format === 'ndjson') exported = rows
          else if (dataset.kind === 'log' && dataset.fromStart === undefined) complete(dataset, rows)
          return { rows, ...(asOf === undefined ? {} : { as_of: asOf.toISOString() }) }
        })(),
      )
    }
    const query =
      dataset.kind === 'log'
        ? {
            log: tenantId,
            range: rangeOf(dataset),
            columns,
            format: 'json' as const,
            actions: dataset.actions,
            impersonating: dataset.impersonating,
          }
        : { table: dataset.table, tenantId, columns, format: 'json' as const }
    const parameters =
      dataset.kind === 'log'
        ? [tenantId, rangeOf(dataset).first, range.end, ...(dataset.actions === undefined ? [] : [dataset.actions])]
        : [tenantId, ...(dataset.period === undefined ? [] : [from, to])]
    addText(
      `query/${dataset.name}.sql`,
      `${parameters.map((value, at) => `-- $${at + 1} = ${JSON.stringify(value)}\n`).join('')}${store.evidence.queryText(query)};\n`,
    )
    addText(`schema/${dataset.name}.schema.json`, `${canonicalJson(schemaOf(dataset, columns))}\n`)
  }

  addText('README-AUDITOR.md', readmeAuditor({ tenant, from, to, vkey: key.vkey }))
  addText('keys/log.vkey', `${key.vkey}\n`)
  for (const dataset of [...Object.values(datasets(settings.audit.actions)), ...REPORTS]) addDataset(dataset)
  addText('log/start.txt', lines(tree.start))
  addText('log/removed.txt', tree.removed.map(({ seq, leaf }) => `${seq} ${leaf.toString('base64')}\n`).join(''))
  const started = (await store.ledger.checkpoints(tenantId, 0, 1000)).findLast(({ size }) => size <= range.first)
  if (started !== undefined) addText('checkpoint.start', started.note)
  if (checkpoint !== undefined) {
    addText('checkpoint.end', checkpoint.note)
    const proof =
      range.end === 0 || range.end === checkpoint.size
        ? []
        : await proveConsistency(deps, tenantId, { first: range.end, second: checkpoint.size })
    addText('consistency.txt', lines(proof))
    for (const { seq, id } of tree.sampled) {
      const inclusion = await proveInclusion(deps, tenantId, id)
      addText(`inclusion/${seq}.tlog-proof`, writeTlogProof(inclusion))
    }
  }
  addText('config.json', `${canonicalJson(configuration(settings))}\n`)
  const checklist = await evaluateChecklist(deps, tenantId, deps.routes)
  addText('checklist.json', `${canonicalJson({ ...checklist, evaluatedAt: checklist.evaluatedAt.toISOString() })}\n`)

  const finish = async (): Promise<string> => {
    if (exported !== count.kept || count.sealed !== range.end - range.first) {
      throw new SallyportError('INTERNAL', 'the audit log was exported incompletely; run "sallyport audit verify"')
    }
    const completedAt = await store.evidence.now()
    const empty = range.end === range.first
    const manifest = canonicalJson({
      manifest_version: 1,
      export_id: exportId,
      reports: Object.fromEntries(
        [...Object.values(datasets(settings.audit.actions)), ...REPORTS].map(({ name, criteria }) => [
          name,
          { version: 1, criteria: [...criteria] },
        ]),
      ),
      tenant: { id: tenantId, name: tenant },
      environment: { issuer: settings.issuer, name: settings.build.environment },
      requested_by: { ...requester.described },
      requested_at: requestedAt.toISOString(),
      snapshot_at: snapshotAt.toISOString(),
      generated_at: snapshotAt.toISOString(),
      completed_at: completedAt.toISOString(),
      clock: { source: 'the database', generator_offset_ms: clockOffsetMs },
      period: { from, to, timezone: 'UTC' },
      parameters: {
        device,
        sort: 'seq; tables by their period and id',
        row_limit: 'none',
        filters: 'none, but for the actions in query/',
        redactions: {
          secrets: 'never written: their values read [redacted]',
          omitted_columns: device === 'omit' ? omittedColumns(settings) : {},
        },
      },
      generator: {
        name: 'sallyport',
        version: VERSION,
        git_commit: settings.build.commit,
        image_digest: settings.build.image,
      },
      source: { ...source },
      population: {
        rows_in_period: count.sealed,
        rows_exported: exported,
        rows_excluded: tree.removed.length === 0 ? [] : [{ reason: 'retention', count: tree.removed.length }],
        first_seq: empty ? null : range.first,
        last_seq: empty ? null : range.end - 1,
        expected: range.end - range.first,
        gaps: [],
        // A seq, and an event, stands in a log once: the database holds it to that, and the tree was read in order.
        duplicates: 0,
        first_ts: count.firstRecordedAt?.toISOString() ?? null,
        last_ts: count.lastRecordedAt?.toISOString() ?? null,
        counts_by_type: { ...count.byAction },
        sum_check: tree.sum,
      },
      files: [...files].sort((a, b) => (a.path < b.path ? -1 : 1)).map((file) => ({ ...file })),
      csv: {
        delimiter: ',',
        quote: '"',
        newline: 'CRLF',
        bom: false,
        formula_escape: 'apostrophe',
        escaped_cells: escapedCells,
      },
      log: {
        origin: key.origin,
        start_size: range.first,
        start_root: tree.startRoot.toString('hex'),
        end_size: range.end,
        end_root: tree.root.toString('hex'),
        checkpoint_size: checkpoint?.size ?? 0,
        checkpoint_key_id: key.vkey.split('+')[1] ?? null,
        vkey: key.vkey,
        witnesses: witnessesOf(settings),
      },
      previous_export: previous,
      retention: {
        audit_logs_ms: settings.retention.auditLogsMs ?? null,
        removed: tree.removed.length,
        purged_before:
          settings.retention.auditLogsMs === undefined
            ? null
            : new Date(snapshotAt.getTime() - settings.retention.auditLogsMs).toISOString(),
        legal_hold: settings.retention.auditLogsMs === undefined ? 'everything is kept' : null,
      },
      signature: {
        alg: 'Ed25519',
        format: 'c2sp.org/signed-note',
        key_id: key.vkey.split('+')[1] ?? null,
        vkey: key.vkey,
        key_url: `${settings.issuer}${settings.basePath}/audit/key`,
      },
    })
    manifestSha256 = createHash('sha256').update(manifest).digest('hex')
    return manifest
  }
  let manifest = ''
  const last = (path: string, text: () => Promise<string>): void =>
    zip.addReadStreamLazy(path, options, (give) => {
      text().then(
        (made) => give(null, Readable.from([Buffer.from(made)], { objectMode: false })),
        (error: unknown) => give(error, Readable.from([])),
      )
    })
  last(MANIFEST, async () => {
    manifest = await finish()
    return manifest
  })
  last(SIGNATURE, async () => signNote(manifestNote(exportId, manifest), key.origin, key.privateKey))
  zip.end()

  return (async function* () {
    try {
      for await (const chunk of output) yield chunk as Buffer
    } catch (error) {
      throw failure ?? error
    } finally {
      // Those that were never come to keep nothing open.
      for (const stream of streams) stream.destroy()
    }
    return { rows: exported, files: files.length, manifestSha256, firstSeq: range.first, endSeq: range.end }
  })()
}

interface Tree {
  /** Subtrees of the log before the range, and the root that they come to. */
  readonly start: readonly Buffer[]
  readonly startRoot: Buffer
  readonly root: Buffer
  readonly sum: string
  /** Rows whose content retention removed. */
  readonly removed: readonly { readonly seq: number; readonly leaf: Buffer }[]
  /** The first and the last row that are there. */
  readonly sampled: readonly { readonly seq: number; readonly id: string }[]
}

/** Reads the leaves, and nothing else of the rows: their content is what the data files are checked for. */
async function readTree({ store }: Deps, log: string, range: SeqRange): Promise<Tree> {
  const frontier = new Frontier()
  const sum = createHash('sha256')
  let start: readonly Buffer[] = []
  const chunk = async (from: number, to: number, each: (leaf: Buffer) => void): Promise<void> => {
    for (let at = from; at < to; ) {
      const leaves = await store.ledger.leaves(log, at, Math.min(to, at + LEAVES))
      if (leaves.length === 0)
        throw new SallyportError('INTERNAL', 'a part of the audit log is missing; run "sallyport audit verify"')
      for (const leaf of leaves) each(leaf)
      at += leaves.length
    }
  }
  await chunk(0, range.first, (leaf) => frontier.append(leaf))
  const bytes = frontier.toBytes()
  const startRoot = frontier.root()
  start = Array.from({ length: bytes.length / 32 }, (_, at) => bytes.subarray(at * 32, at * 32 + 32))
  await chunk(range.first, range.end, (leaf) => {
    frontier.append(leaf)
    sum.update(leaf)
  })
  const removed = await store.evidence.removedIn(log, range)
  const sampled = await store.evidence.endsOf(log, range)
  return { start, startRoot, root: frontier.root(), sum: sum.digest('hex'), removed, sampled }
}

function lines(hashes: readonly Buffer[]): string {
  return hashes.map((hash) => `${hash.toString('base64')}\n`).join('')
}

/** The bundle before this one, by which a series of them can be followed. */
async function previousBundle(
  { store }: Deps,
  tenantId: string,
): Promise<{ readonly id: string; readonly manifest_sha256: string } | null> {
  let after: { readonly createdAt: Date; readonly id: string } | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const { rows, more } = await store.audit.search({
      tenantId,
      actions: ['DATA_EXPORT_COMPLETED'],
      resource: 'evidence-bundle',
      limit: 1,
      after,
    })
    const [row] = rows
    const sha256 = (row?.metadata as { readonly manifestSha256?: unknown } | null)?.manifestSha256
    if (row?.resourceId != null && typeof sha256 === 'string') return { id: row.resourceId, manifest_sha256: sha256 }
    if (more === undefined) return null
    after = more
  }
  return null
}

/** The policy as it is now; what was changed of a tenant's own settings is in the report `admin_changes`. */
function configuration(settings: Deps['settings']): Readonly<Record<string, unknown>> {
  const { retry, reuse, retention, sessionLimit, signUp } = settings
  return {
    access_token_ms: settings.accessTtlMs,
    access_token_alg: settings.accessAlg,
    refresh_token_ms: settings.refreshTtlMs,
    session_life_ms: settings.maxSessionLifeMs,
    session_idle_ms: settings.idleMs,
    session_limit: JSON.parse(JSON.stringify(sessionLimit ?? null)) as unknown,
    retry: { ...retry },
    reuse: { ...reuse },
    consistency: settings.consistency,
    staleness_ms: settings.maxStalenessMs,
    step_up_window_ms: settings.stepUpWindowMs,
    mfa_at_sign_in: settings.mfaAtSignIn,
    preset: settings.preset,
    risk_mode: settings.risk.mode,
    impersonation: { read_only: settings.impersonationReadOnly, life_ms: settings.impersonationLifeMs },
    sign_up: { ...signUp },
    retention: { ...retention, auditLogsMs: retention.auditLogsMs ?? null },
  }
}

/** Device columns that were left out, by dataset. */
function omittedColumns({ audit }: Deps['settings']): Readonly<Record<string, string[]>> {
  return Object.fromEntries(
    [...Object.values(datasets(audit.actions)), ...REPORTS].flatMap(({ name, columns }) => {
      const omitted = columns.filter((one) => one.device === true).map((one) => one.name)
      return omitted.length === 0 ? [] : [[name, omitted]]
    }),
  )
}

/** Who outside is told of checkpoints: of an address no more than the host, which may have a key in its path. */
function witnessesOf({ audit: { witness } }: Deps['settings']): string[] {
  return [
    ...(witness.file === undefined ? [] : ['file']),
    ...(witness.url === undefined ? [] : [`webhook at ${new URL(witness.url).host}`]),
  ]
}

const JSON_TYPES = {
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  uuid: { type: 'string', format: 'uuid' },
  instant: { type: 'string', format: 'date-time' },
  text: { type: 'string' },
  list: { type: 'array' },
  json: {},
  hex: { type: 'string', pattern: '^[0-9a-f]*$' },
} as const

function schemaOf({ title }: Dataset, columns: ReturnType<typeof columnsOf>): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    description: 'One row. Any value may be null.',
    type: 'object',
    properties: Object.fromEntries(
      columns.map(({ name, type, description }) => [name, { ...JSON_TYPES[type], description }]),
    ),
    required: columns.map(({ name }) => name),
  }
}
