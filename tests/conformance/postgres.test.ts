import pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { StoreHarness } from '../../packages/sallyport/src/store/conformance/harness.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { migrate } from '../../packages/sallyport/src/store/postgres/migrate.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { breakingPool } from '../../packages/sallyport/src/store/postgres/testing/breaking.ts'
import { postgresHarness } from '../../packages/sallyport/src/store/postgres/testing/harness.ts'
import { schemaContract } from '../../packages/sallyport/src/store/postgres/testing/schema-contract.ts'
import { storeContract } from '../../packages/sallyport/src/testing.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

describe.skipIf(!hasPostgres)('the store contract on PostgreSQL', () => {
  let made: TestDatabase
  let database: Database
  let pool: pg.Pool
  let harness: StoreHarness

  beforeAll(async () => {
    made = await createDatabase()
    const clock = { offsetMs: 0 }
    database = nodePostgres({ url: made.url, poolSize: 20, clock })
    await migrate(database)
    // Its clients break one after the other; the database outlives them.
    pool = new pg.Pool({ connectionString: made.url, max: 4 })
    pool.on('error', () => undefined)
    harness = postgresHarness(database, (fault) => nodePostgres({ pool: breakingPool(pool, fault), clock }))
  })
  afterAll(async () => {
    await database?.close()
    await pool?.end()
    await made?.drop()
  })

  storeContract({ test }, async () => harness)
  schemaContract({ test }, async () => database)
})
