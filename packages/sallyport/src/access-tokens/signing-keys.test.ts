import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { beforeEach, describe, expect, test } from 'vitest'
import type { AuditRow } from '../audit/record.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import { keyStoreContract } from '../store/conformance/keys.ts'
import type { KeyStore, NewSigningKey, SigningKeyFacts, SigningKeyRow } from '../store/contract/keys.ts'
import { jwks } from './jwks.ts'
import { loadSigningKeys } from './load-signing-keys.ts'
import { resealSigningKeys } from './reseal-signing-keys.ts'
import { retryOnUnknownKey } from './retry-on-unknown-key.ts'
import { revokeSigningKey } from './revoke-signing-key.ts'
import { rotateSigningKey } from './rotate-signing-key.ts'
import { signAccessToken } from './sign.ts'
import type { SigningKeys } from './signing-keys.ts'
import { verifyAccessToken } from './verify.ts'

const TTL_MS = 600_000
const settings = { issuer: 'https://auth.example', audience: 'https://api.example', ttlMs: TTL_MS }
const secret = () => randomBytes(32).toString('base64url')
const subject = {
  userId: newId<UserId>(),
  staffId: newId<StaffId>(),
  tenantId: newId<TenantId>(),
  sessionId: newId<SessionId>(),
  sessionVersion: 1,
  generation: 0,
  authTime: new Date('2026-05-04T11:00:00Z'),
  amr: ['pwd'],
  acr: 'aal1',
  sessionEndsAt: new Date('2030-01-01T00:00:00Z'),
}

/** The port in an array: each operation runs without a pause in it, and so is atomic. */
class FakeKeys implements KeyStore {
  rows: SigningKeyRow[] = []
  readonly changes: string[] = []
  readonly audited: AuditRow[] = []
  now: () => Date
  lists = 0
  failing = false
  /** Set to hold every list back after it has read. */
  gate: Promise<void> | undefined

  constructor(now: () => Date) {
    this.now = now
  }

  async list() {
    this.lists++
    if (this.failing) throw new Error('the database is away')
    const list = { keys: [...this.rows], now: this.now() }
    await this.gate
    return list
  }

  async create(
    { active, next }: Parameters<KeyStore['create']>[0],
    audit: Parameters<KeyStore['create']>[1],
  ): Promise<boolean> {
    await Promise.resolve()
    if (this.#in('active')) return false
    this.#commit(
      [this.#row(active, 'active'), this.#row(next, 'next')],
      { change: 'created', kid: active.kid, was: null, retired: null, activated: active.kid, next: next.kid },
      audit,
    )
    return true
  }

  async rotate(
    { active, promoted, next }: Parameters<KeyStore['rotate']>[0],
    audit: Parameters<KeyStore['rotate']>[1],
  ): Promise<boolean> {
    await Promise.resolve()
    if (this.#in('active')?.kid !== active || this.#in('next')?.kid !== promoted) return false
    const at = this.now()
    const rows = this.rows.map((row) =>
      row.kid === active
        ? { ...row, state: 'retired' as const, retiredAt: at, sealedPrivateKey: null }
        : row.kid === promoted
          ? { ...row, state: 'active' as const, activatedAt: at }
          : row,
    )
    this.#commit(
      [...rows, this.#row(next, 'next')],
      { change: 'rotated', kid: promoted, was: 'next', retired: active, activated: promoted, next: next.kid },
      audit,
    )
    return true
  }

  async revoke(
    { kid, next }: Parameters<KeyStore['revoke']>[0],
    audit: Parameters<KeyStore['revoke']>[1],
  ): ReturnType<KeyStore['revoke']> {
    await Promise.resolve()
    const was = this.rows.find((row) => row.kid === kid)?.state
    if (was === undefined) return { kind: 'unknown' }
    if (was === 'revoked') return { kind: 'already-revoked' }
    const at = this.now()
    const rows = this.rows.map((row) =>
      row.kid === kid
        ? { ...row, state: 'revoked' as const, revokedAt: at, sealedPrivateKey: null }
        : row.state === 'next' && was === 'active'
          ? { ...row, state: 'active' as const, activatedAt: at }
          : row,
    )
    const replaced = was !== 'retired'
    this.#commit(
      replaced ? [...rows, this.#row(next, 'next')] : rows,
      {
        change: 'revoked',
        kid,
        was,
        retired: was === 'active' ? kid : null,
        activated: was === 'active' ? (this.#in('next')?.kid ?? null) : null,
        next: replaced ? next.kid : null,
      },
      audit,
    )
    return { kind: 'revoked', was }
  }

  async reseal(
    { kid, from, to }: Parameters<KeyStore['reseal']>[0],
    audit: Parameters<KeyStore['reseal']>[1],
  ): Promise<boolean> {
    await Promise.resolve()
    const row = this.rows.find((each) => each.kid === kid && each.sealedPrivateKey === from)
    if (!row) return false
    this.#commit(
      this.rows.map((each) => (each === row ? { ...each, sealedPrivateKey: to } : each)),
      { change: 'resealed', kid, was: row.state, retired: null, activated: null, next: null },
      audit,
    )
    return true
  }

  #in(state: SigningKeyRow['state']): SigningKeyRow | undefined {
    return this.rows.find((row) => row.state === state)
  }

  #row(key: NewSigningKey, state: 'active' | 'next'): SigningKeyRow {
    const at = this.now()
    const activatedAt = state === 'active' ? at : null
    return { ...key, state, createdAt: at, activatedAt, retiredAt: null, revokedAt: null }
  }

