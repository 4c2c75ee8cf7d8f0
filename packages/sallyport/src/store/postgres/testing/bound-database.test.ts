import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openInMemory } from '../../pglite/open.ts'
import type { Database } from '../database.ts'
import { pgliteDatabase } from '../pglite.ts'
import { userSessions } from '../schema.ts'
import { boundDatabase, TENANT_COLUMNS, tablesAtLarge } from './bound-database.ts'

const AT_LARGE = { name: 'sallyport_at_large', text: 'select id from user_sessions where id = $1::uuid' }
const BOUND = { name: 'sallyport_bound', text: `${AT_LARGE.text} and tenant_id = $2::uuid` }
const ID = '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'

let database: Database
beforeAll(async () => {
  database = boundDatabase(pgliteDatabase(await openInMemory()))
})
afterAll(() => database?.close())

const sessions = (db: Database['db']) => db.select({ id: userSessions.id }).from(userSessions)

test.each<[string, () => unknown]>([
  ['alone', () => database.run(AT_LARGE, [ID])],
  ['of the feed', () => database.feed.run(AT_LARGE, [ID])],
  ['of a job', () => database.bulk.run(AT_LARGE, [ID])],
  ['in a transaction', () => database.transaction((tx) => tx.run(AT_LARGE, [ID]))],
  ['of an export', () => database.copy(AT_LARGE, [ID], 'csv', () => undefined)],
  ['line by line', () => database.lines(AT_LARGE, [ID], () => undefined)],
  ['of Drizzle', () => sessions(database.db).where(eq(userSessions.id, ID))],
  ['of Drizzle in a transaction', () => database.transaction(({ db }) => sessions(db).where(eq(userSessions.id, ID)))],
])('a statement that names no tenant is refused: %s', async (_where, send) => {
  await expect((async () => send())()).rejects.toThrow(TypeError)
})

test('one that does is sent, and so is what a test looks for past the store', async () => {
  expect(await database.run(BOUND, [ID, ID])).toEqual([])
  expect(await sessions(database.db).where(eq(userSessions.tenantId, ID))).toEqual([])
  expect(await database.run({ ...AT_LARGE, name: 'test_at_large' }, [ID])).toEqual([])
})

test('every table of tenants is watched', () => {
  for (const table of ['tenants', 'tenant_staff', 'user_sessions', 'refresh_tokens', 'audit_logs', 'ip_rules']) {
    expect(TENANT_COLUMNS.has(table)).toBe(true)
  }
  // People, and what is theirs alone, are of no tenant.
  for (const table of ['users', 'mfa_factors', 'recovery_codes', 'signing_keys']) {
    expect(TENANT_COLUMNS.has(table)).toBe(false)
  }
})

test('an exception holds for its statement alone, and for the tables that it names', () => {
  const slug = { name: 'sallyport_tenant_by_slug', text: 'select id from tenants where slug = $1' }
  expect(tablesAtLarge(slug)).toEqual([])
  expect(tablesAtLarge({ ...slug, name: 'sallyport_other' })).toEqual(['tenants'])
  expect(tablesAtLarge({ ...slug, text: 'select id from user_sessions where id = $1' })).toEqual(['user_sessions'])
})
