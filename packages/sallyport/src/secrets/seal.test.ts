import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { SallyportError } from '../errors.ts'
import { needsReseal, open, seal } from './seal.ts'
import { secretRing } from './secret-ring.ts'

const secret = () => randomBytes(32).toString('base64url')
const [fresh, old] = [secret(), secret()]
const ring = secretRing([fresh, old])

function refusal(attempt: () => unknown): SallyportError {
  try {
    attempt()
  } catch (error) {
    if (error instanceof SallyportError) return error
    throw error
  }
  throw new Error('it opened')
}

describe('a sealed value', () => {
  test.each([
    ['text', 'JBSWY3DPEHPK3PXP'],
    ['no text', ''],
    ['text beyond ASCII', 'clé ✓'],
  ])('opens to what was sealed: %s', (_, text) => {
    expect(open(ring, seal(ring, text, 'mfa_factors:1'), 'mfa_factors:1').toString('utf8')).toBe(text)
  })

  test('opens to the bytes that were sealed, and is never the same twice', () => {
    const bytes = randomBytes(100)
    const sealed = Array.from({ length: 200 }, () => seal(ring, bytes, 'a'))
    expect(new Set(sealed.map((text) => text.slice(14, 30))).size).toBe(200)
    for (const text of sealed) expect(open(ring, text, 'a').equals(bytes)).toBe(true)
  })

  test('names its key, and asks to be sealed again once that key is not the newest', () => {
    const before = seal(secretRing([old]), 'seed', 'a')
    expect(before).toMatch(new RegExp(`^v1\\.${secretRing([old]).signing.idHex}\\.[A-Za-z0-9_-]+$`))
    expect(open(ring, before, 'a').toString()).toBe('seed')
    expect(needsReseal(ring, before)).toBe(true)
    expect(needsReseal(ring, seal(ring, 'seed', 'a'))).toBe(false)
    expect(needsReseal(secretRing([`accept:${fresh}`, old]), before)).toBe(false)
  })
})

describe('a sealed value is refused, with one answer for every reason', () => {
  const sealed = seal(ring, 'seed', 'mfa_factors:1')
  const body = sealed.slice(14)
  const flipped = (at: number) => {
    const bytes = Buffer.from(body, 'base64url')
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return sealed.slice(0, 14) + bytes.toString('base64url')
  }
  /** Other text of the same bytes: two bits of its last character mean nothing. */
  const twinOf = (value: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const twin = value.slice(0, -1) + alphabet.charAt(alphabet.indexOf(value.at(-1) ?? '') + 1)
    expect(Buffer.from(twin.slice(14), 'base64url').equals(Buffer.from(value.slice(14), 'base64url'))).toBe(true)
    return twin
  }
  test.each([
    ['in another row', sealed, 'mfa_factors:2'],
    ['without its row', sealed, ''],
    ['with its nonce changed', flipped(0), 'mfa_factors:1'],
    ['with its text changed', flipped(12), 'mfa_factors:1'],
    ['with its tag changed', flipped(31), 'mfa_factors:1'],
    ['cut short', sealed.slice(0, -4), 'mfa_factors:1'],
    ['cut to less than nonce and tag', sealed.slice(0, 30), 'mfa_factors:1'],
    ['made under a secret that is gone', seal(secretRing([secret()]), 'seed', 'mfa_factors:1'), 'mfa_factors:1'],
    [
      'under the name of another key',
      sealed.replace(ring.signing.idHex, secretRing([old]).signing.idHex),
      'mfa_factors:1',
    ],
    ['of another version', sealed.replace('v1.', 'v2.'), 'mfa_factors:1'],
    ['written in another way, in the unused bits of its end', twinOf(sealed), 'mfa_factors:1'],
    ['written in another way, with padding', `${sealed}=`, 'mfa_factors:1'],
    ['empty', '', 'mfa_factors:1'],
  ])('%s', (_, text, row) => {
    const error = refusal(() => open(ring, text, row))
    expect({ code: error.code, message: error.message, facts: error.facts }).toEqual({
      code: 'INTERNAL',
      message: 'a stored secret cannot be read',
      facts: {},
    })
    expect(error.cause).toBeInstanceOf(Error)
  })
})
