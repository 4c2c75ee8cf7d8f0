import type { PGlite } from '@electric-sql/pglite'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { silent } from '../internal/logger.ts'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../store/contract/store.ts'
import { openInMemory } from '../store/pglite/open.ts'
import type { Database } from '../store/postgres/database.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { leafHash } from './leaf.ts'
import { logKey, newLogKey } from './log-key.ts'
import { reanchorLog } from './reanchor.ts'
import { rotateLogKey } from './rotate-log-key.ts'
import type { AuditRow } from './record.ts'
import { fullRow, type LedgerBench, ledgerBench } from './testing/ledger-bench.ts'
import { readCheckpoint, verifyCheckpoint } from './verifying/checkpoint.ts'
import { parseNote, readVerifierKey } from './verifying/signed-note.ts'

let pglite: PGlite
let database: Database
let store: Store
beforeAll(async () => {
  pglite = await openInMemory()
  database = pgliteDatabase(pglite)
  store = postgresStore(database)
})
afterAll(() => store.close())

/** A log of 45 rows in three batches, signed after the second and the third. */
let bench: LedgerBench
let rows: readonly AuditRow[]
let notes: readonly [string, string]
beforeEach(async () => {
  bench = ledgerBench(store, database)
  const one = await bench.write(20)
  await bench.seal()
  const two = await bench.write(20)
  const first = await bench.checkpoint()
  const three = await bench.write(5)
  rows = [...one, ...two, ...three]
  notes = [first, await bench.checkpoint()]
})

const T = () => `tenant_id = '${bench.tenantId}'`
const idAt = (seq: number) => rows[seq]?.id as string

describe('a log that nobody touched', () => {
  test('verifies whole, to the root that was signed', async () => {
    const verdict = await bench.verify({ kept: notes })
    // Two kept outside, two in the database, and what was signed last.
    expect(verdict).toMatchObject({ rows: 45, checkpoints: 5, purged: 0, finding: undefined })
    expect(verdict.root).toBe(readCheckpoint(notes[1]).root.toString('hex'))
    expect(verdict.origin).toBe(`id.example.com/audit/${bench.tenantId}`)
  })

  test('verifies also with rows that wait, with rows unsigned, and when it is empty', async () => {
    await bench.write(3)
    await bench.seal()
    await bench.write(2)
    expect(await bench.verify()).toMatchObject({ rows: 48, finding: undefined })
    expect(await ledgerBench(store, database).verify()).toMatchObject({ rows: 0, finding: undefined })
  })

  test('refuses changes even to its owner, as long as nobody takes the triggers away', async () => {
    for (const table of ['audit_logs', 'audit_seals', 'audit_checkpoints']) {
      await expect(pglite.exec(`delete from ${table} where ${T()}`)).rejects.toThrow('append-only')
      await expect(pglite.exec(`update ${table} set tenant_id = tenant_id where ${T()}`)).rejects.toThrow('append-only')
      await expect(pglite.exec(`truncate ${table}`)).rejects.toThrow('append-only')
    }
  })
})

