/**
 * What every implementation of the port of signing keys must pass.
 *
 * @module
 */

import { deepEqual, equal, rejects } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { auditRow } from '../../audit/record.ts'
import type { AuditOf } from '../contract/audited.ts'
import type { KeyStore, NewSigningKey, SigningKeyFacts, SigningKeyState } from '../contract/keys.ts'

export interface KeyStoreUnderTest {
  readonly keys: KeyStore
  /** What was written since it was opened, oldest first: refs of the feed's rows of kind `key`, and `resourceId`s of audit rows. */
  written(): Promise<{ readonly changes: readonly string[]; readonly audited: readonly string[] }>
}

/**
 * Registers the cases.
 *
 * @param test The runner's way to register one.
 * @param open Answers a store without keys.
 */
export function keyStoreContract(
  test: (name: string, body: () => Promise<void>) => void,
  open: () => Promise<KeyStoreUnderTest>,
): void {
  test('keys: an empty store lists nothing and tells the time', async () => {
    const { keys } = await open()
    const list = await keys.list()
    deepEqual(list.keys, [])
    equal(list.now instanceof Date, true)
  })

  test('keys: of many that create at once one wins, and all read its keys', async () => {
    const { keys, written } = await open()
    const results = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const pair = { active: newKey(), next: newKey() }
        const won = await keys.create(pair, audit)
        return { pair, won, seen: await states(keys) }
      }),
    )
    const winners = results.filter(({ won }) => won)
    equal(winners.length, 1)
    const { active, next } = winners[0]?.pair ?? { active: newKey(), next: newKey() }
    for (const { seen } of results) deepEqual(seen, { [active.kid]: 'active', [next.kid]: 'next' })
    deepEqual(await written(), { changes: [active.kid], audited: [active.kid] })
  })

  test('keys: a created key is listed as it was given, with its times', async () => {
    const { keys } = await open()
    const active = newKey('ES256')
    await keys.create({ active, next: newKey() }, audit)
    const { keys: rows, now } = await keys.list()
    const row = rows.find(({ kid }) => kid === active.kid)
    if (!row) throw new Error('the key is not listed')
    const { createdAt, activatedAt, ...rest } = row
    deepEqual(rest, { ...active, state: 'active', retiredAt: null, revokedAt: null })
    deepEqual(activatedAt, createdAt)
    equal(Math.abs(now.getTime() - createdAt.getTime()) < 60_000, true)
  })

  test('keys: creating where there is an active key changes nothing', async () => {
    const { keys, written } = await opened(open)
    const before = { rows: await keys.list().then(({ keys: rows }) => rows), written: await written() }
    equal(await keys.create({ active: newKey(), next: newKey() }, audit), false)
    deepEqual({ rows: await keys.list().then(({ keys: rows }) => rows), written: await written() }, before)
  })

  test('keys: a rotation retires, promotes and publishes, and forgets the private part', async () => {
    const { keys, written, active, next } = await opened(open)
    const follower = newKey()
    equal(await keys.rotate({ active, promoted: next, next: follower }, audit), true)
    deepEqual(await states(keys), { [active]: 'retired', [next]: 'active', [follower.kid]: 'next' })
    const { keys: rows } = await keys.list()
    const [retired, promoted] = [active, next].map((kid) => rows.find((row) => row.kid === kid))
    equal(retired?.sealedPrivateKey, null)
    equal(retired?.retiredAt instanceof Date, true)
    equal(typeof promoted?.sealedPrivateKey, 'string')
    deepEqual(promoted?.activatedAt, retired?.retiredAt)
    deepEqual(await written(), { changes: [active, next], audited: [active, next] })
  })

  test('keys: of many that rotate the same keys one wins', async () => {
    const { keys, written, active, next } = await opened(open)
    const won = await Promise.all(
      Array.from({ length: 8 }, () => keys.rotate({ active, promoted: next, next: newKey() }, audit)),
    )
    equal(won.filter(Boolean).length, 1)
    deepEqual(await count(keys), { active: 1, next: 1, retired: 1, revoked: 0 })
    deepEqual(await written(), { changes: [active, next], audited: [active, next] })
  })

  test('keys: a rotation that names other keys than there are changes nothing', async () => {
    const { keys, written, active, next } = await opened(open)
    const before = await states(keys)
    equal(await keys.rotate({ active: next, promoted: next, next: newKey() }, audit), false)
    equal(await keys.rotate({ active, promoted: active, next: newKey() }, audit), false)
    equal(await keys.rotate({ active, promoted: newKey().kid, next: newKey() }, audit), false)
    deepEqual(await states(keys), before)
    deepEqual((await written()).changes, [active])
  })

  test('keys: revoking the active key promotes the next and publishes another', async () => {
    const { keys, written, active, next } = await opened(open)
    const follower = newKey()
    deepEqual(await keys.revoke({ kid: active, next: follower }, audit), { kind: 'revoked', was: 'active' })
    deepEqual(await states(keys), { [active]: 'revoked', [next]: 'active', [follower.kid]: 'next' })
    const row = (await keys.list()).keys.find(({ kid }) => kid === active)
    equal(row?.sealedPrivateKey, null)
    equal(row?.revokedAt instanceof Date, true)
    deepEqual(await written(), { changes: [active, active], audited: [active, active] })
  })

  test('keys: revoking the next key publishes another in its place', async () => {
    const { keys, active, next } = await opened(open)
    const follower = newKey()
    deepEqual(await keys.revoke({ kid: next, next: follower }, audit), { kind: 'revoked', was: 'next' })
    deepEqual(await states(keys), { [active]: 'active', [next]: 'revoked', [follower.kid]: 'next' })
  })

  test('keys: revoking a retired key leaves the others as they are', async () => {
    const { keys, active, next } = await opened(open)
    const follower = newKey()
    await keys.rotate({ active, promoted: next, next: follower }, audit)
    deepEqual(await keys.revoke({ kid: active, next: newKey() }, audit), { kind: 'revoked', was: 'retired' })
    deepEqual(await states(keys), { [active]: 'revoked', [next]: 'active', [follower.kid]: 'next' })
  })

  test('keys: a repeated revocation, and one of an unknown key, change nothing', async () => {
    const { keys, written, active } = await opened(open)
    await keys.revoke({ kid: active, next: newKey() }, audit)
    const before = { states: await states(keys), written: await written() }
    deepEqual(await keys.revoke({ kid: active, next: newKey() }, audit), { kind: 'already-revoked' })
    deepEqual(await keys.revoke({ kid: newKey().kid, next: newKey() }, audit), { kind: 'unknown' })
    deepEqual({ states: await states(keys), written: await written() }, before)
  })

  test('keys: rotations and revocations at once leave one active and one next, and no revoked key comes back', async () => {
    const { keys, active, next } = await opened(open)
    const revoked = await Promise.all([
      keys.rotate({ active, promoted: next, next: newKey() }, audit),
      keys.revoke({ kid: active, next: newKey() }, audit),
      keys.revoke({ kid: next, next: newKey() }, audit),
      keys.rotate({ active, promoted: next, next: newKey() }, audit),
      keys.revoke({ kid: active, next: newKey() }, audit),
    ])
    equal(revoked.filter((result) => typeof result === 'object' && result.kind === 'revoked').length, 2)
    const { active: live, next: published } = await count(keys)
    deepEqual({ live, published }, { live: 1, published: 1 })
    const after = await states(keys)
    deepEqual([after[active], after[next]], ['revoked', 'revoked'])
  })

  test('keys: a resealed key keeps its state, and only the value that was read is replaced', async () => {
    const { keys, written, active, next } = await opened(open)
    const row = (await keys.list()).keys.find(({ kid }) => kid === active)
    const from = row?.sealedPrivateKey ?? ''
    equal(await keys.reseal({ kid: active, from, to: 'v1.sealed.again' }, audit), true)
    equal(await keys.reseal({ kid: active, from, to: 'v1.sealed.twice' }, audit), false)
    equal((await keys.list()).keys.find(({ kid }) => kid === active)?.sealedPrivateKey, 'v1.sealed.again')
    await keys.rotate({ active, promoted: next, next: newKey() }, audit)
    equal(await keys.reseal({ kid: active, from: 'v1.sealed.again', to: 'v1.sealed.late' }, audit), false)
    equal((await keys.list()).keys.find(({ kid }) => kid === active)?.sealedPrivateKey, null)
    deepEqual((await written()).changes, [active, active, next])
  })

  test('keys: a change whose audit row cannot be made does not happen', async () => {
    const { keys, written, active, next } = await opened(open)
    const row = (await keys.list()).keys.find(({ kid }) => kid === active)
    const before = { states: await states(keys), written: await written() }
    const failing: AuditOf<SigningKeyFacts> = () => {
      throw new TypeError('no row')
    }
    await rejects(keys.rotate({ active, promoted: next, next: newKey() }, failing))
    await rejects(keys.revoke({ kid: active, next: newKey() }, failing))
    await rejects(keys.reseal({ kid: active, from: row?.sealedPrivateKey ?? '', to: 'v1.x.y' }, failing))
    deepEqual({ states: await states(keys), written: await written() }, before)
  })
}