  #commit(rows: SigningKeyRow[], facts: SigningKeyFacts, audit: Parameters<KeyStore['rotate']>[1]): void {
    this.audited.push(...audit(facts, this.now()))
    this.changes.push(facts.kid)
    this.rows = rows
  }
}

describe('the fake that these tests stand on keeps the contract', () => {
  keyStoreContract(test, async () => {
    const keys = new FakeKeys(() => new Date())
    return {
      keys,
      written: async () => ({
        changes: [...keys.changes],
        audited: keys.audited.map(({ resourceId }) => resourceId ?? ''),
      }),
    }
  })
})

let clock: number
let store: FakeKeys
let text: string
const now = () => new Date(clock)
const start = (entries: readonly string[] = [text], of: KeyStore = store) =>
  loadSigningKeys({ store: of, secrets: secretRing(entries), now, accessTtlMs: TTL_MS })
const depsOf = (keys: SigningKeys) => ({ store, secrets: secretRing([text]), keys })
const rotate = (keys: SigningKeys) => rotateSigningKey(depsOf(keys), { minPublishedMs: 0, origin: {} })
const tokenOf = async (keys: SigningKeys) => (await signAccessToken(keys, settings, subject, now())).token
const verify = (keys: SigningKeys, token: string) => verifyAccessToken(keys, settings, token, now())
const published = (keys: SigningKeys) => jwks(keys).keys.map(({ kid }) => kid)
const turn = () => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  clock = Date.parse('2026-05-04T12:00:00.000Z')
  store = new FakeKeys(now)
  text = secret()
})

describe('starting', () => {
  test('makes one active and one next key, recorded in the service’s own log', async () => {
    const keys = await start()
    expect(store.rows.map(({ state }) => state)).toEqual(['active', 'next'])
    expect(keys.signing.kid).toBe(store.rows[0]?.kid)
    expect(store.audited).toMatchObject([
      {
        tenantId: null,
        action: 'SIGNING_KEY_ROTATED',
        outcome: 'SUCCESS',
        resource: 'signing_key',
        resourceId: keys.signing.kid,
        newValue: { retired: null, activated: keys.signing.kid, next: store.rows[1]?.kid },
        metadata: { change: 'created' },
      },
    ])
    expect(store.changes).toEqual([keys.signing.kid])
  })

  test('three nodes at once on an empty database end up with the same keys', async () => {
    const nodes = await Promise.all([start(), start(), start()])
    expect(store.rows).toHaveLength(2)
    expect(new Set(nodes.map((keys) => keys.signing.kid)).size).toBe(1)
    const [first, ...others] = nodes
    const token = await tokenOf(first)
    for (const keys of others) expect(verify(keys, token).kind).toBe('valid')
  })

  test('a second start takes the keys that there are', async () => {
    const first = await start()
    const second = await start()
    expect(second.signing.kid).toBe(first.signing.kid)
    expect(store.changes).toHaveLength(1)
    expect(second.activatedAt).toEqual(first.activatedAt)
  })

  test('refuses with secrets that do not open the keys', async () => {
    await start()
    await expect(start([secret()])).rejects.toMatchObject({ code: 'INTERNAL' })
  })

  test('refuses a row whose public or private key is another’s', async () => {
    await start()
    const other = new FakeKeys(now)
    await start([text], other)
    const [mine, theirs] = [store.rows[0], other.rows[0]]
    if (!mine || !theirs) throw new Error('no keys')
    store.rows[0] = { ...mine, publicJwk: theirs.publicJwk }
    await expect(start()).rejects.toThrow(TypeError)
    // Sealed for its own row, it does not even open in this one.
    store.rows[0] = { ...mine, sealedPrivateKey: theirs.sealedPrivateKey }
    await expect(start()).rejects.toMatchObject({ code: 'INTERNAL' })
  })

  test('reads no key whose window has closed: what is long past cannot stop a start', async () => {
    const keys = await start()
    const retired = keys.signing.kid
    await rotate(keys)
    clock += TTL_MS + 30_000
    store.rows = store.rows.map((row) => (row.kid === retired ? { ...row, publicJwk: {} } : row))
    expect((await start()).signing.kid).toBe(keys.signing.kid)
  })

  test('stores no private key that can be read', async () => {
    await start()
    for (const { kid, publicJwk, sealedPrivateKey } of store.rows) {
      expect(sealedPrivateKey).toMatch(/^v1\./)
      expect(Object.keys(publicJwk)).toEqual(['crv', 'kty', 'x'])
      expect(kid).toHaveLength(43)
    }
    expect(JSON.stringify(store.audited)).not.toContain('v1.')
  })
})

