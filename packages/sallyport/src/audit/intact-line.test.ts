import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SealedFields } from '../store/contract/sealed-rows.ts'
import { FIELD, FIELDS, readSealedRow, sealedLine } from '../store/contract/sealed-rows.ts'
import { IntactLines } from './intact-line.ts'
import { leafHashHex } from './leaf.ts'

const lines = new IntactLines()

const PLAIN: SealedFields = [
  '41',
  '01900000-0000-7000-8000-000000000001',
  '',
  '1764310610.125',
  '',
  '01900000-0000-7000-8000-000000000002',
  '1764310609.5',
  'AUTH_LOGIN',
  'SUCCESS',
  null,
  '01900000-0000-7000-8000-000000000003',
  'Ada Lovelace',
  null,
  '01900000-0000-7000-8000-000000000004',
  null,
  'f',
  'session',
  'é😀\u2028\u007f',
  null,
  '{"b": [1, 2.50, null], "a": "Köln"}',
  '{"generation": 7}',
  '203.0.113.7',
  'DE',
  'Köln',
  'Mozilla/5.0 (X11)',
  'c-1',
  '000102030405060708090a0b0c0d0e0f',
]

const lineOf = (fields: SealedFields): Buffer => Buffer.from(sealedLine(fields))
const rowOf = (line: Buffer) => readSealedRow(line, 0, line.length - 1)
const intact = (line: Buffer) => lines.read(line, 0, line.length - 1)

/** The hash that the definition comes to; `undefined` where it comes to none. */
function byDefinition(line: Buffer): string | undefined {
  const { row } = rowOf(line)
  try {
    return row === undefined ? undefined : leafHashHex(row)
  } catch {
    return undefined
  }
}

/** The fields with the hash that the definition says is theirs. */
function sealed(fields: SealedFields): SealedFields {
  return fields.with(FIELD.sealedHash, byDefinition(lineOf(fields)) ?? '')
}

const changed = (field: keyof typeof FIELD, value: string | null): SealedFields => PLAIN.with(FIELD[field], value)

describe('a line that is what was sealed', () => {
  const none = ['actorName', 'city', 'country', 'ipAddress', 'metadata', 'newValue', 'oldValue', 'userAgent'] as const

  test.each<[string, SealedFields]>([
    ['plain text, JSON and what is null', PLAIN],
    ['no personal data', none.reduce<SealedFields>((fields, name) => fields.with(FIELD[name], null), PLAIN)],
    ['no tenant', changed('tenantId', null)],
    ['an impersonation', changed('isImpersonating', 't')],
    ['a JSON null', changed('oldValue', 'null')],
    ['empty text', changed('failureReason', '')],
  ])('%s: is told by its bytes, with its place', (_, fields) => {
    const line = lineOf(sealed(fields))
    const { seq, id, leafHash, recordedAtMs } = rowOf(line)
    expect(intact(line)).toEqual({ seq, id, leafHash, recordedAtMs })
  })

  test.each<[string, SealedFields]>([
    ['quotes', changed('actorName', 'Ada "the" L')],
    ['a line break', changed('userAgent', 'one\ntwo')],
    ['a backslash', changed('city', String.raw`a\N`)],
    ['a control character', changed('resourceId', '\u0001')],
    ['JSON with an escape', changed('metadata', String.raw`{"a": "\""}`)],
    ['a purge, which says something of other rows', changed('action', 'EVIDENCE_PURGED')],
    ['a line too long', changed('userAgent', 'x'.repeat(16_384))],
  ])('%s: is left to the definition', (_, fields) => {
    expect(intact(lineOf(sealed(fields)))).toBeUndefined()
  })
})

test('a row that is gone, one without its salt, and one with another hash of its own are never intact', () => {
  const whole = sealed(PLAIN)
  expect(intact(lineOf(whole.map((field, at) => (at < FIELD.rowHash ? field : null))))).toBeUndefined()
  expect(intact(lineOf(whole.with(FIELD.salt, null)))).toBeUndefined()
  expect(intact(lineOf(sealed(changed('salt', ''))))).toBeUndefined()
  expect(intact(lineOf(whole.with(FIELD.rowHash, 'ab'.repeat(32))))).toBeUndefined()
  expect(intact(lineOf(sealed(changed('createdAt', 'Infinity'))))).toBeUndefined()
  expect(intact(lineOf([...whole, 'more']))).toBeUndefined()
  expect(intact(lineOf(whole.slice(0, -1)))).toBeUndefined()
})

test('no changed byte of a line passes that the definition would not pass', () => {
  const line = lineOf(sealed(PLAIN))
  for (let at = 0; at < line.length - 1; at++) {
    for (const byte of [0x09, 0x22, 0x4e, 0x5c, 0x30, 0x74, (line[at] as number) ^ 1]) {
      const other = Buffer.from(line)
      other[at] = byte
      const read = intact(other)
      if (read !== undefined)
        expect([read.leafHash, read.leafHash]).toEqual([rowOf(other).leafHash, byDefinition(other)])
    }
  }
})

test('whatever a row holds, its bytes say yes only where the definition does', () => {
  const text = fc.option(
    fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('\\N', 'null', 'a"b', '\t')),
  )
  const json = fc.option(fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value, undefined, 1)))
  const value = fc.record({
    field: fc.constantFrom(...Object.values(FIELD).filter((at) => at >= FIELD.action && at < FIELD.salt)),
    text,
    json,
  })
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 8 }),
      fc.integer({ min: 0, max: FIELDS - 1 }),
      text,
      (values, at, other) => {
        const isJson = (field: number): boolean => field >= FIELD.oldValue && field <= FIELD.metadata
        const fields = values.reduce<SealedFields>(
          (all, one) => all.with(one.field, isJson(one.field) ? one.json : one.text),
          PLAIN,
        )
        const whole = sealed(fields)
        for (const line of [whole, ...(isJson(at) ? [] : [whole.with(at, other)])].map(lineOf)) {
          const read = intact(line)
          if (read !== undefined) expect(read.leafHash).toBe(byDefinition(line))
        }
      },
    ),
    { numRuns: 150 },
  )
})
