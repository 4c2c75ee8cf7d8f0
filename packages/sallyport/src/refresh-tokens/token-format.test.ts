import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FamilyId, TenantId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { formatRefreshToken, hashRefreshToken, parseRefreshToken } from './token-format.ts'

const secret = () => randomBytes(32).toString('base64url')
const ring = secretRing([secret()])
const token = (generation = 7) => ({ tenantId: newId<TenantId>(), familyId: newId<FamilyId>(), generation })
const made = () => formatRefreshToken(ring.signing, token(), randomBytes(32))

describe('a refresh token', () => {
  test('is read back as it was made', () => {
    for (const generation of [0, 1, 255, 65_536, 0x7fffffff]) {
      const given = token(generation)
      const raw = formatRefreshToken(ring.signing, given, randomBytes(32))
      expect(parseRefreshToken(ring, raw)).toEqual({ raw, hash: hashRefreshToken(raw), ...given })
    }
  })

  test('is recognisable to a scanner, and holds 256 random bits', () => {
    expect(made()).toMatch(/^sprt_[A-Za-z0-9_-]{120}$/)
    const given = token()
    const [zeros, ones] = [new Uint8Array(32), new Uint8Array(32).fill(255)].map((bytes) =>
      Buffer.from(formatRefreshToken(ring.signing, given, bytes).slice(5), 'base64url'),
    )
    expect(zeros?.subarray(42, 74)).toEqual(Buffer.alloc(32, 0))
    expect(ones?.subarray(42, 74)).toEqual(Buffer.alloc(32, 255))
  })

  test('with any one byte changed, by whatever, is refused', () => {
    const raw = made()
    const bytes = Buffer.from(raw.slice(5), 'base64url')
    expect(bytes).toHaveLength(90)
    for (let index = 0; index < bytes.length; index++) {
      for (const flip of [1, 0x80, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[index] = (changed[index] ?? 0) ^ flip
        expect(parseRefreshToken(ring, `sprt_${changed.toString('base64url')}`), `byte ${index}`).toBeUndefined()
      }
    }
  })

  test('has one spelling: nothing before, after or between, and no other alphabet', () => {
    const raw = made()
    const others = [
      ` ${raw}`,
      `${raw} `,
      `${raw}\n`,
      `${raw}=`,
      raw.toUpperCase(),
      raw.replace('sprt_', 'SPRT_'),
      raw.slice(5),
      `${raw.slice(0, -1)}`,
      `${raw.slice(0, 60)}\u0000${raw.slice(61)}`,
      `${raw.slice(0, 60)}+${raw.slice(61)}`,
      `${raw}${raw}`,
    ]
    for (const other of others) expect(parseRefreshToken(ring, other)).toBeUndefined()
  })

  test('is nothing but a string', () => {
    for (const input of [undefined, null, 1, true, {}, [made()], Buffer.from(made()), new String(made())]) {
      expect(parseRefreshToken(ring, input)).toBeUndefined()
    }
  })

  test('under another ring’s secret is refused, also where it names a key of ours', () => {
    const stranger = secretRing([secret()])
    expect(parseRefreshToken(stranger, made())).toBeUndefined()
    const forged = Buffer.from(formatRefreshToken(stranger.signing, token(), randomBytes(32)).slice(5), 'base64url')
    ring.signing.id.copy(forged, 1)
    expect(parseRefreshToken(ring, `sprt_${forged.toString('base64url')}`)).toBeUndefined()
  })

  test('of a key that is only accepted is read, and of one that was removed is not', () => {
    const [old, next] = [secret(), secret()]
    const made = (entries: string[]) => formatRefreshToken(secretRing(entries).signing, token(), randomBytes(32))
    const underNew = made([next, old])
    const underOld = made([`accept:${next}`, old])
    expect(parseRefreshToken(secretRing([`accept:${next}`, old]), underNew)).toBeDefined()
    expect(parseRefreshToken(secretRing([next, old]), underOld)).toBeDefined()
    expect(parseRefreshToken(secretRing([next]), underOld)).toBeUndefined()
    expect(parseRefreshToken(secretRing([old]), underNew)).toBeUndefined()
  })

  test('is stored as its SHA-256', () => {
    const raw = made()
    expect(hashRefreshToken(raw)).toEqual(createHash('sha256').update(raw).digest())
  })

  test('of a family with too many generations is not made', () => {
    expect(() => formatRefreshToken(ring.signing, token(0x80000000), randomBytes(32))).toThrow(RangeError)
  })
})