describe('a row that was altered', () => {
  const COLUMNS: Readonly<Record<string, string>> = {
    id: 'gen_random_uuid()',
    tenant_id: 'gen_random_uuid()',
    created_at: "created_at + interval '1 millisecond'",
    action: "'AUTH_LOGIN'",
    outcome: "'SUCCESS'",
    failure_reason: 'null',
    user_id: 'gen_random_uuid()',
    actor_name: "'Mallory'",
    staff_id: 'null',
    session_id: 'gen_random_uuid()',
    real_user_id: 'null',
    is_impersonating: 'not is_impersonating',
    resource: "'user'",
    resource_id: "'0'",
    old_value: `'{"role": "admin"}'`,
    new_value: 'null',
    metadata: `'{"list": [1, null, false]}'`,
    ip_address: "'192.0.2.2'",
    country: "'FR'",
    city: 'null',
    user_agent: "'bench/2'",
    correlation_id: "'x'",
    salt: String.raw`'\x00112233445566778899aabbccddeeff'`,
    leaf_hash: 'sha256(leaf_hash)',
  }

  test('the list of columns is complete', async () => {
    const { rows: columns } = await pglite.query<{ name: string }>(
      "select column_name as name from information_schema.columns where table_name = 'audit_logs'",
    )
    expect(Object.keys(COLUMNS).sort()).toEqual(columns.map(({ name }) => name).sort())
  })

  test.each(Object.entries(COLUMNS))('its column %s', async (column, value) => {
    await bench.tamper(`update audit_logs set ${column} = ${value} where id = '${idAt(23)}'`)
    const { finding } = await bench.verify()
    // A row under another id is another row: the one that was sealed is gone.
    expect(finding).toMatchObject({ kind: column === 'id' ? 'deleted' : 'altered', seq: 23, id: idAt(23) })
    await bench.tamper(`delete from audit_logs where id not in (select id from audit_seals)`)
  })

  test.each(['infinity', '-infinity', '200000-01-01'])('its time to %s, which no calendar here has', async (time) => {
    await bench.tamper(`update audit_logs set created_at = '${time}' where id = '${idAt(23)}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'altered', seq: 23, id: idAt(23) })
  })

  test('a row without personal data is bound to its salt too', async () => {
    const [row] = await bench.write(1, {
      actorName: null,
      country: null,
      city: null,
      request: { correlationId: 'c' },
      oldValue: undefined as never,
      newValue: undefined as never,
      metadata: undefined as never,
    })
    await bench.checkpoint()
    await bench.tamper(`update audit_logs set salt = sha256(salt) where id = '${row?.id}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'altered', seq: 45, id: row?.id })
  })

  test('with a hash that fits it: the seal tells', async () => {
    const forged = { ...(rows[7] as AuditRow), action: 'AUTH_LOGIN' as const }
    await bench.tamper(
      `update audit_logs set action = 'AUTH_LOGIN', leaf_hash = '\\x${leafHash(forged).toString('hex')}' where id = '${forged.id}'`,
    )
    const { finding } = await bench.verify()
    expect(finding).toMatchObject({ kind: 'altered', seq: 7, id: forged.id })
    expect(finding?.message).toContain('replaced with its hash')
  })

  test('with its seal as well: the root tells, and which group it is in', async () => {
    const forged = { ...(rows[7] as AuditRow), action: 'AUTH_LOGIN' as const }
    const hash = `'\\x${leafHash(forged).toString('hex')}'`
    await bench.tamper(`update audit_logs set action = 'AUTH_LOGIN', leaf_hash = ${hash} where id = '${forged.id}'`)
    await bench.tamper(`update audit_seals set leaf_hash = ${hash} where ${T()} and seq = 7`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'rewritten', seq: 0, lastSeq: 15 })
  })
})

