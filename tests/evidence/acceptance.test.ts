/**
 * What an auditor asks of evidence, each by its number: those that the other files of this folder do not show already (E1 to E7
 * and E9 to E13 are in `bundle`, `exports` and `broken-transfer`).
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { auditRow } from '../../packages/sallyport/src/audit/record.ts'
import { signNote, writeVerifierKey } from '../../packages/sallyport/src/audit/verifying/signed-note.ts'
import { ROLE_PERMISSIONS } from '../../packages/sallyport/src/directory/roles.ts'
import { createBundle } from '../../packages/sallyport/src/evidence/create-bundle.ts'
import { exportDataset } from '../../packages/sallyport/src/evidence/export-dataset.ts'
import { machineAsking } from '../../packages/sallyport/src/evidence/requester.ts'
import { manifestNote } from '../../packages/sallyport/src/evidence/verifying/manifest.ts'
import { openZip } from '../../packages/sallyport/src/evidence/verifying/read-zip.ts'
import { verifyBundle } from '../../packages/sallyport/src/evidence/verifying/verify-bundle.ts'
import { API_ROUTES } from '../../packages/sallyport/src/http/api.ts'
import { SallyportError } from '../../packages/sallyport/src/errors.ts'
import { schemaDrift } from '../../packages/sallyport/src/store/postgres/schema-drift.ts'
import { run } from '../processes/support.ts'
import { outcomeOf } from '../support/directory-bench.ts'
import { hasPostgres } from '../support/postgres.ts'
import type { EvidenceBench } from './support.ts'
import { bytesOf, KINDS, openEvidence, parseCsv, sha256 } from './support.ts'

const CLI = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url))
/** A bundle as version 0.1.0 wrote it, and the key that it was published under. */
const OLD_BUNDLE = fileURLToPath(new URL('fixtures/bundle-0.1.0.zip', import.meta.url))
const OLD_KEY = readFileSync(new URL('fixtures/bundle-0.1.0.vkey', import.meta.url), 'utf8').trim()
const DAY = 86_400_000

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-acceptance-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function filesOf(path: string): Promise<Map<string, Buffer>> {
  const zip = await openZip(path)
  const files = new Map<string, Buffer>()
  for (const name of zip.names) {
    const chunks = []
    for await (const chunk of zip.read(name)) chunks.push(chunk)
    files.set(name, Buffer.concat(chunks))
  }
  zip.close()
  return files
}

