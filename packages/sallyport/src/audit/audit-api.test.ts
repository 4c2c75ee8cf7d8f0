import type { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { Sallyport } from '../sallyport.ts'
import { sallyport } from '../sallyport.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { defineActions } from './define-actions.ts'
import { leafHash } from './leaf.ts'
import { readCheckpoint, verifyCheckpoint } from './verifying/checkpoint.ts'
import { verifyConsistency, verifyInclusion } from './verifying/merkle.ts'
import { readVerifierKey } from './verifying/signed-note.ts'
import { verifyTlogProof } from './verifying/tlog-proof.ts'

const actions = defineActions({ INVOICE_APPROVED: {}, PAYOUT_RELEASED: { security: true } })

let pglite: PGlite
let guard: Sallyport
let tenantId: string
let token: string
let memberToken: string
let strangerToken: string

beforeAll(async () => {
  pglite = await openInMemory()
  guard = sallyport({
    store: postgresStore(pgliteDatabase(pglite)),
    issuer: 'https://id.example.com',
    secrets: ['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'],
    // The test says when.
    audit: { actions, sealEvery: '1m' },
  })
  await guard.start()
  const session = async (tenant: string, user: string, role: 'admin' | 'member') =>
    guard.sessions.create({
      tenant: { externalId: tenant, name: tenant },
      user: { externalId: user, name: user, email: `${user}@example.com` },
      role,
      amr: ['pwd'],
      request: { ipAddress: '192.0.2.7', userAgent: 'host/1' },
    })
  const own = await session('acme', 'petra', 'admin')
  tenantId = own.session.tenantId
  token = own.accessToken
  memberToken = (await session('acme', 'mo', 'member')).accessToken
  strangerToken = (await session('other', 'stella', 'admin')).accessToken
  for (let n = 0; n < 30; n++) {
    await guard.audit.record({
      tenantId,
      action: actions.INVOICE_APPROVED.action,
      resource: 'invoice',
      resourceId: `${n}`,
    })
  }
})
afterAll(() => guard.close())

async function get(path: string, bearer = token): Promise<Response> {
  return guard.handler(
    new Request(`https://id.example.com/api/audit/${path}`, { headers: { authorization: `Bearer ${bearer}` } }),
  )
}

interface Answered {
  readonly events: readonly { readonly id: string; readonly [field: string]: unknown }[]
  readonly nextCursor: string | null
}

async function find(query: string, bearer?: string): Promise<Answered> {
  const response = await get(`events?${query}`, bearer)
  expect(response.status, await response.clone().text()).toBe(200)
  return (await response.json()) as Answered
}

const vkeyOf = async () => ((await (await get('key')).json()) as { vkey: string }).vkey

describe('searching', () => {
  test('pages hold every event once, newest first, and only those of the tenant', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: Answered = await find(`limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...page.events.map(({ id }) => id))
      cursor = page.nextCursor
    }
    const { rows } = await pglite.query<{ id: string }>(
      'select id from audit_logs where tenant_id = $1 order by created_at desc, id desc',
      [tenantId],
    )
    expect(seen).toEqual(rows.map(({ id }) => id))
    const theirs = await find('limit=100', strangerToken)
    expect(theirs.events.some(({ id }) => seen.includes(id))).toBe(false)
  })

  test('each filter keeps what it names and nothing else', async () => {
    const count = async (query: string) => (await find(`limit=100&${query}`)).events.length
    expect(await count('action=INVOICE_APPROVED')).toBe(30)
    expect(await count('action=INVOICE_APPROVED,AUTH_LOGIN')).toBe(32)
    expect(await count('resource=invoice&q=INVOICE_app')).toBe(30)
    expect(await count('outcome=FAIL')).toBe(0)
    expect(await count(`userId=${newId<UserId>()}`)).toBe(0)
    expect(await count('q=%25')).toBe(0)
    expect(await count('q=192.0.2.7')).toBeGreaterThan(0)
    expect(await count('to=2020-01-01T00:00:00Z')).toBe(0)
    expect(await count('from=2020-01-01T00:00:00%2B14:00&to=2100-01-01T00:00:00Z')).toBeGreaterThan(30)
  })

  test.each([
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
    'from=yesterday',
    'outcome=MAYBE',
    'cursor=nonsense',
    'limit=0',
    'userId=1',
    'q=%00',
    'q=',
    'unknown=1',
  ])('%s is refused', async (query) => {
    expect((await get(`events?${query}`)).status).toBe(400)
  })

  test('a filter that hardly any event passes looks at a bounded number at a time, and comes to the end', async () => {
    const other = newId<string>()
    await pglite.query(
      `insert into audit_logs (id, tenant_id, created_at, action, outcome, correlation_id, salt, leaf_hash)
        select gen_random_uuid(), $1, '2026-01-01'::timestamptz + n * interval '1 second', case n when 1 then 'RARE' else 'COMMON' end,
          'SUCCESS', 'c', '', '' from generate_series(1, 45000) n`,
      [other],
    )
    const { store } = guard
    let pages = 0
    let after: { createdAt: Date; id: string } | undefined
    const found: string[] = []
    do {
      const { rows, more } = await store.audit.search({ tenantId: other, limit: 50, actions: ['RARE'], after })
      found.push(...rows.map(({ id }) => id))
      after = more
      pages++
    } while (after !== undefined)
    expect([found.length, pages]).toEqual([1, 3])
  })

  test('an event tells what changed and where it is sealed', async () => {
    await guard.audit.record({
      tenantId,
      action: 'PLAN_CHANGED',
      oldValue: { plan: 'free', password: 'hunter2' },
      newValue: { plan: 'pro' },
    })
    const query = 'action=PLAN_CHANGED'
    expect((await find(query)).events[0]).toMatchObject({
      before: { plan: 'free', password: '[redacted]' },
      after: { plan: 'pro' },
      seal: null,
    })
    await guard.audit.checkpoint(tenantId)
    expect((await find(query)).events[0]).toMatchObject({
      seal: { seq: expect.any(Number), recordedAt: expect.any(String) },
    })
  })

  test('a member without the permission is refused everywhere', async () => {
    for (const path of [
      'events',
      'checkpoint',
      'key',
      `events/${newId<string>()}/proof`,
      'consistency?first=1&second=2',
    ]) {
      expect((await get(path, memberToken)).status).toBe(403)
    }
  })
})

describe('proofs', () => {
  test('an event that was just written is sealed, signed and proved when somebody asks', async () => {
    await guard.audit.record({ tenantId, action: actions.PAYOUT_RELEASED.action })
    const { events } = await find('action=PAYOUT_RELEASED')
    const id = events[0]?.id
    const response = await get(`events/${id}/proof`)
    const proof = (await response.json()) as {
      leafIndex: number
      treeSize: number
      hashes: string[]
      checkpoint: string
    }
    const checkpoint = verifyCheckpoint(proof.checkpoint, readVerifierKey(await vkeyOf()))
    const [row] = await guard.store.audit.page({ tenantId, limit: 1 })
    const leaf = leafHash(row as never)
    expect(checkpoint.size).toBe(proof.treeSize)
    expect(
      verifyInclusion({
        leafIndex: proof.leafIndex,
        treeSize: proof.treeSize,
        leafHash: leaf,
        hashes: proof.hashes.map((hash) => Buffer.from(hash, 'base64')),
        root: checkpoint.root,
      }),
    ).toBe(true)
    const file = await get(`events/${id}/proof.tlog-proof`)
    expect(file.headers.get('content-disposition')).toContain('.tlog-proof"')
    expect(verifyTlogProof(await file.text(), leaf, readVerifierKey(await vkeyOf()))).toMatchObject({
      leafIndex: proof.leafIndex,
    })
  })

  test('every event of the log is proved under one checkpoint', async () => {
    await guard.audit.checkpoint(tenantId)
    const vkey = readVerifierKey(await vkeyOf())
    const { rows } = await pglite.query<{ id: string; leaf_hash: Uint8Array }>(
      'select id, leaf_hash from audit_seals where tenant_id = $1 order by seq',
      [tenantId],
    )
    expect(rows.length).toBeGreaterThan(33)
    for (const [seq, { id, leaf_hash }] of rows.entries()) {
      const file = await (await get(`events/${id}/proof.tlog-proof`)).text()
      expect(verifyTlogProof(file, Buffer.from(leaf_hash), vkey).leafIndex).toBe(seq)
    }
  })

  test('a consistency proof holds between any two checkpoints', async () => {
    const first = readCheckpoint(await (await get('checkpoint')).text())
    for (let n = 0; n < 21; n++) await guard.audit.record({ tenantId, action: 'PLAN_CHANGED' })
    await guard.audit.checkpoint(tenantId)
    const second = readCheckpoint(await (await get('checkpoint')).text())
    expect(second.size).toBe(first.size + 21)
    const response = await get(`consistency?first=${first.size}&second=${second.size}`)
    const { hashes } = (await response.json()) as { hashes: string[] }
    expect(
      verifyConsistency({
        firstSize: first.size,
        secondSize: second.size,
        firstRoot: first.root,
        secondRoot: second.root,
        hashes: hashes.map((hash) => Buffer.from(hash, 'base64')),
      }),
    ).toBe(true)
    expect(await (await get('consistency?first=0&second=3')).json()).toEqual({ hashes: [] })
    expect((await get(`consistency?first=1&second=${second.size + 1}`)).status).toBe(400)
    expect((await get('consistency?first=3&second=2')).status).toBe(400)
  })

  test("another tenant's event, and one that is none, are not found", async () => {
    const { events } = await find('limit=1')
    expect((await get(`events/${events[0]?.id}/proof`, strangerToken)).status).toBe(404)
    expect((await get(`events/${newId<string>()}/proof`)).status).toBe(404)
  })
})

describe("the host's own events", () => {
  test("audit.record joins the host's Drizzle transaction: both commit or neither does", async () => {
    const db = drizzle(pglite)
    await pglite.exec('create table invoices (n int)')
    const event = {
      tenantId,
      action: actions.INVOICE_APPROVED.action,
      resource: 'invoice',
      resourceId: "'; --$1 :name",
    }
    await db.transaction(async (tx) => {
      await tx.execute('insert into invoices values (1)')
      await guard.audit.record(event, tx)
    })
    await expect(
      db.transaction(async (tx) => {
        await tx.execute('insert into invoices values (2)')
        await guard.audit.record({ ...event, resourceId: 'gone' }, tx)
        throw new Error('the host thought better of it')
      }),
    ).rejects.toThrow('thought better')
    const [row] = await guard.store.audit.page({ tenantId, limit: 1 })
    expect(row).toMatchObject({ action: 'INVOICE_APPROVED', resourceId: event.resourceId })
    expect((await pglite.query('select n from invoices')).rows).toEqual([{ n: 1 }])
    await guard.audit.checkpoint(tenantId)
    expect((await guard.audit.verify({ tenantId }))[0]?.finding).toBeUndefined()
  })

  test('what is no transaction, and what is no action, is refused', async () => {
    const tx = { execute: async () => [] }
    await expect(guard.audit.record({ tenantId, action: 'PLAN_CHANGED' }, tx)).rejects.toThrow(TypeError)
    await expect(guard.audit.record({ tenantId, action: 'MADE_UP' as never })).rejects.toThrow('defineActions')
    expect(() => defineActions({ AUTH_LOGIN: {} })).toThrow('built in')
    expect(() => defineActions({ 'no good': {} })).toThrow(TypeError)
    expect(Object.keys(defineActions({ TOKEN_2: {} }))).toEqual(['TOKEN_2'])
  })
})

test("the service's own log is sealed, signed and verified as any other", async () => {
  const note = await guard.audit.checkpoint(null)
  const [verdict] = await guard.audit.verify({
    tenantId: null,
    kept: [note as string],
    vkey: await guard.audit.key(null),
  })
  expect(verdict).toMatchObject({
    finding: undefined,
    origin: 'id.example.com/audit/00000000-0000-0000-0000-000000000000',
  })
  expect(verdict?.rows).toBeGreaterThan(0)
  expect((await guard.audit.verify()).every(({ finding }) => finding === undefined)).toBe(true)
})