describe('the seals', () => {
  test.each([
    ['id', 'gen_random_uuid()', 'deleted'],
    ['leaf_hash', 'sha256(leaf_hash)', 'altered'],
    ['tenant_id', 'gen_random_uuid()', 'deleted'],
    ['recorded_at', "recorded_at - interval '1 day'", 'reordered'],
    ['seq', 'seq + 1000', 'deleted'],
  ])('a changed %s is found at its row', async (column, value, kind) => {
    await bench.tamper(`update audit_seals set ${column} = ${value} where ${T()} and seq = 23`)
    expect((await bench.verify()).finding).toMatchObject({ kind, seq: 23 })
  })

  test('a deleted row is named, also where its seal is deleted with it', async () => {
    await bench.tamper(`delete from audit_logs where id = '${idAt(31)}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'deleted', seq: 31, id: idAt(31) })
    await bench.tamper(`delete from audit_seals where ${T()} and seq = 31`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'deleted', seq: 31 })
  })

  test('of two deleted rows the first is named', async () => {
    await bench.tamper(`delete from audit_logs where id in ('${idAt(40)}', '${idAt(3)}')`)
    await bench.tamper(`update audit_logs set city = 'Rom' where id = '${idAt(35)}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'deleted', seq: 3, id: idAt(3) })
  })

  test('rows that retention removed are accounted for by its row in the log, and no others', async () => {
    await bench.tamper(`delete from audit_logs where id in ('${idAt(4)}', '${idAt(5)}', '${idAt(6)}')`)
    await bench.write(1, { action: 'EVIDENCE_PURGED', metadata: { table: 'audit_logs', firstSeq: 4, lastSeq: 5 } })
    await bench.checkpoint()
    expect((await bench.verify()).finding).toMatchObject({ kind: 'deleted', seq: 6 })
    await bench.write(1, { action: 'EVIDENCE_PURGED', metadata: { table: 'audit_logs', firstSeq: 0, lastSeq: 6 } })
    await bench.checkpoint()
    expect(await bench.verify()).toMatchObject({ finding: undefined, purged: 3, rows: 47 })
  })

  test.each([
    [2, 9],
    [2, 38],
    [18, 41],
    [40, 44],
    [43, 44],
  ])('rows %i and %i, swapped with their times, are named', async (one, other) => {
    await bench.tamper(`delete from audit_seals where ${T()} and seq in (${one}, ${other})`)
    const put = (seq: number, row: AuditRow | undefined, like: number) =>
      bench.tamper(`insert into audit_seals select tenant_id, ${seq}, '${row?.id}', '\\x${row?.leafHash.toString('hex')}', recorded_at
        from audit_seals where ${T()} and seq = ${like}`)
    await put(one, rows[other], one - 1)
    await put(other, rows[one], other - 1)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'reordered', seq: one, lastSeq: other })
  })

  test('rows of different batches that change places with their times are named by the first', async () => {
    await bench.tamper(
      `update audit_seals set recorded_at = recorded_at + interval '1 hour' where ${T()} and seq >= 20`,
    )
    await bench.tamper(
      `update audit_seals set seq = case seq when 5 then 1030 else 1005 end where ${T()} and seq in (5, 30)`,
    )
    await bench.tamper(`update audit_seals set seq = seq - 1000 where ${T()} and seq > 1000`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'reordered', seq: 5, id: idAt(30) })
  })

  test('a row inserted between others is found', async () => {
    const row = fullRow(bench.tenantId)
    await store.audit.append([row])
    await bench.tamper(`delete from audit_pending where id = '${row.id}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'inserted', id: row.id })
    await bench.tamper(`update audit_seals set seq = seq + 1000 where ${T()} and seq >= 20`)
    await bench.tamper(`update audit_seals set seq = seq - 999 where ${T()} and seq >= 1000`)
    await bench.tamper(
      `insert into audit_seals select tenant_id, 20, '${row.id}', '\\x${row.leafHash.toString('hex')}', recorded_at from audit_seals where ${T()} and seq = 21`,
    )
    expect((await bench.verify()).finding).toMatchObject({ kind: 'reordered', seq: 20, id: row.id })
  })

  test('a row sealed behind the head is found', async () => {
    const row = fullRow(bench.tenantId)
    await store.audit.append([row])
    await bench.tamper(`delete from audit_pending where id = '${row.id}'`)
    await bench.tamper(
      `insert into audit_seals select tenant_id, 45, '${row.id}', '\\x${row.leafHash.toString('hex')}', recorded_at from audit_seals where ${T()} and seq = 44`,
    )
    expect((await bench.verify()).finding).toMatchObject({ kind: 'inserted', seq: 45, id: row.id })
  })

  test('a waiting row that is altered or deleted is found', async () => {
    const [row] = await bench.write(1)
    await bench.tamper(`update audit_pending set leaf_hash = sha256(leaf_hash) where id = '${row?.id}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'waiting', id: row?.id })
    await bench.tamper(`delete from audit_logs where id = '${row?.id}'`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'waiting', id: row?.id })
    await bench.tamper(`delete from audit_pending where id = '${row?.id}'`)
  })
})

