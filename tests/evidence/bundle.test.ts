import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateKeyPairSync } from 'node:crypto'
import { writeVerifierKey } from '../../packages/sallyport/src/audit/verifying/signed-note.ts'
import type { BundleInput } from '../../packages/sallyport/src/evidence/create-bundle.ts'
import { createBundle } from '../../packages/sallyport/src/evidence/create-bundle.ts'
import { machineAsking } from '../../packages/sallyport/src/evidence/requester.ts'
import { openZip } from '../../packages/sallyport/src/evidence/verifying/read-zip.ts'
import { verifyBundle } from '../../packages/sallyport/src/evidence/verifying/verify-bundle.ts'
import { Scheduler } from '../../packages/sallyport/src/jobs/scheduler.ts'
import type { EvidenceBench } from './support.ts'
import { bytesOf, KINDS, openEvidence, parseCsv, sha256, undefused } from './support.ts'

const DAY = 86_400_000

describe.each(KINDS)('evidence bundle on %s', (kind) => {
  let bench: EvidenceBench
  let folder: string
  let path: string
  let period: BundleInput
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'))
    bench = await openEvidence(kind)
    for (let day = 0; day < 6; day++) {
      await bench.event({ actorName: `=day ${day}`, newValue: { day, text: 'a"b,\r\nc' } })
      await bench.event({
        action: 'IMPERSONATION_STARTED',
        userId: bench.tenantId,
        realUserId: bench.tenantId,
        actorName: 'Rea L',
      })
      await bench.event({ action: 'USER_ROLE_UPDATED', oldValue: { role: 'member' }, newValue: { role: 'admin' } })
      await bench.sealAt(new Date(Date.now() + day * DAY))
      if (day === 1) await bench.engine.sealer.checkpoint(bench.tenantId)
    }
    // A period in the middle: rows before it, and rows after it.
    period = {
      from: new Date(Date.now() + 1.5 * DAY).toISOString(),
      to: new Date(Date.now() + 4.5 * DAY).toISOString(),
    }
    path = await make('bundle')
  })
  afterAll(async () => {
    await bench.close()
    rmSync(folder, { recursive: true })
  })

  async function make(name: string, input: BundleInput = period): Promise<string> {
    const { body } = await createBundle(bench.engine, machineAsking(bench.tenantId, 'test'), input)
    const file = join(folder, `${name}.zip`)
    writeFileSync(file, await bytesOf(body))
    return file
  }

  async function filesOf(file: string): Promise<Map<string, Buffer>> {
    const zip = await openZip(file)
    const files = new Map<string, Buffer>()
    for (const name of zip.names) {
      const chunks = []
      for await (const chunk of zip.read(name)) chunks.push(chunk)
      files.set(name, Buffer.concat(chunks))
    }
    zip.close()
    return files
  }

  const vkey = async () => String((await filesOf(path)).get('keys/log.vkey')).trim()

  test('verifies offline by the published key, and not by another', async () => {
    const report = await verifyBundle(path, { key: await vkey() })
    expect([report.problem, report.ok, report.warnings]).toEqual([undefined, true, []])
    expect(report.manifest?.population).toMatchObject({ rows_in_period: 9, rows_exported: 9, expected: 9, gaps: [] })
    expect((await verifyBundle(path)).warnings).toHaveLength(1)
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
    const name = (await vkey()).split('+')[0] as string
    expect((await verifyBundle(path, { key: writeVerifierKey(name, other) })).problem?.file).toBe('manifest.sig')
  })

  test('one flipped byte in each of its files in turn is found, by name', async () => {
    const bytes = readFileSync(path)
    const { entries } = directoryOf(bytes)
    expect(entries.length).toBeGreaterThan(60)
    const key = await vkey()
    const broken = join(folder, 'broken.zip')
    for (const { name, start, length } of entries) {
      if (length === 0) continue
      const copy = Buffer.from(bytes)
      const at = start + Math.floor(length / 2)
      copy[at] = (copy[at] as number) ^ 0x10
      writeFileSync(broken, copy)
      expect((await verifyBundle(broken, { key })).problem?.file, name).toBe(name)
    }
  })

  test('a file that was cut off is no bundle', async () => {
    const bytes = readFileSync(path)
    const cut = join(folder, 'cut.zip')
    writeFileSync(cut, bytes.subarray(0, bytes.length - 100))
    expect((await verifyBundle(cut)).ok).toBe(false)
  })

  test('the same period twice: identical bytes of all that is of the sealed log', async () => {
    const first = await filesOf(path)
    const second = await filesOf(await make('again'))
    const state =
      /^data\/(?:user-sessions|refresh-tokens|step-up-challenges|staff-access)|^manifest|^checkpoint\.end|^consistency|^inclusion|^checklist/
    const derived = [...first.keys()].filter((name) => !state.test(name))
    expect(derived.length).toBeGreaterThan(40)
    for (const name of derived)
      expect(sha256(second.get(name) ?? Buffer.of()), name).toBe(sha256(first.get(name) as Buffer))
  })

  test('each CSV file says the same as its JSON', async () => {
    const files = await filesOf(path)
    for (const [name, bytes] of files) {
      if (!name.endsWith('.csv')) continue
      const { header, rows } = parseCsv(bytes.toString())
      const objects = String(files.get(name.replace(/csv$/, 'ndjson')))
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(rows.length, name).toBe(objects.length)
      const plain = (value: unknown) =>
        value === null ? null : typeof value === 'string' ? value : JSON.stringify(value)
      for (const [at, row] of rows.entries()) {
        const cells = row.map((cell) =>
          cell === null ? null : /^[[{]/.test(cell) ? JSON.stringify(JSON.parse(cell)) : undefused(cell),
        )
        expect(cells, name).toEqual(header.map((column) => plain(objects[at]?.[column])))
      }
    }
  })

  test('reports name the real actor, and the bundle is itself on record', async () => {
    const files = await filesOf(path)
    const [row] = String(files.get('data/impersonations.ndjson')).split('\n')
    expect(JSON.parse(row as string)).toMatchObject({
      is_impersonating: true,
      real_user_id: bench.tenantId,
      actor_name: 'Rea L',
    })
    const manifest = files.get('manifest.json') as Buffer
    const { export_id } = JSON.parse(manifest.toString()) as { export_id: string }
    const rows = await bench.rows(
      `select metadata from audit_logs where resource_id = '${export_id}' and action = 'DATA_EXPORT_COMPLETED'`,
    )
    expect(rows[0]?.['metadata']).toMatchObject({
      manifestSha256: sha256(manifest),
      sha256: sha256(readFileSync(path)),
    })
  })

  test('an empty period and the whole log verify', async () => {
    const empty = await make('empty', { from: '2020-01-01T00:00:00Z', to: '2020-02-01T00:00:00Z' })
    expect((await verifyBundle(empty)).problem).toBeUndefined()
    const whole = await make('whole', { to: new Date(Date.now() + 30 * DAY).toISOString() })
    const report = await verifyBundle(whole)
    expect([report.problem, report.manifest?.population.first_seq]).toEqual([undefined, 0])
  })

  test('the root can be computed again by common tools', async () => {
    const whole = await make('python', { to: new Date(Date.now() + 30 * DAY).toISOString() })
    const files = await filesOf(whole)
    const script = /^ {8}import base64[\s\S]*?hex\(\)\)$/m
      .exec(String(files.get('README-AUDITOR.md')))?.[0]
      .replaceAll(/^ {8}/gm, '')
    const { log } = JSON.parse(String(files.get('manifest.json'))) as { log: { end_root: string } }
    const at = mkdtempSync(join(folder, 'python-'))
    execFileSync('mkdir', ['-p', join(at, 'data')])
    writeFileSync(join(at, 'data/audit-logs.ndjson'), files.get('data/audit-logs.ndjson') as Buffer)
    expect(
      execFileSync('python3', ['-c', script as string], { cwd: at })
        .toString()
        .trim(),
    ).toBe(log.end_root)
  })

  test('what retention removed is named, and the bundle verifies all the same', async () => {
    const other = await openEvidence(kind)
    try {
      const old = new Date(Date.now() - 500 * DAY)
      for (let i = 0; i < 3; i++) await other.event({ actorName: `old ${i}` }, old)
      await other.sealAt(old)
      await other.event({ actorName: 'kept' })
      const settings = {
        ...other.engine.settings,
        retention: { ...other.engine.settings.retention, auditLogsMs: 400 * DAY },
      }
      await new Scheduler({ ...other.engine, settings }).look()
      const { body } = await createBundle(other.engine, machineAsking(other.tenantId, 'test'), {
        from: new Date(old.getTime() - DAY).toISOString(),
        to: new Date(old.getTime() + 300 * DAY).toISOString(),
      })
      const file = join(folder, 'purged.zip')
      writeFileSync(file, await bytesOf(body))
      const report = await verifyBundle(file)
      expect(report.problem).toBeUndefined()
      expect(report.manifest?.population.rows_excluded).toEqual([{ reason: 'retention', count: expect.any(Number) }])
    } finally {
      await other.close()
    }
  })
})

/** Where the bytes of each file are in a ZIP, read by its table of contents (APPNOTE 4.3.12). */
function directoryOf(bytes: Buffer): {
  readonly entries: readonly { readonly name: string; readonly start: number; readonly length: number }[]
} {
  const entries = []
  const end = bytes.lastIndexOf(Buffer.from('504b0506', 'hex'))
  let at = bytes.readUInt32LE(end + 16)
  while (bytes.readUInt32LE(at) === 0x02014b50) {
    const nameLength = bytes.readUInt16LE(at + 28)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength)
    const local = bytes.readUInt32LE(at + 42)
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
    entries.push({ name, start, length: bytes.readUInt32LE(at + 20) })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return { entries }
}
