import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import * as schemas from './schemas.ts'

const passes = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success

describe('email', () => {
  test.each(['ada@example.com', "o'neil+tag@sub.example.co.uk", 'A@B.io', `${'a'.repeat(64)}@example.com`])(
    '%s is one',
    (value) => {
      expect(schemas.email.parse(value)).toBe(value)
    },
  )

  test.each([
    'a@b.c\r\nBcc: x@y.z',
    '"e@attacker.com"@victim.com',
    'a@x.com,b@y.com',
    'a@x.com;b@y.com',
    'Ada <ada@example.com>',
    '<ada@example.com>',
    'ada@example.com ',
    'ada@@example.com',
    'ada@example..com',
    '.ada@example.com',
    'ada@-example.com',
    'ada@[127.0.0.1]',
    'ada@localhost',
    'ada(comment)@example.com',
    'ada@exämple.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.${'e'.repeat(62)}.com`,
    '',
  ])('%j is none', (value) => {
    expect(passes(schemas.email, value)).toBe(false)
  })

  test('a hostile value is refused before the test would time out', () => {
    for (const hostile of [
      `${'a'.repeat(60_000)}!`,
      `a@${'a.'.repeat(100)}!`,
      `a@${'a-'.repeat(120)}`,
      'a.'.repeat(120),
    ]) {
      expect(passes(schemas.email, hostile)).toBe(false)
    }
  })
})

describe('name', () => {
  test('200 code points pass and 201 do not, whatever their size', () => {
    expect(passes(schemas.name, '😀'.repeat(200))).toBe(true)
    expect(passes(schemas.name, '😀'.repeat(201))).toBe(false)
    expect(passes(schemas.name, '')).toBe(false)
  })

  test('equal names become equal text', () => {
    expect(schemas.name.parse('A\u030angstro\u0308m')).toBe('\u00c5ngstr\u00f6m')
  })

  test('only what is left after composing is counted', () => {
    expect(passes(schemas.name, 'e\u0301'.repeat(200))).toBe(true)
  })
})

test('a password keeps every character as typed, up to 512', () => {
  expect(schemas.password.parse(' e\u0301 ')).toBe(' e\u0301 ')
  expect(passes(schemas.password, 'x'.repeat(512))).toBe(true)
  expect(passes(schemas.password, 'x'.repeat(513))).toBe(false)
})

test('an instant names its zone', () => {
  expect(schemas.instant.parse('2026-01-31T12:00:00+02:00')).toEqual(new Date('2026-01-31T10:00:00Z'))
  for (const value of [
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-02-30T12:00:00Z',
    '1769860800',
    `2026-01-31T12:00:00.${'0'.repeat(60)}Z`,
  ]) {
    expect(passes(schemas.instant, value)).toBe(false)
  }
})

test('an id is a UUID in the form that is issued, and no other', () => {
  expect(passes(schemas.anyId, '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe')).toBe(true)
  for (const value of [
    '0198C0DE-7A11-7C3E-9F00-3C0FFEE0CAFE',
    '0198c0de7a117c3e9f003c0ffee0cafe',
    '00000000-0000-0000-0000-000000000000',
    7,
  ]) {
    expect(passes(schemas.anyId, value)).toBe(false)
  }
})

test('device information is a few plain values', () => {
  expect(passes(schemas.deviceInfo, { os: 'Linux', cores: 2, touch: false, model: null })).toBe(true)
  expect(passes(schemas.deviceInfo, { screen: { width: 1 } })).toBe(false)
  expect(passes(schemas.deviceInfo, { os: 'x'.repeat(257) })).toBe(false)
  expect(passes(schemas.deviceInfo, Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 1])))).toBe(false)
})

test('a purpose is a word in snake case', () => {
  expect(passes(schemas.purpose, 'revoke_session')).toBe(true)
  expect(passes(schemas.purpose, 'Revoke')).toBe(false)
})

test('a session is answered with exactly the fields of the contract', () => {
  expect(Object.keys(schemas.session.shape)).toEqual([
    'id',
    'kind',
    'createdAt',
    'lastSeenAt',
    'expiresAt',
    'ipAddress',
    'country',
    'city',
    'userAgent',
    'device',
    'isCurrent',
    'revokedAt',
    'revokeReason',
    'impersonator',
  ])
})
