import { createHash } from 'node:crypto'
import type { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../ids.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { erasePerson } from './erase-person.ts'
import { vkeyOf } from './log-key.ts'
import { proveInclusion } from './prove.ts'
import type { LedgerBench } from './testing/ledger-bench.ts'
import { ledgerBench } from './testing/ledger-bench.ts'
import { readVerifierKey } from './verifying/signed-note.ts'
import { verifyTlogProof, writeTlogProof } from './verifying/tlog-proof.ts'

describe('the erasure of a person', () => {
  const person = newId<string>()
  const staff = newId<string>()
  let pglite: PGlite
  let bench: LedgerBench
  let proof: string
  let leaf: Buffer
  let vkey: string
  let note: string

  beforeAll(async () => {
    pglite = await openInMemory()
    const database = pgliteDatabase(pglite)
    bench = ledgerBench(postgresStore(database), database)
    await bench.write(5)
    const [row] = await bench.write(1, { userId: person, actorName: 'Rosalind Franklin' })
    await bench.write(2)
    await bench.write(2, { realUserId: person, actorName: 'Rosalind Franklin' })
    await bench.write(1, { resource: 'tenant_staff', resourceId: staff, newValue: { name: 'Rosalind Franklin' } })
    await bench.write(3)
    note = await bench.checkpoint()
    const { ledger } = bench.deps.store
    const inclusion = await proveInclusion(
      { store: bench.deps.store, sealer: bench.sealer },
      bench.tenantId,
      row?.id ?? '',
    )
    proof = writeTlogProof(inclusion)
    leaf = row?.leafHash ?? Buffer.alloc(0)
    const key = await ledger.key(bench.tenantId)
    vkey = vkeyOf(bench.deps, bench.tenantId, key?.publicKey ?? new Uint8Array())
    // One that waits while it is erased is sealed first, from what it says.
    await bench.write(1, { userId: person, actorName: 'Rosalind Franklin' })
    expect(await erasePerson(bench.deps, [person, staff])).toEqual({ rows: 5 })
  })
  afterAll(() => pglite.close())

  test('leaves nothing of them in the database, and what it did on record', async () => {
    const { rows } = await pglite.query<{ line: string }>('select l::text as line from audit_logs l')
    expect(rows.filter(({ line }) => line.includes('Rosalind'))).toEqual([])
    const { rows: records } = await pglite.query<{ metadata: Record<string, unknown> }>(
      `select metadata from audit_logs where action = 'EVIDENCE_PURGED'`,
    )
    const { rows: erased } = await pglite.query<{ id: string }>(
      'select id from audit_logs where salt is null order by id',
    )
    expect(records.map(({ metadata }) => metadata)).toEqual([
      {
        actor: 'host',
        reason: 'person_erased',
        count: 5,
        erasedSeqs: '5,8-10,14',
        idsSha256: createHash('sha256')
          .update(erased.map(({ id }) => `${id}\n`).join(''))
          .digest('hex'),
      },
    ])
  })

  test('leaves every proof whole: the log verifies, and so does a proof that was given out before', async () => {
    await bench.checkpoint()
    expect(await bench.verify({ kept: [note] })).toMatchObject({ finding: undefined, erased: 5, rows: 16 })
    expect(verifyTlogProof(proof, leaf, readVerifierKey(vkey)).leafIndex).toBe(5)
    const { rows } = await pglite.query<{ leaf: string }>(
      `select encode(leaf_hash, 'hex') as leaf from audit_logs where user_id = $1 order by created_at limit 1`,
      [person],
    )
    expect(rows[0]?.leaf).toBe(leaf.toString('hex'))
  })

  test('is the only way: the database refuses any other update, and more than personal columns', async () => {
    await expect(pglite.exec(`update audit_logs set actor_name = null, salt = null`)).rejects.toThrow('append-only')
    await expect(pglite.exec(`do $$ begin update audit_logs set action = 'X', salt = null; end $$`)).rejects.toThrow(
      'append-only',
    )
    await bench.write(1, { userId: person })
    const { rows } = await pglite.query<{ gone: number }>(
      `select sallyport_erase_audit_logs(array(select id from audit_pending))::int as gone`,
    )
    expect(rows[0]?.gone).toBe(0)
  })

  test('a row that was emptied by somebody else is found', async () => {
    await bench.checkpoint()
    await bench.tamper(
      `update audit_logs set actor_name = null, old_value = null, new_value = null, metadata = null, ip_address = null,
        country = null, city = null, user_agent = null, salt = null where id = (select id from audit_seals where seq = 3)`,
    )
    expect((await bench.verify()).finding).toMatchObject({ kind: 'altered', seq: 3 })
  })
})