describe.each(KINDS)('evidence on %s', (kind) => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence(kind)
  })
  afterAll(() => bench.close())

  const rowsOf = async (input: Partial<Parameters<EvidenceBench['export']>[0]> = {}) =>
    (await bench.export({ dataset: 'audit-logs', format: 'ndjson', ...input }))
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  const bundle = async (input: Parameters<typeof createBundle>[2] = {}, name = 'bundle') => {
    const path = join(folder, `${kind}-${name}.zip`)
    writeFileSync(
      path,
      await bytesOf((await createBundle(bench.engine, machineAsking(bench.tenantId, 'test'), input)).body),
    )
    return path
  }

  test('E8: a file that has fewer rows than an independent count is broken, whatever lost them', async () => {
    for (let n = 0; n < 30; n++) await bench.event({ actorName: `n${n}` })
    const { store } = bench.engine
    const losing = {
      ...bench.engine,
      store: {
        ...store,
        evidence: {
          ...store.evidence,
          rowsOfLog: async (query: Parameters<typeof store.evidence.rowsOfLog>[0]) => {
            const { pieces, rows } = await store.evidence.rowsOfLog(query)
            const lines = Buffer.concat([...pieces])
              .toString()
              .split('\n')
            return { pieces: [Buffer.from(lines.slice(1).join('\n'))], rows: rows - 1 }
          },
        },
      },
    }
    for (const dataset of ['audit-logs', 'security-events'] as const) {
      const { body, exportId } = await exportDataset(losing, machineAsking(bench.tenantId, 'test'), {
        dataset,
        format: 'ndjson',
      })
      expect(await outcomeOf(bytesOf(body)), dataset).toBe('INTERNAL')
      const ends = await bench.rows(
        `select action from audit_logs where resource_id = '${exportId}' order by created_at, id`,
      )
      expect(ends.map(({ action }) => action)).toEqual(['DATA_EXPORT_STARTED', 'DATA_EXPORT_FAILED'])
    }
    const making = await createBundle(losing, machineAsking(bench.tenantId, 'test'), {})
    expect(await outcomeOf(bytesOf(making.body))).toBe('INTERNAL')
    // A database that fails while the bundle is made, too.
    const away = {
      ...losing,
      store: {
        ...store,
        evidence: { ...store.evidence, rowsOfState: () => Promise.reject(new SallyportError('UNAVAILABLE', 'gone')) },
      },
    }
    const broken = await createBundle(away, machineAsking(bench.tenantId, 'test'), {})
    expect(await outcomeOf(bytesOf(broken.body))).toBe('UNAVAILABLE')
  })

  test('E14: who was renamed, or is gone, is named as they were at the time', async () => {
    const { issued } = await bench.owner({ name: 'Ada Byron', tenantName: 'Engines' })
    const { tenantId, userId } = issued.session
    await bench.rows(`update users set name = 'Ada Lovelace' where id = '${userId}' returning id`)
    const { body } = await exportDataset(bench.engine, machineAsking(tenantId, 'test'), {
      dataset: 'audit-logs',
      format: 'csv',
    })
    const { header, rows } = parseCsv((await bytesOf(body)).toString())
    const names = rows
      .filter((row) => row[header.indexOf('user_id')] === userId)
      .map((row) => row[header.indexOf('actor_name')])
    expect(new Set(names)).toEqual(new Set(['Ada Byron']))
  })

  test('E15: an event that is recorded late is in the period of its recording, and in no other', async () => {
    const late = new Date(Date.now() - 3 * DAY)
    const { id } = await bench.event({ actorName: 'late' }, late)
    await bench.seal()
    const then = {
      from: new Date(late.getTime() - 1000).toISOString(),
      to: new Date(late.getTime() + 1000).toISOString(),
    }
    expect((await rowsOf(then)).map((row) => row['id'])).not.toContain(id)
    const found = (await rowsOf({ from: new Date(Date.now() - 60_000).toISOString() })).find((row) => row['id'] === id)
    expect(found?.['created_at']).toBe(late.toISOString())
    expect(Date.parse(String(found?.['recorded_at']))).toBeGreaterThan(late.getTime())
  })

  test('E17: what is left out is left out everywhere, and the manifest says what', async () => {
    const files = await filesOf(await bundle({ device: 'omit' }, 'omit'))
    const { parameters, csv } = JSON.parse(String(files.get('manifest.json'))) as {
      parameters: { redactions: { omitted_columns: Record<string, string[]> } }
      csv: { escaped_cells: number }
    }
    const omitted = parameters.redactions.omitted_columns
    expect(omitted['user-sessions']).toEqual(['device_fingerprint', 'device_info'])
    for (const [name, columns] of Object.entries(omitted)) {
      for (const column of columns) {
        for (const path of [
          `data/${name}.csv`,
          `data/${name}.ndjson`,
          `query/${name}.sql`,
          `schema/${name}.schema.json`,
        ])
          expect(String(files.get(path)).includes(column), `${path} ${column}`).toBe(false)
      }
    }
    // Defused cells are counted: as many as an own reading of the files finds.
    let defused = 0
    for (const [name, bytes] of files) {
      if (!name.endsWith('.csv')) continue
      for (const row of parseCsv(bytes.toString()).rows)
        for (const cell of row) if (cell !== null && /^'+[=+@\t\r\n＝＋－＠-]/.test(cell)) defused++
    }
    expect(csv.escaped_cells).toBe(defused)
  })

  test('E17: cells that were defused are counted, wherever the file was cut into pieces', async () => {
    for (const actorName of ['=1+1', '-2', "'=3", '＝4', '@5', "'plain", 'a,"=6', '\n=7'])
      await bench.event({ actorName })
    const files = await filesOf(await bundle({}, 'defused'))
    const { csv } = JSON.parse(String(files.get('manifest.json'))) as { csv: { escaped_cells: number } }
    let defused = 0
    for (const [name, bytes] of files) {
      if (!name.endsWith('.csv')) continue
      for (const row of parseCsv(bytes.toString()).rows)
        for (const cell of row) if (cell !== null && /^'+[=+@\t\r\n＝＋－＠-]/.test(cell)) defused++
    }
    expect(defused).toBeGreaterThanOrEqual(12)
    expect(csv.escaped_cells).toBe(defused)
  })

  test('the manifest holds what it must, and knows the bundle before it', async () => {
    const first = JSON.parse(String((await filesOf(await bundle({}, 'first'))).get('manifest.json')))
    const bytes = (await filesOf(await bundle({}, 'second'))).get('manifest.json') as Buffer
    const second = JSON.parse(bytes.toString())
    expect(second.previous_export).toEqual({
      id: first.export_id,
      manifest_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(second.generator).toMatchObject({ name: 'sallyport', version: expect.stringMatching(/^\d+\.\d+\.\d+/) })
    expect(second.source).toMatchObject({
      engine: 'PostgreSQL',
      primary: true,
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    })
    expect(second.log).toMatchObject({
      start_size: 0,
      start_root: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      checkpoint_key_id: expect.stringMatching(/^[0-9a-f]{8}$/),
      witnesses: [],
    })
    expect(second.signature.key_url).toBe('https://id.example.com/api/audit/key')
    expect(Math.abs(second.clock.generator_offset_ms)).toBeLessThan(60_000)
    expect(second.population.gaps).toEqual([])
    for (const { path } of second.files as { path: string }[]) expect(path).toMatch(/^[A-Za-z0-9_./-]+$/)
  })

  test('the schema that is served is the one that was written down', async () => {
    expect(await schemaDrift(bench.database)).toEqual([])
  })

  test('a reader that stops half-way holds no transaction open, and requests go on', async () => {
    await bench.engine.store.audit.append(Array.from({ length: 12_000 }, (_, n) => madeRow(bench, n)))
    const { body } = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
      dataset: 'audit-logs',
      format: 'csv',
    })
    const reader = body.getReader()
    await reader.read()
    await reader.read()
    await sleep(300)
    if (kind === 'postgres') {
      const open = await bench.rows(
        `select 1 as one from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`,
      )
      expect(open).toEqual([])
    }
    const started = performance.now()
    await bench.owner({ tenantName: 'Meanwhile' })
    expect(performance.now() - started).toBeLessThan(5000)
    await reader.cancel()
  })
})

