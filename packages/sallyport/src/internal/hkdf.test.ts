import { hkdfSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { hkdf32 } from './hkdf.ts'

test('what node:crypto derives, for secrets, salts and infos of any length', () => {
  for (const length of [0, 1, 31, 32, 63, 64, 65, 125, 500]) {
    const [secret, salt, info] = [randomBytes(length), randomBytes(length % 70), randomBytes(length * 2)]
    expect(hkdf32(secret, salt, info).toString('hex')).toBe(
      Buffer.from(hkdfSync('sha256', secret, salt, info, 32)).toString('hex'),
    )
  }
})

test('RFC 5869, test case 1, as far as one block goes', () => {
  const secret = Buffer.alloc(22, 0x0b)
  const salt = Buffer.from('000102030405060708090a0b0c', 'hex')
  const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex')
  expect(hkdf32(secret, salt, info).toString('hex')).toBe(
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
  )
})