async function opened(
  open: () => Promise<KeyStoreUnderTest>,
): Promise<KeyStoreUnderTest & { readonly active: string; readonly next: string }> {
  const store = await open()
  const [active, next] = [newKey(), newKey()]
  await store.keys.create({ active, next }, audit)
  return { ...store, active: active.kid, next: next.kid }
}

/** Any text will do: a store reads neither the public nor the private part. */
function newKey(alg: NewSigningKey['alg'] = 'EdDSA'): NewSigningKey {
  const random = (): string => randomBytes(32).toString('base64url')
  return { kid: random(), alg, publicJwk: { kty: 'OKP', x: random() }, sealedPrivateKey: `v1.0123456789.${random()}` }
}

const audit: AuditOf<SigningKeyFacts> = ({ kid }, now) => [
  auditRow({ tenantId: null, action: 'SIGNING_KEY_ROTATED', resource: 'signing_key', resourceId: kid }, now),
]

async function states(keys: KeyStore): Promise<Record<string, SigningKeyState>> {
  return Object.fromEntries((await keys.list()).keys.map(({ kid, state }) => [kid, state]))
}

async function count(keys: KeyStore): Promise<Record<SigningKeyState, number>> {
  const all = Object.values(await states(keys))
  const of = (state: SigningKeyState): number => all.filter((each) => each === state).length
  return { active: of('active'), next: of('next'), retired: of('retired'), revoked: of('revoked') }
}
