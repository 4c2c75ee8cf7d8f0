import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
// As it is built: from its sources there is no file that a thread could start from.
import { auditRow } from '../../packages/sallyport/dist/audit/record.js'
import { postgres } from '../../packages/sallyport/dist/postgres.js'
import { sallyport } from '../../packages/sallyport/dist/sallyport.js'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

const TENANT = '00000000-0000-7000-8000-000000000001'
const ROWS = 20_500
/** Rows that are checked by themselves: a seam lies at every multiple. */
const RUN = 8192
const TABLES = ['audit_logs', 'audit_seals', 'audit_nodes', 'audit_checkpoints']

let database: TestDatabase
let client: pg.Client
let guard: ReturnType<typeof sallyport>

beforeAll(async () => {
  if (!hasPostgres) return
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const store = postgres({ url: database.url })
  guard = sallyport({
    store,
    issuer: 'https://id.example.com',
    secrets: [randomBytes(32).toString('base64url')],
    audit: { sealEvery: '1m', checkpointEvery: '1h' },
    jobs: { schedule: false },
  })
  await store.migrate()
  await guard.start()
  await client.query(`insert into tenants (id, slug, name, created_at) values ($1, 't', 'T', now())`, [TENANT])
  const started = Date.now() - ROWS
  for (let at = 0; at < ROWS; at += 2000) {
    await store.audit.append(
      Array.from({ length: Math.min(2000, ROWS - at) }, (_, n) =>
        auditRow(
          {
            tenantId: TENANT,
            action: 'AUTH_LOGIN',
            userId: randomUUID(),
            actorName: 'Ada "the first"\tLöwe\\N',
            metadata: { n: at + n, text: 'a\\b\n' },
            request: { correlationId: randomUUID(), ipAddress: '192.0.2.1', userAgent: undefined },
          },
          new Date(started + at + n),
        ),
      ),
    )
    // Signed sizes that lie within runs, at seams and at the end.
    if (at % 4000 === 0) await guard.audit.checkpoint(TENANT)
  }
  await guard.audit.checkpoint(TENANT)
})

afterAll(async () => {
  await guard?.close()
  await client?.end()
  await database?.drop()
})

/** Does what it says as somebody would who may do anything, looks, and undoes it. */
async function tampered(change: string, undo: string) {
  const run = async (text: string): Promise<void> => {
    const triggers = (what: string): string =>
      TABLES.map((table) => `alter table ${table} ${what} trigger user`).join(';')
    await client.query(`${triggers('disable')};${text};${triggers('enable')}`)
  }
  await run(change)
  try {
    const [threads, alone] = [await verify(2), await verify(1)]
    expect(threads).toEqual(alone)
    return threads?.finding
  } finally {
    await run(undo)
  }
}

const verify = async (threads: number) => (await guard.audit.verify({ tenantId: TENANT, threads }))[0]
const idAt = (seq: number): string => `(select id from audit_seals where tenant_id = '${TENANT}' and seq = ${seq})`

describe.skipIf(!hasPostgres)('a log that several threads verify', () => {
  test('holds, and comes to what one thread comes to', async () => {
    const whole = await verify(2)
    expect(whole).toMatchObject({ rows: ROWS, finding: undefined, purged: 0 })
    expect(whole?.checkpoints).toBeGreaterThan(5)
    expect(await verify(1)).toEqual(whole)
    expect(await verify(3)).toEqual(whole)
    const threads = new Set<number>()
    const watch = (): void =>
      void threads.add(process.getActiveResourcesInfo().filter((one) => one === 'MessagePort').length)
    watch()
    await guard.audit.verify({ tenantId: TENANT, threads: 2, progress: watch })
    // The caller's own, and while it verified two more.
    expect(Math.max(...threads) - Math.min(...threads)).toBe(2)
  })

  test.each([3, RUN - 1, RUN, RUN + 1, 2 * RUN, ROWS - 1])(
    'an altered row is named wherever it stands: %i',
    async (seq) => {
      const finding = await tampered(
        `update audit_logs set action = 'AUTH_LOGOUT' where id = ${idAt(seq)}`,
        `update audit_logs set action = 'AUTH_LOGIN' where id = ${idAt(seq)}`,
      )
      expect(finding).toMatchObject({ kind: 'altered', seq })
    },
  )

  test('of two altered rows the first is named, whichever thread is done first', async () => {
    const rows = `(${idAt(RUN - 5)}, ${idAt(RUN + 5)})`
    const finding = await tampered(
      `update audit_logs set action = 'AUTH_LOGOUT' where id in ${rows}`,
      `update audit_logs set action = 'AUTH_LOGIN' where id in ${rows}`,
    )
    expect(finding).toMatchObject({ kind: 'altered', seq: RUN - 5 })
  })

  test('rows deleted on both sides of a seam are one range', async () => {
    const finding = await tampered(
      `create table kept as select * from audit_logs where id in (${idAt(RUN - 1)}, ${idAt(RUN)});
        delete from audit_logs where id in (select id from kept)`,
      'insert into audit_logs select * from kept; drop table kept',
    )
    expect(finding).toMatchObject({ kind: 'deleted', seq: RUN - 1, lastSeq: RUN })
  })

  test('a seal that is gone is named', async () => {
    const finding = await tampered(
      `create table kept as select * from audit_seals where tenant_id = '${TENANT}' and seq = ${RUN};
        delete from audit_seals where tenant_id = '${TENANT}' and seq = ${RUN}`,
      'insert into audit_seals select * from kept; drop table kept',
    )
    expect(finding).toMatchObject({ kind: 'deleted', seq: RUN })
  })

  test('two rows that changed places across a seam are named', async () => {
    const both = `tenant_id = '${TENANT}' and seq in (${RUN - 1}, ${RUN})`
    const swap = `create table kept as select * from audit_seals where ${both};
      delete from audit_seals where ${both};
      insert into audit_seals (tenant_id, seq, id, leaf_hash, recorded_at)
        select tenant_id, ${2 * RUN - 1} - seq, id, leaf_hash, recorded_at from kept;
      drop table kept`
    expect(await tampered(swap, swap)).toMatchObject({ kind: 'reordered' })
  })
})
