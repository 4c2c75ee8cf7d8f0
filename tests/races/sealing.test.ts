/**
 * Sealing on PostgreSQL: several sealers, one that was paused, commits that come late, and processes that are killed.
 *
 * `SALLYPORT_KILLS` sets how often a process is killed (300 in the long run).
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LedgerBench } from '../../packages/sallyport/src/audit/testing/ledger-bench.ts'
import { fullRow, ledgerBench } from '../../packages/sallyport/src/audit/testing/ledger-bench.ts'
import { sealLog, sealWaiting } from '../../packages/sallyport/src/audit/seal.ts'
import { Sealer } from '../../packages/sallyport/src/audit/sealer.ts'
import { readCheckpoint } from '../../packages/sallyport/src/audit/verifying/checkpoint.ts'
import { newId } from '../../packages/sallyport/src/ids.ts'
import type { SealBatch } from '../../packages/sallyport/src/store/contract/ledger.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { postgresStore } from '../../packages/sallyport/src/store/postgres/store.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

const KILLS = Number(process.env['SALLYPORT_KILLS'] ?? 20)
const WORKER = fileURLToPath(new URL('../support/sealing-worker.ts', import.meta.url))

describe.skipIf(!hasPostgres)('sealing on PostgreSQL', () => {
  let at: TestDatabase
  let database: Database
  let probe: pg.Pool

  beforeAll(async () => {
    at = await createDatabase()
    database = nodePostgres({ url: at.url })
    await postgresStore(database).migrate()
    probe = new pg.Pool({ connectionString: at.url, max: 2 })
    // Dropping the database ends what is still closing.
    probe.on('error', () => undefined)
  })
  afterAll(async () => {
    await database.close()
    await probe.end()
    await at.drop()
  })

  const open = (tenantId?: string): LedgerBench =>
    ledgerBench(postgresStore(database), database, tenantId === undefined ? {} : { tenantId })

  async function sealedIds({ tenantId }: LedgerBench): Promise<readonly string[]> {
    const { rows } = await probe.query<{ seq: string; id: string }>(
      'select seq, id from audit_seals where tenant_id = $1 order by seq',
      [tenantId],
    )
    expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, index) => index))
    return rows.map(({ id }) => id)
  }

  test('four sealers at once, under load: every row once, no gap, no fork', async () => {
    const bench = open()
    const written: string[] = []
    let writing = true
    const writers = Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 60; n++) written.push(...(await bench.write(5)).map(({ id }) => id))
    })
    const sealers = Array.from({ length: 4 }, async () => {
      while (writing) await sealWaiting(bench.deps)
    })
    await Promise.all(writers)
    writing = false
    await Promise.all(sealers)
    await sealWaiting(bench.deps)
    expect([...(await sealedIds(bench))].sort()).toEqual(written.sort())
    await bench.checkpoint()
    expect(await bench.verify()).toMatchObject({ rows: 1200, finding: undefined })
  })

  test('a sealer that was paused between reading and writing forks nothing when it wakes', async () => {
    const bench = open()
    await bench.write(10)
    await bench.seal()
    await bench.write(10)
    const { ledger } = bench.deps.store
    let wake = (): void => undefined
    const woken = new Promise<void>((resolve) => {
      wake = resolve
    })
    const outcomes: string[] = []
    const paused = {
      store: {
        ledger: {
          ...ledger,
          seal: async (batch: SealBatch) => {
            await woken
            const outcome = await ledger.seal(batch)
            outcomes.push(outcome)
            return outcome
          },
        },
      },
    }
    const sleeper = sealLog(paused, bench.tenantId)
    await sleep(50)
    await bench.write(3)
    await bench.seal()
    const note = await bench.checkpoint()
    wake()
    await sleeper
    expect(outcomes).toEqual(['superseded'])
    expect(await sealedIds(bench)).toHaveLength(23)
    expect((await bench.verify({ kept: [note] })).finding).toBeUndefined()
  })

  test('of two that sign at once both have the same checkpoint', async () => {
    const bench = open()
    await bench.write(50)
    const sealers = Array.from({ length: 6 }, () => new Sealer(bench.deps))
    const notes = await Promise.all(sealers.map(async (sealer) => (await sealer.checkpoint(bench.tenantId))?.note))
    expect(new Set(notes).size).toBe(1)
    expect(readCheckpoint(notes[0] as string).size).toBe(50)
  })

  test('one sealer leads at a time, another when it has gone', async () => {
    const bench = open()
    const { ledger } = bench.deps.store
    // Others of this file may have left one.
    await probe.query('delete from audit_sealer')
    expect([await ledger.lead('one', 10_000), await ledger.lead('two', 10_000)]).toEqual([true, false])
    expect(await ledger.lead('one', 10_000)).toBe(true)
    await ledger.resign('one')
    expect(await ledger.lead('two', 100)).toBe(true)
    await sleep(150)
    expect(await ledger.lead('one', 10_000)).toBe(true)
    await ledger.resign('one')
  })

  test('a row that commits late is sealed late, and nothing that was sealed before moves', async () => {
    const bench = open()
    const late = fullRow(bench.tenantId)
    let commit = (): void => undefined
    const held = new Promise<void>((resolve) => {
      commit = resolve
    })
    let written = (): void => undefined
    const inside = new Promise<void>((resolve) => {
      written = resolve
    })
    const host = database.transaction(async ({ db: tx }) => {
      await bench.deps.store.audit.appendIn(tx, () => [late])
      written()
      await held
    })
    await inside
    await bench.write(20)
    await bench.seal()
    const before = await sealedIds(bench)
    const note = await bench.checkpoint()
    commit()
    await host
    await bench.write(2)
    await bench.seal()
    const after = await sealedIds(bench)
    expect(after.slice(0, 20)).toEqual(before)
    expect(after[20]).toBe(late.id)
    expect(after).toHaveLength(23)
    expect((await bench.verify({ kept: [note] })).finding).toBeUndefined()
  })

  test(`after an outage of the sealer a backlog is caught up with in bounded batches`, async () => {
    const bench = open()
    for (let n = 0; n < 9; n++) await bench.write(1000)
    const sizes: number[] = []
    const { ledger } = bench.deps.store
    const watched = {
      store: {
        ledger: { ...ledger, seal: async (batch: SealBatch) => (sizes.push(batch.rows.length), ledger.seal(batch)) },
      },
    }
    await sealLog(watched, bench.tenantId)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2000)
    await bench.checkpoint()
    expect(await bench.verify()).toMatchObject({ rows: 9000, finding: undefined })
  })

  test(`kill -9 of a process that writes, seals and signs, ${KILLS} times: nothing acknowledged is lost, nothing needs repair`, async () => {
    const tenantId = newId<string>()
    const acknowledged: string[] = []
    const kept: string[] = []
    for (let round = 0; round < KILLS; round++) {
      const child = spawn(process.execPath, ['--import', 'tsx', WORKER, at.url, tenantId], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exited = once(child, 'exit')
      let started = false
      const lines = createInterface({ input: child.stdout })
      const told = (async () => {
        for await (const line of lines) {
          const [kind, value = ''] = line.split(' ')
          if (kind === 'written') acknowledged.push(value)
          if (kind === 'signed') kept.push(Buffer.from(value, 'base64').toString())
          if (!started) {
            started = true
            setTimeout(() => child.kill('SIGKILL'), Math.random() * 400)
          }
        }
      })()
      await exited
      await told
    }
    const bench = open(tenantId)
    expect(acknowledged.length).toBeGreaterThan(KILLS)
    const { rows } = await probe.query<{ id: string }>('select id from audit_logs where tenant_id = $1', [tenantId])
    const present = new Set(rows.map(({ id }) => id))
    expect(acknowledged.filter((id) => !present.has(id))).toEqual([])
    await bench.checkpoint()
    expect([...(await sealedIds(bench))].sort()).toEqual([...present].sort())
    expect(kept.length).toBeGreaterThan(0)
    // Every checkpoint that any of them got to publish is still a prefix.
    expect(await bench.verify({ kept })).toMatchObject({ rows: present.size, finding: undefined })
  })
})
