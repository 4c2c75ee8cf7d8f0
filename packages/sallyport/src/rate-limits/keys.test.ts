import { describe, expect, test } from 'vitest'
import { secretRing } from '../secrets/secret-ring.ts'
import { keyOf, networkOf } from './keys.ts'

const ring = secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'])

describe('a network', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1:2', 'fe80:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network))
})

describe('a key', () => {
  const address = '2001:db8::1'
  test('is one for a whole /64, and another for the next', () => {
    const of = (one: string) => keyOf(ring, 'signIn', 'address', { address: one })?.everywhere()
    expect(of('2001:db8::ffff:1')).toBe(of(address))
    expect(of('2001:db8:0:1::1')).not.toBe(of(address))
  })

  test('of this process’s memory is one for a whole /64 as well, and holds no token', () => {
    const of = (one: string) => keyOf(ring, 'refresh', 'address', { address: one })?.here
    expect(of('2001:db8::ffff:1')).toBe(of(address))
    expect(of('2001:db8:0:1::1')).not.toBe(of(address))
    const token = (subject: string) => keyOf(ring, 'refresh', 'subject', { address, subject })?.here
    expect(token('sprt_secret')).toBe(token('sprt_secret'))
    expect(token('sprt_secret')).not.toBe(token('sprt_other'))
    expect(token('sprt_secret')).not.toContain('secret')
  })

  test('differs by what is limited, by layer and by subject, and shows none of them but the first two', () => {
    const keys = [
      keyOf(ring, 'signIn', 'address', { address, subject: 'a@b.c' }),
      keyOf(ring, 'signIn', 'subject', { address, subject: 'a@b.c' }),
      keyOf(ring, 'signIn', 'both', { address, subject: 'a@b.c' }),
      keyOf(ring, 'reset', 'subject', { address, subject: 'a@b.c' }),
      keyOf(ring, 'signIn', 'subject', { address, subject: 'a@b.d' }),
    ].map((key) => key?.everywhere())
    expect(new Set(keys).size).toBe(5)
    expect(keys.join()).not.toMatch(/a@b|2001/)
    expect(Math.max(...keys.map((key) => key?.length ?? 0))).toBeLessThan(64)
  })

  test('is none where the request has not what it counts by', () => {
    expect(keyOf(ring, 'signIn', 'address', { subject: 'x' })).toBeUndefined()
    expect(keyOf(ring, 'signIn', 'subject', { address, subject: '' })).toBeUndefined()
    expect(keyOf(ring, 'signIn', 'both', { address })).toBeUndefined()
  })
})
