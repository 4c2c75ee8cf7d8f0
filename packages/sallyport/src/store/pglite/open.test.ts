import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { shippedMigrations } from '../postgres/migrate.ts'
import { openFolder, openInMemory } from './open.ts'
import { readTemplate } from './template.ts'
import { unpack } from './unpack.ts'

vi.mock('./template.ts', async (original) => {
  const real = await original<typeof import('./template.ts')>()
  return { ...real, readTemplate: vi.fn(real.readTemplate) }
})

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-open-'))
})
afterEach(() => {
  vi.mocked(readTemplate).mockClear()
  rmSync(root, { recursive: true, force: true })
})

test('a folder that is missing is made, for its owner alone, and keeps its data', async () => {
  const folder = join(root, 'a', 'b')
  const first = await openFolder(folder)
  await first.exec('create table kept (n int); insert into kept values (7)')
  await first.close()
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'database')).mode & 0o777).toBe(0o700)

  const second = await openFolder(folder)
  expect((await second.query('select n from kept')).rows).toEqual([{ n: 7 }])
  const { rows } = await second.query('select name from sallyport_migrations order by name')
  expect(rows).toEqual((await shippedMigrations()).map(({ name }) => ({ name })))
  await second.close()
})

test('a folder is open once at a time, and free again after close', async () => {
  const first = await openFolder(root)
  await expect(openFolder(root)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await first.close()
  expect(readdirSync(root)).toEqual(['database'])
  await (await openFolder(root)).close()
})

test('without a template the database is made from nothing, the slower way', async () => {
  vi.mocked(readTemplate).mockResolvedValueOnce(undefined)
  const pglite = await openFolder(root)
  const { rows } = await pglite.query('select name from sallyport_migrations order by name')
  expect(rows).toEqual((await shippedMigrations()).map(({ name }) => ({ name })))
  await pglite.close()
})

test('what a crash left half-filled is thrown away and filled again', async () => {
  mkdirSync(join(root, 'database.filling', 'base'), { recursive: true })
  writeFileSync(join(root, 'database.filling', 'PG_VERSION'), '18\n')
  const pglite = await openFolder(root)
  expect((await pglite.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pglite.close()
  expect(existsSync(join(root, 'database.filling'))).toBe(false)
})

test('a failure while the folder is filled leaves no database, and the lock free', async () => {
  vi.mocked(readTemplate).mockResolvedValueOnce(Buffer.alloc(512, 'x'))
  await expect(openFolder(root)).rejects.toThrow()
  expect(existsSync(join(root, 'database'))).toBe(false)
  await (await openFolder(root)).close()
})

test('in memory: up to date, and alone', async () => {
  const [one, two] = [await openInMemory(), await openInMemory()]
  await one.exec('create table mine (n int)')
  await expect(two.query('select * from mine')).rejects.toThrow()
  expect((await two.query('select count(*)::int as n from tenants')).rows).toEqual([{ n: 0 }])
  await Promise.all([one.close(), two.close()])
})

test('unpack: an entry that leaves the folder is refused', () => {
  const header = Buffer.alloc(512)
  header.write('../escaped', 0)
  header.write('00000000000', 124)
  header.write('0', 156)
  expect(() => unpack(header, root)).toThrow(TypeError)
})