describe('the published set', () => {
  test.each(['EdDSA', 'ES256'] as const)('holds public members alone: %s', async (algorithm) => {
    const keys = await loadSigningKeys({ store, secrets: secretRing([text]), now, accessTtlMs: TTL_MS }, { algorithm })
    const members = algorithm === 'EdDSA' ? ['crv', 'kty', 'x'] : ['crv', 'kty', 'x', 'y']
    for (const jwk of jwks(keys).keys) {
      expect(Object.keys(jwk).sort()).toEqual(['alg', 'use', 'kid', ...members].sort())
      expect(jwk).toMatchObject({ use: 'sig', alg: algorithm })
    }
    expect(published(keys)).toEqual(store.rows.map(({ kid }) => kid))
  })

  test('a stored private member is not published', async () => {
    await start()
    const [row] = store.rows
    if (!row) throw new Error('no key')
    store.rows[0] = { ...row, publicJwk: { ...row.publicJwk, d: 'leaked' } }
    expect(JSON.stringify(jwks(await start()))).not.toContain('leaked')
  })
})

describe('a rotation', () => {
  test('signs with the key that was published before, and publishes the one to come', async () => {
    const keys = await start()
    const before = published(keys)
    const outcome = await rotate(keys)
    expect(outcome).toEqual({
      kind: 'rotated',
      retired: before[0],
      active: before[1],
      next: expect.any(String) as string,
    })
    expect(keys.signing.kid).toBe(before[1])
    expect(published(keys)).toEqual([...before, outcome.kind === 'rotated' ? outcome.next : ''])
    expect(store.changes).toEqual([before[0], before[1]])
    expect(store.audited.at(-1)).toMatchObject({
      resourceId: before[1],
      oldValue: { state: 'next' },
      newValue: { retired: before[0], activated: before[1] },
      metadata: { change: 'rotated' },
    })
  })

  test('a node that has not heard verifies what the new key signs, and signs what the others verify', async () => {
    const [keys, behind] = [await start(), await start()]
    await rotate(keys)
    expect(verify(behind, await tokenOf(keys)).kind).toBe('valid')
    expect(verify(keys, await tokenOf(behind)).kind).toBe('valid')
    await behind.reload()
    expect(behind.signing.kid).toBe(keys.signing.kid)
  })

  test('the retired key verifies until its last token has expired, and no longer', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    const retired = keys.signing.kid
    await rotate(keys)
    clock += TTL_MS + 29_999
    for (const ring of [keys, await start()]) {
      expect(verify(ring, token).kind).toBe('valid')
      expect(published(ring)).toContain(retired)
    }
    clock += 1
    for (const ring of [keys, await start()]) {
      expect(verify(ring, token)).toEqual({ kind: 'invalid', reason: 'unknown-key' })
      expect(published(ring)).not.toContain(retired)
    }
  })

  test('the retired key’s window is measured by the database’s clock', async () => {
    const keys = await start()
    const retired = keys.signing.kid
    await rotate(keys)
    // The database is a minute ahead, so by its clock more of the window has gone than by this node's.
    store.now = () => new Date(clock + 60_000)
    clock += TTL_MS + 30_000 - 60_000 - 1
    await keys.reload()
    expect(published(keys)).toContain(retired)
    clock += 1
    expect(published(keys)).not.toContain(retired)
  })

  test('waits until the next key has been published for long enough, and the active one has signed for long enough', async () => {
    const keys = await start()
    const created = clock
    const due = (minActiveMs?: number) =>
      rotateSigningKey(depsOf(keys), { origin: {}, ...(minActiveMs !== undefined && { minActiveMs }) })
    expect(await due()).toEqual({ kind: 'not-due', notBefore: new Date(created + 600_000) })
    expect(await due(3_600_000)).toEqual({ kind: 'not-due', notBefore: new Date(created + 3_600_000) })
    clock += 600_000
    expect((await due()).kind).toBe('rotated')
    expect(store.changes).toHaveLength(2)
  })

  test('of two nodes at once one rotates, and both follow', async () => {
    const [one, two] = [await start(), await start()]
    const outcomes = await Promise.all([rotate(one), rotate(two)])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['rotated', 'superseded'])
    expect(one.signing.kid).toBe(two.signing.kid)
    expect(store.rows.filter(({ state }) => state === 'retired')).toHaveLength(1)
  })

  test('changes the algorithm by way of the next key', async () => {
    const keys = await start()
    await rotateSigningKey(depsOf(keys), { minPublishedMs: 0, algorithm: 'ES256', origin: {} })
    expect(keys.signing.alg).toBe('EdDSA')
    await rotate(keys)
    expect(keys.signing.alg).toBe('ES256')
    expect(verify(keys, await tokenOf(keys)).kind).toBe('valid')
  })
})

