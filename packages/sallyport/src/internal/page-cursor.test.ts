import { deepEqual, equal, throws } from 'node:assert/strict'
import { test } from 'vitest'
import { newId } from '../ids.ts'
import { readCursor, writeCursor } from './page-cursor.ts'

test('a cursor reads as it was written', () => {
  const end = { at: new Date(1_900_000_000_123), id: newId() }
  deepEqual(readCursor(writeCursor(end)), end)
  equal(readCursor(undefined), undefined)
})

test('what no list has answered is refused by name', () => {
  const written = Buffer.from(writeCursor({ at: new Date(1_900_000_000_123), id: newId() }), 'base64url').toString()
  const id = newId()
  for (const text of [
    '',
    'x',
    `1.${id}`,
    `-190000000000.${id}`,
    `1900000000000000.${id}`,
    '1900000000000.',
    `1900000000000.${id.slice(1)}`,
    `1900000000000.${id}' or true`,
    `${written}.more`,
    'NaN.NaN',
  ]) {
    throws(
      () => readCursor(Buffer.from(text).toString('base64url')),
      ({ code, facts }: { code: string; facts: { field: string } }) => {
        deepEqual([code, facts.field], ['INVALID_REQUEST', 'cursor'], text)
        return true
      },
    )
  }
})
