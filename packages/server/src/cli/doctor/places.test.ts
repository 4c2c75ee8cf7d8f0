import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mmdb } from '../../../../../tests/support/mmdb.ts'
import { placesFinding } from './places.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-places-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const found = async (bytes: Uint8Array) => {
  const database = join(folder, 'places.mmdb')
  writeFileSync(database, bytes)
  const { state, message } = await placesFinding({ engine: { geo: { database } } })
  return `${state} ${message}`
}

test('a file of today tells places', async () => {
  expect(await found(mmdb({ built: new Date() }))).toMatch(/^ok Test-City of 20\d\d-\d\d-\d\d$/)
})

test('one of another kind does not, and what it is is named', async () => {
  expect(await found(mmdb({ type: 'GeoLite2-ASN' }))).toMatch(/^fail .*GeoLite2-ASN/)
})

test('an old one is worth a note', async () => {
  expect(await found(mmdb({ built: new Date('2020-01-01') }))).toMatch(
    /^note Test-City of 2020-01-01 is over a year old/,
  )
})

test('what is no such file, or only the beginning of one, must be mended', async () => {
  expect(await found(Buffer.from('not a database'))).toMatch(/^fail .*no MMDB file/)
  expect(await found(Buffer.alloc(0))).toMatch(/^fail .*no MMDB file/)
  expect(await found(mmdb().subarray(0, 60))).toMatch(/^fail .*no MMDB file/)
})

test('a file that is not there is told by its code', async () => {
  const { state, message } = await placesFinding({ engine: { geo: { database: join(folder, 'none.mmdb') } } })
  expect([state, message]).toEqual(['fail', expect.stringContaining('ENOENT')])
})

test('without a file it says what follows, or where places come from', async () => {
  expect((await placesFinding({ engine: {} })).state).toBe('note')
  expect((await placesFinding({ engine: { geo: { headers: { country: 'cf-ipcountry' } } } })).state).toBe('ok')
})