describe('a revocation', () => {
  const revoke = (keys: SigningKeys, kid: string) => revokeSigningKey(depsOf(keys), { kid, origin: {} })

  test('of the active key refuses its tokens at once and goes on signing with the next', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    const [leaked, next] = published(keys)
    expect(await revoke(keys, leaked ?? '')).toEqual({ kind: 'revoked', was: 'active' })
    expect(verify(keys, token)).toEqual({ kind: 'invalid', reason: 'unknown-key' })
    expect(keys.signing.kid).toBe(next)
    expect(published(keys)).not.toContain(leaked)
    expect(published(keys)).toHaveLength(2)
    expect(verify(keys, await tokenOf(keys)).kind).toBe('valid')
    expect(store.audited.at(-1)).toMatchObject({ resourceId: leaked, metadata: { change: 'revoked' } })
  })

  test('keeps to the algorithm that is in use', async () => {
    const keys = await loadSigningKeys(
      { store, secrets: secretRing([text]), now, accessTtlMs: TTL_MS },
      { algorithm: 'ES256' },
    )
    await revoke(keys, keys.signing.kid)
    expect(keys.published().map(({ alg }) => alg)).toEqual(['ES256', 'ES256'])
  })

  test('reaches another node with its next reload', async () => {
    const [keys, other] = [await start(), await start()]
    const token = await tokenOf(other)
    await revoke(keys, keys.signing.kid)
    expect(store.changes.at(-1)).toBe(other.signing.kid)
    await other.reload()
    expect(verify(other, token).kind).toBe('invalid')
  })

  test('of a retired key ends its window', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    const retired = keys.signing.kid
    await rotate(keys)
    expect(await revoke(keys, retired)).toEqual({ kind: 'revoked', was: 'retired' })
    expect(verify(keys, token).kind).toBe('invalid')
  })

  test('of the next key publishes another', async () => {
    const keys = await start()
    const [active, next] = published(keys)
    expect(await revoke(keys, next ?? '')).toEqual({ kind: 'revoked', was: 'next' })
    expect(keys.signing.kid).toBe(active)
    expect(published(keys)).not.toContain(next)
  })

  test('repeated, or of a key that there is not, changes nothing', async () => {
    const keys = await start()
    const leaked = keys.signing.kid
    await revoke(keys, leaked)
    const before = store.changes.length
    expect(await revoke(keys, leaked)).toEqual({ kind: 'already-revoked' })
    expect(await revoke(keys, 'nobody')).toEqual({ kind: 'unknown' })
    expect(store.changes).toHaveLength(before)
  })
})

