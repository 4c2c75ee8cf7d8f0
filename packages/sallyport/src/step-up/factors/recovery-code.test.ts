import { deepEqual, equal, match } from 'node:assert/strict'
import { describe, test } from 'vitest'
import { newRecoveryCodes, recoveryCodeHash } from './recovery-code.ts'

describe('recovery codes', () => {
  test('are ten, each another, in groups that can be read out', () => {
    const { codes, hashes } = newRecoveryCodes()
    equal(codes.length, 10)
    equal(new Set(codes).size, 10)
    for (const code of codes) match(code, /^(?:[0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$/)
    deepEqual(
      hashes.map((hash) => hash.length),
      Array.from({ length: 10 }, () => 32),
    )
  })

  test('are found again however they are typed', () => {
    const { codes, hashes } = newRecoveryCodes()
    const code = String(codes[0])
    const hash = hashes[0]
    for (const typed of [
      code,
      code.toLowerCase(),
      code.replaceAll('-', ''),
      code.replaceAll('-', ' – '),
      ` ${code}\t`,
      code.replaceAll('0', 'o').replaceAll('1', 'l'),
    ]) {
      deepEqual(recoveryCodeHash(typed), hash, typed)
    }
  })

  test('are nothing else', () => {
    const code = newRecoveryCodes().codes[0] as string
    for (const typed of ['', '123456', code.slice(1), `${code}0`, code.replace(/.$/, 'U'), '-'.repeat(1000)]) {
      equal(recoveryCodeHash(typed), undefined, typed)
    }
  })

  test('draw every symbol', () => {
    const drawn = new Set(
      Array.from({ length: 40 }, () => newRecoveryCodes().codes.join('').replaceAll('-', '')).join(''),
    )
    equal(drawn.size, 32)
  })
})
