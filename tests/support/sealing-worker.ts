/**
 * A process that writes audit rows, seals and signs until it is killed, and says what was acknowledged to it.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { ledgerBench } from '../../packages/sallyport/src/audit/testing/ledger-bench.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { postgresStore } from '../../packages/sallyport/src/store/postgres/store.ts'

const [url, tenantId] = process.argv.slice(2)
if (url === undefined || tenantId === undefined) throw new Error('sealing-worker: the database and the tenant')

const database = nodePostgres({ url, poolSize: 6 })
const bench = ledgerBench(postgresStore(database), database, { tenantId })

async function write(): Promise<never> {
  for (;;) {
    const rows = await bench.write(3)
    process.stdout.write(rows.map(({ id }) => `written ${id}\n`).join(''))
  }
}

async function seal(): Promise<never> {
  for (;;) {
    await bench.seal()
    await sleep(5)
  }
}

async function sign(): Promise<never> {
  for (;;) {
    await sleep(20)
    process.stdout.write(`signed ${Buffer.from(await bench.checkpoint()).toString('base64')}\n`)
  }
}

await bench.write(1)
await Promise.all([write(), write(), seal(), sign()])