describe('reloading', () => {
  test('takes over a read that began after the call, not one that was under way', async () => {
    const [keys, other] = [await start(), await start()]
    let release = (): void => undefined
    store.gate = new Promise((resolve) => {
      release = resolve
    })
    const early = keys.reload()
    await turn()
    // Changed after the first read has looked.
    const gate = store.gate
    store.gate = undefined
    const leaked = other.signing.kid
    await revokeSigningKey(depsOf(other), { kid: leaked, origin: {} })
    const late = [keys.reload(), keys.reload(), keys.reload()]
    const lists = store.lists
    release()
    await Promise.all([gate, early, ...late])
    expect(keys.signing.kid).not.toBe(leaked)
    expect(keys.find(leaked)).toBeUndefined()
    // The three shared one read.
    expect(store.lists - lists).toBe(1)
  })

  test('that fails refuses everything until one succeeds, and tries again by itself when it is used', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    store.failing = true
    await expect(keys.reload()).rejects.toThrow()
    for (const use of [() => keys.signing, () => verify(keys, token), () => jwks(keys), () => keys.activatedAt]) {
      expect(use).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }) as Error)
    }
    await turn()
    store.failing = false
    clock += 999
    expect(() => keys.signing).toThrow()
    await turn()
    expect(() => keys.signing).toThrow()
    clock += 1
    expect(() => keys.signing).toThrow()
    await turn()
    expect(verify(keys, token).kind).toBe('valid')
  })

  test('a node that was told to refuse does so until a read that began afterwards', async () => {
    const keys = await start()
    let release = (): void => undefined
    store.gate = new Promise((resolve) => {
      release = resolve
    })
    const early = keys.reload()
    keys.refuseUntilReloaded()
    release()
    await early
    expect(() => keys.signing).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }) as Error)
    store.gate = undefined
    await keys.reload()
    expect(keys.signing.kid).toBe(store.rows[0]?.kid)
  })

  test('without an active key refuses', async () => {
    const keys = await start()
    store.rows = store.rows.filter(({ state }) => state !== 'active')
    await expect(keys.reload()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(() => keys.signing).toThrow()
  })
})

describe('a token of an unknown key', () => {
  test('is verified after one reload, when the key has come meanwhile', async () => {
    const [keys, behind] = [await start(), await start()]
    await rotate(keys)
    await rotate(keys)
    const token = await tokenOf(keys)
    expect(verify(behind, token)).toEqual({ kind: 'invalid', reason: 'unknown-key' })
    expect((await retryOnUnknownKey(behind, () => verify(behind, token))).kind).toBe('valid')
  })

  test('costs the database one read a second, however many come', async () => {
    const keys = await start()
    const stranger = await start([text], new FakeKeys(now))
    const token = await tokenOf(stranger)
    const flood = () =>
      Promise.all(Array.from({ length: 50 }, () => retryOnUnknownKey(keys, () => verify(keys, token))))
    const before = store.lists
    for (const outcome of await flood()) expect(outcome.kind).toBe('invalid')
    await flood()
    clock += 999
    await flood()
    expect(store.lists - before).toBe(1)
    clock += 1
    await flood()
    expect(store.lists - before).toBe(2)
    // A clock that was set back is no reason to wait for it.
    clock -= 3_600_000
    await flood()
    expect(store.lists - before).toBe(3)
  })

  test('does no harm when the database is away: known keys go on', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    const strange = await tokenOf(await start([text], new FakeKeys(now)))
    store.failing = true
    expect(await retryOnUnknownKey(keys, () => verify(keys, strange))).toEqual({
      kind: 'invalid',
      reason: 'unknown-key',
    })
    expect(verify(keys, token).kind).toBe('valid')
  })

  test('other refusals ask for nothing', async () => {
    const keys = await start()
    const token = await tokenOf(keys)
    const before = store.lists
    await retryOnUnknownKey(keys, () => verify(keys, `${token.slice(0, -8)}AAAAAAAA`))
    await retryOnUnknownKey(keys, () => verify(keys, 'garbage'))
    await retryOnUnknownKey(keys, () => verify(keys, token))
    expect(store.lists).toBe(before)
  })
})

describe('replacing the secret that seals the keys', () => {
  test('leaves them readable by the new one alone, once', async () => {
    await start()
    const fresh = secret()
    const both = secretRing([fresh, text])
    await expect(start([fresh])).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await resealSigningKeys({ store, secrets: both }, {})).toBe(2)
    expect(await resealSigningKeys({ store, secrets: both }, {})).toBe(0)
    const keys = await start([fresh])
    expect(verify(keys, await tokenOf(keys)).kind).toBe('valid')
    await expect(start()).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(store.audited.at(-1)).toMatchObject({ metadata: { change: 'resealed' } })
  })
})

test('neither the ring nor a key prints its bytes', async () => {
  const keys = await start()
  for (const value of [keys, keys.signing, { keys }]) {
    const printed = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value)
    expect(printed).not.toMatch(/private|KeyObject|Map\(/i)
    expect(printed.length).toBeLessThan(300)
  }
})
