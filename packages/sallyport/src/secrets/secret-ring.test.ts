import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { SallyportError } from '../errors.ts'
import { SecretKey, secretRing } from './secret-ring.ts'

const secret = () => randomBytes(32).toString('base64url')

function refusal(entries: readonly string[]): SallyportError {
  try {
    secretRing(entries)
  } catch (error) {
    if (error instanceof SallyportError) return error
    throw error
  }
  throw new Error('the ring was accepted')
}

describe('the ring', () => {
  test('signs with the first entry that is not only accepted, and finds all', () => {
    const [fresh, old] = [secret(), secret()]
    const before = secretRing([old])
    const first = secretRing([`accept:${fresh}`, old])
    const second = secretRing([fresh, old])
    expect(first.signing.idHex).toBe(before.signing.idHex)
    expect(second.signing.idHex).not.toBe(before.signing.idHex)
    // What any of the three deployments makes, the others beside it accept.
    for (const ring of [first, second]) {
      for (const made of [first.signing, second.signing]) {
        expect(ring.find(made.idHex)?.mac.equals(made.mac)).toBe(true)
        expect(ring.findById(made.id)?.rotation.equals(made.rotation)).toBe(true)
      }
    }
    expect(secretRing([fresh]).find(before.signing.idHex)).toBeUndefined()
    expect(second.keys.map(({ idHex }) => idHex)).toEqual([second.signing.idHex, before.signing.idHex])
  })

  test('finds a key by the bytes of its id at an offset, and none by others', () => {
    const ring = secretRing([secret(), secret()])
    const [, older] = ring.keys
    const within = Buffer.concat([Buffer.alloc(3), older?.id ?? Buffer.alloc(0), Buffer.alloc(2)])
    expect(ring.findById(within, 3)).toBe(older)
    expect(ring.findById(within)).toBeUndefined()
    expect(ring.findById(within, within.length - 2)).toBeUndefined()
  })

  test('derives the same keys on every node, and a different one for each purpose', () => {
    const text = secret()
    const [a, b] = [secretRing([text]).signing, secretRing([text]).signing]
    const keys = [a.mac, a.rotation, a.encryption, a.pepper].map((key) => key.toString('hex'))
    expect(keys).toEqual([b.mac, b.rotation, b.encryption, b.pepper].map((key) => key.toString('hex')))
    expect(new Set([...keys, Buffer.from(text, 'base64url').toString('hex')]).size).toBe(5)
    expect(a.idHex).toMatch(/^[0-9a-f]{10}$/)
  })

  test('derives what it always derived: what is stored stays readable', () => {
    const key = new SecretKey(Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex'))
    expect({
      id: key.idHex,
      mac: key.mac.toString('hex'),
      rotation: key.rotation.toString('hex'),
      encryption: key.encryption.toString('hex'),
      pepper: key.pepper.toString('hex'),
    }).toMatchInlineSnapshot(`
      {
        "encryption": "f635f7e28931ba3c3799fcb1bde18813e63e6a514f5e93fb81e62e9661d4a957",
        "id": "f6cdccd20e",
        "mac": "177059d9d074515163278fe45a887e560aacdeed346fec9c2821a25c75d411ea",
        "pepper": "64b3565825180b15453f122e855fb7c6ca6f78d78e4f9e03015503127f3bcc0f",
        "rotation": "5cda865509572ab3ca9456413523cfb3d54247f6de19283509a8deedcc17df98",
      }
    `)
  })
})

describe('an entry is refused by its position and rule when it', () => {
  const good = secret()
  test.each([
    ['is short', randomBytes(31).toString('base64url'), 'at least 32 bytes'],
    ['is empty', '', 'base64url'],
    ['is empty behind the prefix', 'accept:', 'base64url'],
    ['is standard base64', `${'+/'.repeat(22)}`, 'base64url'],
    ['is padded', `${good}=`, 'base64url'],
    ['has white space', ` ${good}`, 'base64url'],
    ['is not canonical', `${'A'.repeat(42)}B`, 'base64url'],
    ['repeats change-me', 'change-me-'.repeat(6), 'placeholder'],
    ['encodes change-me', Buffer.from('change-me-'.repeat(6)).toString('base64url'), 'placeholder'],
    ['is a sentence', Buffer.from('it was a dark and stormy night, and so on').toString('base64url'), 'placeholder'],
    ['has all bytes zero', Buffer.alloc(32).toString('base64url'), 'placeholder'],
    ['has all bytes equal', Buffer.alloc(48, 0xa7).toString('base64url'), 'placeholder'],
    ['counts up', Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64url'), 'placeholder'],
    ['repeats a block', Buffer.alloc(32, randomBytes(8)).toString('base64url'), 'placeholder'],
    ['is a duplicate', good, 'differ from entry 1'],
    ['is a duplicate that is only accepted', `accept:${good}`, 'differ from entry 1'],
  ])('%s', (_, entry, rule) => {
    const error = refusal([good, entry])
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('entry 2 ')
    expect(error.message).toContain(rule)
    expect(error.facts).toEqual({ field: 'secrets', position: 2 })
    if (entry.length > 8) expect(error.message).not.toContain(entry)
  })

  test('a ring without an entry that signs is refused', () => {
    expect(refusal([]).code).toBe('CONFIG_INVALID')
    expect(refusal([`accept:${good}`]).code).toBe('CONFIG_INVALID')
  })
})

test('neither the ring nor a key prints its bytes', () => {
  const text = secret()
  const ring = secretRing([text])
  const printed = [ring, ring.signing, { ring }].flatMap((value) => [
    inspect(value, { depth: 9, showHidden: true }),
    JSON.stringify(value),
    `${value as unknown as string}`,
  ])
  const { mac, rotation, encryption, pepper } = ring.signing
  for (const bytes of [Buffer.from(text, 'base64url'), mac, rotation, encryption, pepper]) {
    for (const form of [bytes.toString('hex'), bytes.toString('base64url'), bytes.toString('hex').slice(0, 8)]) {
      for (const line of printed) expect(line.replaceAll(' ', '')).not.toContain(form)
    }
  }
  expect(JSON.stringify(ring.signing)).toBe('"[secret]"')
  expect(JSON.stringify(ring)).toBe('"[secret]"')
})