function madeRow(bench: EvidenceBench, n: number) {
  return auditRow(
    { tenantId: bench.tenantId, action: 'SESSION_CREATED', correlationId: `r${n}`, actorName: `n${n}` },
    new Date(),
  )
}

test('E16: whoever may read evidence may make nothing but exports', () => {
  const views = new Set<string>(ROLE_PERMISSIONS.auditor)
  const reachable = API_ROUTES.filter(
    ({ mutates, permission }) => mutates && typeof permission === 'string' && views.has(permission),
  )
  // Impersonation, which is of members with no more rights than one's own, has a step-up, a reason and a record.
  expect(reachable.map(({ name }) => name).sort()).toEqual(['createEvidenceBundle', 'startImpersonation'])
  expect(views).toEqual(new Set(['SETTINGS_SECURITY_VIEW', 'SETTINGS_TEAM_VIEW']))
})

describe.skipIf(!hasPostgres)('E18: killed half-way', () => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence('postgres')
    for (let batch = 0; batch < 8; batch++) {
      await bench.engine.store.audit.append(Array.from({ length: 2000 }, (_, n) => madeRow(bench, batch * 2000 + n)))
    }
    await bench.seal()
  })
  afterAll(() => bench.close())

  test('no bundle is there under its name, and the next one has the same bytes of all that is of the log', async () => {
    const env = {
      DATABASE_URL: String(bench.url),
      SALLYPORT_ISSUER: 'https://id.example.com',
      SALLYPORT_SECRETS: 'kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs',
    }
    const period = [
      '--from',
      new Date(Date.now() - DAY).toISOString(),
      '--to',
      new Date(Date.now() + 1000).toISOString(),
    ]
    await sleep(1100)
    const args = ['evidence', '--tenant', bench.tenantId, '--out', 'killed.zip', ...period]
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'ignore',
    })
    const exited = once(child, 'exit')
    const part = join(folder, 'killed.zip.part')
    while (!existsSync(part) || statSync(part).size < 200_000) await sleep(5)
    child.kill('SIGKILL')
    await exited
    expect(existsSync(join(folder, 'killed.zip'))).toBe(false)
    expect((await verifyBundle(part)).ok).toBe(false)
    // Whoever was killed gives the tenant's turn back by its lease running out.
    await bench.rows(`delete from leases where name = 'export:${bench.tenantId}' returning name`)
    const again = await run(args, folder, env)
    expect(again.code, again.stderr).toBe(0)
    expect(existsSync(part)).toBe(false)
    const first = await filesOf(join(folder, 'killed.zip'))
    expect(
      (
        await run(
          args.map((arg) => (arg === 'killed.zip' ? 'after.zip' : arg)),
          folder,
          env,
        )
      ).code,
    ).toBe(0)
    const second = await filesOf(join(folder, 'after.zip'))
    for (const name of first.keys()) {
      if (!/^data\/(?:audit-logs|security-events|joiners|exports_log)/.test(name)) continue
      expect(sha256(second.get(name) as Buffer), name).toBe(sha256(first.get(name) as Buffer))
    }
    expect((await verifyBundle(join(folder, 'killed.zip'))).problem).toBeUndefined()
  })
})

