import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { keyStoreContract } from '../conformance/keys.ts'
import type { Database } from './database.ts'
import { keyStore } from './keys.ts'
import { migrate } from './migrate.ts'
import { pgliteDatabase } from './pglite.ts'

let pglite: PGlite
let database: Database
beforeAll(async () => {
  pglite = new PGlite()
  database = pgliteDatabase(pglite)
  await migrate(database)
})
afterAll(() => pglite.close())

describe('on PGlite', () => {
  keyStoreContract(test, async () => {
    await pglite.exec('delete from signing_keys; delete from changes')
    const audited = async () =>
      (await pglite.query<{ id: string }>('select resource_id as id from audit_logs order by created_at, id')).rows
    const before = (await audited()).length
    return {
      keys: keyStore(database),
      written: async () => ({
        changes: (
          await pglite.query<{ ref: string }>(`select ref from changes where kind = 'key' order by id`)
        ).rows.map(({ ref }) => ref),
        audited: (await audited()).slice(before).map(({ id }) => id),
      }),
    }
  })
})
