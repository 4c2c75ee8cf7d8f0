import { expect, test } from 'vitest'
import { openInMemory } from '../pglite/open.ts'
import { pgliteDatabase } from './pglite.ts'
import { schemaDrift } from './schema-drift.ts'
import { postgresStore } from './store.ts'

test('the schema that was written down is the one that the migrations make; tables of the host are passed over', async () => {
  const pglite = await openInMemory()
  const database = pgliteDatabase(pglite)
  await postgresStore(database).migrate()
  await pglite.exec('create table invoices (id int primary key)')
  // Else run "npm run describe-schema".
  expect(await schemaDrift(database)).toEqual([])
  await pglite.exec(`alter table users add column planted text; drop index changes_at;
    create or replace function sallyport_purge_audit_logs(ids uuid[]) returns bigint language sql as 'select 0::bigint'`)
  expect(await schemaDrift(database)).toEqual([
    'missing: changes CREATE INDEX changes_at ON changes USING btree (at)',
    expect.stringMatching(/^missing: function sallyport_purge_audit_logs /),
    expect.stringMatching(/^not of the migrations: function sallyport_purge_audit_logs /),
    'not of the migrations: users column planted text',
  ])
  await database.close()
})
