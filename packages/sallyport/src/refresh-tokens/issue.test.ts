import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { TenantId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { deriveAgain, issueFirst, issueSuccessor } from './issue.ts'
import type { ParsedToken } from './token-format.ts'
import { hashRefreshToken, parseRefreshToken } from './token-format.ts'

const secret = () => randomBytes(32).toString('base64url')
const SECRET = secret()
const deps = { secrets: secretRing([SECRET]) }
const request = { correlationId: 'test', ipAddress: '192.0.2.7', userAgent: 'curl/8' }

function parse(raw: string, ring = deps.secrets): ParsedToken {
  const parsed = parseRefreshToken(ring, raw)
  if (parsed === undefined) throw new TypeError('not a token')
  return parsed
}

function first(): ParsedToken {
  return parse(issueFirst(deps, { tenantId: newId<TenantId>(), request }).raw)
}

describe('the first token of a family', () => {
  test('is random, of generation 0, and stored as its hash alone', () => {
    const tenantId = newId<TenantId>()
    const [one, two] = [issueFirst(deps, { tenantId, request }), issueFirst(deps, { tenantId, request })]
    const parsed = parse(one.raw)
    expect([parsed.tenantId, parsed.familyId, parsed.generation]).toEqual([tenantId, one.familyId, 0])
    expect(one.stored).toMatchObject({ nonce: null, ipAddress: '192.0.2.7', userAgent: 'curl/8' })
    expect(one.stored.tokenHash).toEqual(hashRefreshToken(one.raw))
    expect(JSON.stringify(one.stored)).not.toContain(one.raw.slice(70))
    const secrets = [one, two].map(({ raw }) => Buffer.from(raw.slice(5), 'base64url').toString('hex', 42, 74))
    expect(secrets[0]).not.toBe(secrets[1])
  })
})

describe('a successor', () => {
  test('is of the same tenant and family, one generation on', () => {
    const parent = first()
    const next = parse(issueSuccessor(deps, parent, request).raw)
    expect([next.tenantId, next.familyId, next.generation]).toEqual([parent.tenantId, parent.familyId, 1])
  })

  test('is derived again from its parent, its row and the secret', () => {
    const parent = first()
    const { raw, stored } = issueSuccessor(deps, parent, request)
    expect(deriveAgain(deps, parent, stored)).toBe(raw)
    expect(deriveAgain({ secrets: secretRing([SECRET]) }, parent, stored)).toBe(raw)
  })

  test('is another one each time, by its nonce', () => {
    const parent = first()
    const [one, two] = [issueSuccessor(deps, parent, request), issueSuccessor(deps, parent, request)]
    expect(one.raw).not.toBe(two.raw)
    expect(deriveAgain(deps, parent, { ...one.stored, nonce: two.stored.nonce })).toBeUndefined()
  })

  test('is not derived from another parent, of another family or of another generation', () => {
    const parent = first()
    const { stored } = issueSuccessor(deps, parent, request)
    expect(deriveAgain(deps, first(), stored)).toBeUndefined()
    expect(deriveAgain(deps, { ...parent, raw: first().raw }, stored)).toBeUndefined()
    expect(deriveAgain(deps, { ...parent, generation: 1 }, stored)).toBeUndefined()
  })

  test('is not derived once its nonce is erased', () => {
    const parent = first()
    const { stored } = issueSuccessor(deps, parent, request)
    expect(deriveAgain(deps, parent, { ...stored, nonce: null })).toBeUndefined()
  })

  test('is not derived under another secret, whatever its row says', () => {
    const parent = first()
    const { stored } = issueSuccessor(deps, parent, request)
    const stranger = { secrets: secretRing([secret()]) }
    expect(deriveAgain(stranger, parent, stored)).toBeUndefined()
    expect(deriveAgain(stranger, parent, { ...stored, secretId: stranger.secrets.signing.idHex })).toBeUndefined()
  })

  test('is not derived without the rotation secret, though everything else be the same', () => {
    const parent = first()
    const { stored } = issueSuccessor(deps, parent, request)
    const { id, idHex, mac } = deps.secrets.signing
    const halfKnown = { id, idHex, mac, rotation: Buffer.alloc(0) }
    const stub = { secrets: { signing: halfKnown, find: () => halfKnown } } as unknown as typeof deps
    expect(deriveAgain(stub, parent, stored)).toBeUndefined()
    expect(deriveAgain(deps, parent, stored)).toBeDefined()
  })

  test('is derived under the secret that made it, after a newer one signs', () => {
    const parent = first()
    const { raw, stored } = issueSuccessor(deps, parent, request)
    const rotated = { secrets: secretRing([secret(), SECRET]) }
    expect(deriveAgain(rotated, parse(parent.raw, rotated.secrets), stored)).toBe(raw)
  })

  test('cannot be told from the table: what is stored derives nothing without the raw parent', () => {
    const parent = first()
    const { raw, stored } = issueSuccessor(deps, parent, request)
    // All that a thief of the table has in the parent's place: its hash, in the spellings that it might be kept in.
    for (const guess of [
      parent.hash.toString('hex'),
      parent.hash.toString('base64url'),
      parent.hash.toString('latin1'),
    ]) {
      expect(deriveAgain(deps, { ...parent, raw: guess }, stored)).toBeUndefined()
    }
    const bytes = Buffer.from(raw.slice(5), 'base64url').subarray(42, 74)
    for (const value of [stored.tokenHash, stored.nonce ?? new Uint8Array()]) {
      expect(Buffer.from(value).includes(bytes.subarray(0, 8))).toBe(false)
    }
  })
})