describe('what is kept beside the rows', () => {
  test('an altered head, node or checkpoint is found', async () => {
    await bench.tamper(`update audit_nodes set hash = sha256(hash) where ${T()} and level = 4 and index = 1`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'node', seq: 16, lastSeq: 31 })
    const [, second] = notes
    const forged = second.replace('\n45\n', '\n44\n')
    await bench.tamper(`update audit_checkpoints set note = '${forged}' where ${T()} and size = 45`)
    await bench.tamper(`delete from audit_nodes where ${T()}`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'node', seq: 0 })
  })

  test('a checkpoint whose signature does not hold is found', async () => {
    await bench.tamper(
      `update audit_checkpoints set note = replace(note, E'\\n45\\n', E'\\n44\\n') where ${T()} and size = 45`,
    )
    expect((await bench.verify()).finding).toMatchObject({ kind: 'checkpoint' })
  })

  test('a log wound back with everything that tells of it is found by a checkpoint kept outside', async () => {
    const key = await logKey(bench.deps, bench.tenantId)
    const kept = notes
    await bench.tamper(`delete from audit_logs where id in (select id from audit_seals where ${T()} and seq >= 20)`)
    await bench.tamper(`delete from audit_seals where ${T()} and seq >= 20`)
    // Rows 20 to 39 were never there, as far as the database can tell.
    expect((await bench.verify()).finding).toMatchObject({ kind: 'deleted', seq: 20 })
    await rebuildHead(20)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'truncated', seq: 20 })
    await bench.tamper(`delete from audit_checkpoints where ${T()}`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'truncated', seq: 20, lastSeq: 44 })
    await expect(bench.checkpoint()).rejects.toMatchObject({ code: 'CONFLICT' })
    await bench.tamper(`delete from audit_signed where ${T()}`)
    expect((await bench.verify()).finding).toBeUndefined()
    expect((await bench.verify({ kept })).finding).toMatchObject({ kind: 'truncated', seq: 20, lastSeq: 39 })
    // Grown again past the kept sizes: another history.
    await bench.write(30)
    await bench.seal()
    expect((await bench.verify({ kept, vkey: key.vkey })).finding).toMatchObject({ kind: 'rewritten', lastSeq: 39 })
  })

  test('another key than the pinned one is found', async () => {
    const other = await logKey(ledgerBench(store, database, { tenantId: bench.tenantId }).deps, bench.tenantId)
    const { vkey } = await logKey({ ...bench.deps }, rows[0]?.userId as string)
    expect((await bench.verify({ vkey: other.vkey })).finding).toBeUndefined()
    expect((await bench.verify({ vkey })).finding).toMatchObject({ kind: 'checkpoint' })
    await bench.tamper(`delete from audit_log_keys where ${T()}`)
    expect((await bench.verify()).finding).toMatchObject({ kind: 'checkpoint' })
  })

  /** What the head would be had the log ended there. */
  async function rebuildHead(size: number): Promise<void> {
    const { Frontier } = await import('./verifying/merkle.ts')
    const frontier = new Frontier()
    for (const { leafHash: leaf } of rows.slice(0, size)) frontier.append(leaf)
    await bench.tamper(
      `update audit_heads set size = ${size}, frontier = '\\x${frontier.toBytes().toString('hex')}' where ${T()}`,
    )
    await bench.tamper(`delete from audit_nodes where ${T()} and (index + 1) * (1 << level) > ${size}`)
  }
})

// The bench verifies each log in runs of 16 rows as well.
describe('where two runs meet', () => {
  test('a row that was recorded before the one in front of it, which is of the run before', async () => {
    await bench.tamper(
      `update audit_seals set recorded_at = (select recorded_at from audit_seals where ${T()} and seq = 17) where ${T()} and seq = 32`,
    )
    const { finding } = await bench.verify()
    expect(finding).toMatchObject({ kind: 'reordered', seq: 32, id: idAt(32) })
  })

  test('rows deleted on both sides are one range', async () => {
    await bench.tamper(`delete from audit_logs where id in ('${idAt(15)}', '${idAt(16)}')`)
    const { finding } = await bench.verify()
    expect(finding).toMatchObject({ kind: 'deleted', seq: 15, lastSeq: 16 })
  })
})

