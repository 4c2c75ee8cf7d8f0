import { afterAll, beforeAll, describe, test } from 'vitest'
import { openInMemory } from '../pglite/open.ts'
import type { Database } from './database.ts'
import { pgliteDatabase } from './pglite.ts'
import { schemaContract } from './testing/schema-contract.ts'

let database: Database
beforeAll(async () => {
  database = pgliteDatabase(await openInMemory())
})
afterAll(() => database?.close())

describe('on PGlite', () => {
  schemaContract({ test }, async () => database)
})