describe('E19: other versions', () => {
  test('a bundle that an earlier version wrote verifies', async () => {
    const report = await verifyBundle(OLD_BUNDLE, { key: OLD_KEY })
    expect([report.problem, report.ok]).toEqual([undefined, true])
    expect(report.manifest?.population.rows_exported).toBeGreaterThan(5)
  })

  /** The old bundle with its manifest changed, signed anew by a key of our own. */
  async function resigned(change: (manifest: Record<string, unknown>) => void, extra?: readonly [string, string]) {
    const files = await filesOf(OLD_BUNDLE)
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const manifest = JSON.parse(String(files.get('manifest.json'))) as Record<string, unknown> & {
      files: unknown[]
      export_id: string
    }
    if (extra !== undefined) {
      files.set(extra[0], Buffer.from(extra[1]))
      manifest.files.push({ path: extra[0], bytes: extra[1].length, sha256: sha256(Buffer.from(extra[1])) })
    }
    change(manifest)
    const name = OLD_KEY.split('+')[0] as string
    const text = JSON.stringify(manifest)
    files.set('manifest.json', Buffer.from(text))
    const key = createPrivateKey({
      key: privateKey.export({ format: 'der', type: 'pkcs8' }),
      format: 'der',
      type: 'pkcs8',
    })
    files.set('manifest.sig', Buffer.from(signNote(manifestNote(manifest.export_id, text), name, key)))
    const zip = new ZipFile()
    for (const [path, bytes] of files) zip.addBuffer(bytes, path)
    zip.end()
    const path = join(folder, 'resigned.zip')
    const chunks: Buffer[] = []
    for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
    writeFileSync(path, Buffer.concat(chunks))
    const vkey = writeVerifierKey(name, publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
    return verifyBundle(path, { key: vkey })
  }

  test('fields and files that a later version adds are no fault: all that this one knows is held to', async () => {
    const report = await resigned(
      (manifest) => {
        manifest['reviewed_by'] = { name: 'somebody' }
      },
      ['data/new_report.ndjson', '{"a":1}\n'],
    )
    // Up to the checkpoint, which is signed by the log's own key and not by the one of this test.
    expect(report.held).toHaveLength(2)
    expect(report.problem?.file).toBe('checkpoint.end')
  })

  test('a manifest of another version is refused by its number', async () => {
    const report = await resigned((manifest) => {
      manifest['manifest_version'] = 2
    })
    expect(report.problem).toEqual({ file: 'manifest.json', message: expect.stringContaining('version 2') })
  })
})

describe('E20: the verifier by itself', () => {
  test('runs where there is no configuration, no database and no network', async () => {
    const nowhere = mkdtempSync(join(folder, 'nowhere-'))
    const { code, stdout, stderr } = await run(['verify', OLD_BUNDLE, '--key', OLD_KEY], nowhere, {
      // Whatever it would look up, it would not find.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('The bundle holds.')
  })

  test('is made of modules that can reach neither a database nor a network', () => {
    const seen = new Set<string>()
    const packages = new Set<string>()
    const visit = (file: string): void => {
      if (seen.has(file)) return
      seen.add(file)
      for (const [, named] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)\b[^;'"]*?\bfrom ['"]([^'"]+)['"]/gm,
      )) {
        if (named?.startsWith('.') === true) visit(resolve(dirname(file), named))
        else if (named !== undefined) packages.add(named)
      }
    }
    visit(fileURLToPath(new URL('../../packages/sallyport/dist/verify.js', import.meta.url)))
    expect([...packages].sort()).toEqual(['node:crypto', 'yauzl'])
  })
})