describe('signing', () => {
  test('a log that is smaller than what was signed, or another, is signed no more, until it is anchored anew', async () => {
    await bench.tamper(
      `update audit_heads set frontier = sha256(frontier) || sha256('a') || sha256('b') || sha256('c') where ${T()}`,
    )
    await expect(bench.checkpoint()).rejects.toThrow('reanchor')
  })

  test('a restored database is refused by the file of the witness, and goes on under a new key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-witness-'))
    try {
      const file = join(folder, 'checkpoints.ndjson')
      const first = ledgerBench(store, database, { witness: { file } })
      await first.write(10)
      await first.checkpoint()
      const old = await backup(first)
      await first.write(10)
      const lost = await first.checkpoint()
      expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2)
      await restore(first, old)

      const after = ledgerBench(store, database, { witness: { file }, tenantId: first.tenantId })
      await expect(after.checkpoint()).rejects.toMatchObject({ code: 'CONFLICT' })
      await after.write(15)
      await expect(after.checkpoint()).rejects.toThrow('those that the witness has a checkpoint of')
      expect((await after.verify({ kept: [lost] })).finding).toMatchObject({ kind: 'rewritten' })

      const before = await logKey(after.deps, after.tenantId)
      expect(await reanchorLog(after.deps, after.tenantId, { reason: 'restored from the backup of Monday' })).toEqual({
        epoch: 2,
      })
      const note = await after.checkpoint()
      const { vkey } = await logKey(after.deps, after.tenantId)
      expect(vkey).not.toBe(before.vkey)
      expect(readCheckpoint(note).size).toBe(26)
      expect(await after.verify({ vkey })).toMatchObject({ finding: undefined, rows: 26 })
      // The log itself says what was signed and what was there.
      const told = await after.tamper(
        `select tenant_id, resource_id, metadata, old_value, new_value from audit_logs
         where tenant_id = '${first.tenantId}' and action = 'SIGNING_KEY_ROTATED'`,
      )
      const root = expect.stringMatching(/^[0-9a-f]{64}$/)
      expect(told).toEqual([
        {
          tenant_id: first.tenantId,
          resource_id: first.tenantId,
          metadata: { actor: 'cli', change: 'reanchored', reason: 'restored from the backup of Monday' },
          old_value: { signed: { size: 10, root }, keyNumber: 1 },
          new_value: { present: { size: 25, root }, keyNumber: 2 },
        },
      ])
      // Whoever pinned the old key is told.
      expect((await after.verify({ kept: [lost] })).finding).toBeDefined()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  describe('a key that is rotated', () => {
    const vkey = async () => (await logKey(bench.deps, bench.tenantId)).vkey
    const rotate = () => rotateLogKey({ ...bench.deps, sealer: bench.sealer }, bench.tenantId, { reason: 'yearly' })

    test('signs one more checkpoint, together with the new one; each alone is enough to check it', async () => {
      const old = await vkey()
      const { epoch, note } = await rotate()
      const young = await vkey()
      expect(epoch).toBe(2)
      expect(young).not.toBe(old)
      expect(parseNote(note).signatures).toHaveLength(2)
      // 45 rows, and the one that tells of the rotation.
      expect(verifyCheckpoint(note, readVerifierKey(old))).toMatchObject({ size: 46 })
      expect(verifyCheckpoint(note, readVerifierKey(young))).toMatchObject({ size: 46 })

      await bench.write(2)
      const next = await bench.checkpoint()
      expect(parseNote(next).signatures).toHaveLength(1)
      expect(verifyCheckpoint(next, readVerifierKey(young))).toMatchObject({ size: 48 })
      expect(() => verifyCheckpoint(next, readVerifierKey(old))).toThrow('no signature is by a known key')
      for (const pinned of [old, young, undefined]) {
        expect(await bench.verify({ vkey: pinned, kept: [...notes, note, next] })).toMatchObject({ finding: undefined })
      }
      const told = await bench.tamper(
        `select metadata, new_value from audit_logs where ${T()} and action = 'SIGNING_KEY_ROTATED'`,
      )
      expect(told).toMatchObject([{ metadata: { change: 'rotated', reason: 'yearly' }, new_value: { keyNumber: 2 } }])
    })

    test('one of the two signatures changed is no checkpoint for whoever knows that key', async () => {
      const [old, { note }, young] = [await vkey(), await rotate(), await vkey()]
      const lines = note.split('\n')
      const at = lines.findIndex((line) => line.startsWith('— '))
      const bad = Buffer.from(lines[at]?.split(' ')[2] ?? '', 'base64')
      bad.writeUInt8((bad.at(-1) ?? 0) ^ 1, bad.length - 1)
      const forged = lines.with(at, `— ${readCheckpoint(note).origin} ${bad.toString('base64')}`).join('\n')
      expect(() => verifyCheckpoint(forged, readVerifierKey(old))).toThrow('does not hold')
      // Signatures by keys that are not known are passed over.
      expect(verifyCheckpoint(forged, readVerifierKey(young)).size).toBe(46)
    })

    test('a crash between the new key and the checkpoint of both is made up for by the next', async () => {
      const old = await vkey()
      const sealer = { checkpoint: () => bench.sealer.checkpoint(bench.tenantId) }
      let calls = 0
      const dying = {
        checkpoint: () => (++calls === 1 ? sealer.checkpoint() : Promise.reject(new Error('killed'))),
      }
      await expect(
        rotateLogKey({ ...bench.deps, sealer: dying }, bench.tenantId, { reason: 'yearly' }),
      ).rejects.toThrow('killed')
      expect(parseNote(await bench.checkpoint()).signatures).toHaveLength(2)
      expect(await bench.verify({ vkey: old })).toMatchObject({ finding: undefined })
    })

    test('a key that somebody put into the database is vouched for by none: whoever has pinned the old one is told', async () => {
      const old = await vkey()
      // As after a restore: the key is new, and nothing was signed by both.
      await bench.tamper(`delete from audit_signed where ${T()}`)
      await bench.deps.store.ledger.addKey(bench.tenantId, newLogKey(bench.deps.secrets, bench.tenantId, 2))
      await bench.checkpoint()
      expect(await bench.verify()).toMatchObject({ finding: undefined })
      const { finding } = await bench.verify({ vkey: old })
      expect(finding).toMatchObject({ kind: 'checkpoint' })
      expect(finding?.message).toContain('none that the key given vouches for')
    })

    test('a log that was never signed has no key to rotate, and of two who rotate one does', async () => {
      await expect(
        rotateLogKey({ ...bench.deps, sealer: bench.sealer }, ledgerBench(store, database).tenantId, { reason: 'x' }),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' })
      const outcomes = await Promise.allSettled([rotate(), rotate()])
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await bench.verify()).toMatchObject({ finding: undefined })
    })
  })

  test('a witness at an address gets each checkpoint as it is; one that fails is told of in the log, and holds nothing up', async () => {
    const posted: { readonly body: string; readonly type: string | undefined }[] = []
    let status = 200
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        posted.push({ body, type: request.headers['content-type'] })
        response.writeHead(status, { location: '/elsewhere' }).end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const told: unknown[] = []
    const log = { ...silent, error: (facts: unknown) => void told.push(facts) }
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/checkpoints`
      const watched = ledgerBench(store, database, { witness: { url }, log: log as typeof silent })
      await watched.write(3)
      const first = await watched.checkpoint()
      expect(posted).toEqual([{ body: first, type: 'text/plain; charset=utf-8' }])
      expect(told).toEqual([])
      status = 500
      await watched.write(2)
      expect(readCheckpoint(await watched.checkpoint()).size).toBe(5)
      expect(told).toMatchObject([{ log: watched.tenantId, size: 5 }])
      status = 307
      await watched.write(1)
      await watched.checkpoint()
      // Not followed: the operator has named this address and no other.
      expect(posted).toHaveLength(3)
      expect(told).toHaveLength(2)
    } finally {
      server.close()
    }
  })

  test('lines of the witness that do not hold say nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-witness-'))
    try {
      const file = join(folder, 'checkpoints.ndjson')
      const { vkey } = await logKey(bench.deps, bench.tenantId)
      const forged = notes[1].replace('\n45\n', '\n9000\n')
      await writeFile(file, `nonsense\n{}\n${JSON.stringify({ vkey, size: 9000, note: forged })}\n`)
      await bench.write(1)
      const other = ledgerBench(store, database, { witness: { file }, tenantId: bench.tenantId })
      expect(readCheckpoint(await other.checkpoint()).size).toBe(46)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  const TABLES = ['audit_seals', 'audit_nodes', 'audit_heads', 'audit_checkpoints', 'audit_signed']
  async function backup(of: LedgerBench): Promise<ReadonlyMap<string, readonly unknown[]>> {
    const kept = new Map<string, readonly unknown[]>()
    for (const table of TABLES) {
      kept.set(
        table,
        (await of.tamper(`select row_to_json(t) as row from ${table} t where tenant_id = '${of.tenantId}'`)).map(
          ({ row }) => row,
        ),
      )
    }
    return kept
  }
  async function restore(of: LedgerBench, kept: ReadonlyMap<string, readonly unknown[]>): Promise<void> {
    await of.tamper(
      `delete from audit_logs where id in (select id from audit_seals where tenant_id = '${of.tenantId}' and seq >= 10)`,
    )
    for (const [table, all] of kept) {
      await of.tamper(`delete from ${table} where tenant_id = '${of.tenantId}'`)
      await of.tamper(
        `insert into ${table} select * from json_populate_recordset(null::${table}, '${JSON.stringify(all).replaceAll("'", "''")}')`,
      )
    }
  }
})
