/**
 * Writes down the schema that the migrations make, for the checklist to hold a running database against: run it after a
 * migration was added. `--check` only compares.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises'
import { openInMemory } from '../packages/sallyport/src/store/pglite/open.ts'
import { pgliteDatabase } from '../packages/sallyport/src/store/postgres/pglite.ts'
import { postgresStore } from '../packages/sallyport/src/store/postgres/store.ts'
import { describeSchema } from '../packages/sallyport/src/store/postgres/schema-drift.ts'

const FILE = new URL('../packages/sallyport/migrations/schema.json', import.meta.url)

const database = pgliteDatabase(await openInMemory())
await postgresStore(database).migrate()
const text = `${JSON.stringify(await describeSchema(database), undefined, 2)}\n`
await database.close()
if (process.argv.includes('--check')) {
  if ((await readFile(FILE, 'utf8')) !== text) {
    console.error('migrations/schema.json is not what the migrations make: run "npm run describe-schema"')
    process.exitCode = 1
  }
} else await writeFile(FILE, text)
