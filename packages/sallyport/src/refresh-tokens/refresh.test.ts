import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TestEngine } from '../testing/test-engine.ts'
import { inAWord, REQUEST, testEngine, tokensOf } from '../testing/test-engine.ts'
import { openInMemory } from '../store/pglite/open.ts'
import type { Database } from '../store/postgres/database.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import type { SallyportOptions } from '../options.ts'
import { newId } from '../ids.ts'
import { deviceDigest } from '../internal/device-digest.ts'
import { issueFirst } from './issue.ts'
import { hashRefreshToken } from './token-format.ts'

const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const KEY = { type: 'key', value: 'thumbprint' } as const
const COOKIE = { type: 'cookie', value: 'cookie-hash' } as const

let database: Database
let node: TestEngine
const others: TestEngine[] = []
beforeAll(async () => {
  database = pgliteDatabase(await openInMemory())
  node = await testEngine({}, database)
})
beforeEach(() => {
  database.clock.offsetMs = 0
})
afterAll(async () => {
  for (const other of others) await other.engine.live.stop()
  await node?.close()
})

/** Another node, with other settings, on the same database. */
async function nodeWith(options: Partial<SallyportOptions>): Promise<TestEngine> {
  const other = await testEngine(options, database)
  others.push(other)
  return other
}

describe('an honest client', () => {
  test('gets a successor of the same session, and the old token is spent', async () => {
    const client = await node.signIn()
    const outcome = await node.refresh(client.refreshToken)
    expect(outcome).toMatchObject({ kind: 'rotated', session: { id: client.session.id } })
    const { refreshToken, accessToken } = tokensOf(outcome)
    expect(refreshToken).toMatch(/^sprt_/)
    expect(refreshToken).not.toBe(client.refreshToken)
    expect(await node.access(accessToken)).toBe('live')
    expect((await node.audited(client.tenantId)).map(({ action }) => action)).toEqual([
      'AUTH_LOGIN',
      'SESSION_CREATED',
      'AUTH_TOKEN_REFRESH',
    ])
  })

  test.each([1, 29, 30])(
    'who lost the response asks again after %i s and gets the same successor, without alarm',
    async (seconds) => {
      const client = await node.signIn()
      const lost = tokensOf(await node.refresh(client.refreshToken))
      await node.pass(seconds * SECOND - 500)
      const again = await node.refresh(client.refreshToken)
      expect(again).toMatchObject({ kind: 'replayed', cause: 'lost-response', refreshToken: lost.refreshToken })
      expect(await node.access(tokensOf(again).accessToken)).toBe('live')
      expect((await node.audited(client.tenantId)).map(({ outcome }) => outcome)).not.toContain('FAIL')
      expect(await node.rows('select 1 from refresh_tokens where session_id = $1', [client.session.id])).toHaveLength(2)
    },
  )

  test.each([
    ['a key', KEY, HOUR],
    ['a key', KEY, 2 * DAY],
    ['the device cookie', COOKIE, HOUR],
    ['the device cookie', COOKIE, 2 * DAY],
  ])('bound to %s is answered the lost response after any time (%#)', async (_name, binding, ms) => {
    const client = await node.signIn(undefined, { binding })
    const lost = tokensOf(await node.refresh(client.refreshToken, { proofs: [binding] }))
    await node.pass(ms)
    const again = await node.refresh(client.refreshToken, { proofs: [binding] })
    expect(again).toMatchObject({ kind: 'replayed', cause: 'lost-response', refreshToken: lost.refreshToken })
  })

  test('who shows the successor’s access token is late with the old token only within the overlap', async () => {
    const client = await node.signIn()
    const { accessToken } = tokensOf(await node.refresh(client.refreshToken))
    expect(await node.access(accessToken)).toBe('live')
    await node.engine.writeBehind.flush()
    await node.pass(6 * SECOND)
    expect(await node.refresh(client.refreshToken)).toMatchObject({ kind: 'replayed', cause: 'concurrent' })
    await node.pass(5 * SECOND)
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
  })

  test('with a burst of tabs is told to try again, and nothing is consumed or contained', async () => {
    const client = await node.signIn()
    const second = tokensOf(await node.refresh(client.refreshToken))
    const third = tokensOf(await node.refresh(second.refreshToken))
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('RETRY')
    expect(inAWord(await node.refresh(third.refreshToken))).toBe('rotated')
  })

  test('who does nothing but refresh is not idle, on this node or another, though no touch was written', async () => {
    const client = await node.signIn()
    let { refreshToken, accessToken } = client as { refreshToken: string; accessToken: string }
    for (let refreshes = 0; refreshes < 4; refreshes++) {
      await node.pass(2 * DAY)
      const outcome = await node.refresh(refreshToken)
      expect(inAWord(outcome)).toBe('rotated')
      ;({ refreshToken, accessToken } = tokensOf(outcome))
    }
    await node.engine.writeBehind.flush()
    expect(await node.access(accessToken)).toBe('live')
    const other = await nodeWith({})
    expect(await other.access(accessToken)).toBe('live')
  })

  test('of a cookie session who sends the token in the body is told so, and the token stays good', async () => {
    const client = await node.signIn(undefined, { delivery: 'cookie' })
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('WRONG_DELIVERY')
    expect(inAWord(await node.refresh(client.refreshToken, { delivery: 'cookie' }))).toBe('rotated')
  })

  test('of a body session who sends the token as a cookie is told so, and the token stays good', async () => {
    const client = await node.signIn()
    expect(inAWord(await node.refresh(client.refreshToken, { delivery: 'cookie' }))).toBe('WRONG_DELIVERY')
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('rotated')
  })

  test('whose session waits is asked for the step-up, active token or lost response, and nothing is consumed', async () => {
    const client = await node.signIn()
    const lost = tokensOf(await node.refresh(client.refreshToken))
    const held = 'update user_sessions set step_up_required_at = $2 where id = $1'
    await node.rows(held, [client.session.id, new Date()])
    expect(await node.refresh(client.refreshToken)).toMatchObject({
      code: 'STEP_UP_REQUIRED',
      facts: { purpose: 'session_risk' },
    })
    expect(inAWord(await node.refresh(lost.refreshToken))).toBe('STEP_UP_REQUIRED')
    await node.rows(held, [client.session.id, null])
    expect(inAWord(await node.refresh(lost.refreshToken))).toBe('rotated')
  })

  test('bound to a key who forgets the proof is asked for it, and the token stays good', async () => {
    const client = await node.signIn(undefined, { binding: KEY })
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('INVALID_DPOP_PROOF')
    expect(inAWord(await node.refresh(client.refreshToken, { proofs: [COOKIE] }))).toBe('INVALID_DPOP_PROOF')
    expect(inAWord(await node.refresh(client.refreshToken, { proofs: [KEY] }))).toBe('rotated')
  })
})

describe('a thief', () => {
  test('does not keep the window open by asking often: it is anchored at the first consumption', async () => {
    const client = await node.signIn()
    await node.refresh(client.refreshToken)
    for (let asked = 0; asked < 2; asked++) {
      await node.pass(14 * SECOND)
      expect(inAWord(await node.refresh(client.refreshToken))).toBe('replayed')
    }
    await node.pass(3 * SECOND)
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
  })

  test('who is bound to nothing is caught after the window of lost responses', async () => {
    const client = await node.signIn()
    const stolen = client.refreshToken
    const { refreshToken, accessToken } = tokensOf(await node.refresh(stolen))
    await node.pass(31 * SECOND)
    expect(inAWord(await node.refresh(stolen))).toBe('REFRESH_TOKEN_REUSED')
    expect(inAWord(await node.refresh(refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    expect(await node.access(accessToken)).toBe('SESSION_INVALIDATED')
  })

  test('without the key or the cookie is caught at once, whatever the window', async () => {
    for (const binding of [KEY, COOKIE]) {
      const client = await node.signIn(undefined, { binding })
      await node.refresh(client.refreshToken, { proofs: [binding] })
      expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
    }
  })

  test('who refreshes first betrays himself with the victim’s next refresh', async () => {
    const victim = await node.signIn()
    const thief = tokensOf(await node.refresh(victim.refreshToken))
    expect(await node.access(thief.accessToken)).toBe('live')
    await node.engine.writeBehind.flush()
    await node.pass(60 * SECOND)
    expect(inAWord(await node.refresh(victim.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
    expect(inAWord(await node.refresh(thief.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
  })

  test.each([
    ['nobody can say where from', () => Promise.reject(new Error('the service of places is down'))],
    ['whoever is asked where from never answers', () => new Promise<undefined>(() => undefined)],
  ])('is contained all the same while %s', async (_, answer) => {
    let lookup: () => Promise<{ country: string } | undefined> = async () => ({ country: 'DE' })
    const asking = await testEngine({ geo: { lookup: () => lookup() } })
    try {
      const client = await asking.signIn()
      await asking.refresh(client.refreshToken)
      await asking.pass(31 * SECOND)
      lookup = answer
      const from = { correlationId: 'thief', ipAddress: '203.0.113.9', userAgent: 'evil/1' }
      expect(inAWord(await asking.refresh(client.refreshToken, { request: from }))).toBe('REFRESH_TOKEN_REUSED')
      expect(await asking.access(client.accessToken)).toBe('SESSION_INVALIDATED')
    } finally {
      await asking.close()
    }
  })

  test('is recorded with both uses, the owner as the target and nobody as the actor, and told of after commit', async () => {
    const client = await node.signIn(undefined, { request: { ...REQUEST, ipAddress: '192.0.2.7' } })
    await node.refresh(client.refreshToken, { request: { ...REQUEST, ipAddress: '192.0.2.8' } })
    await node.pass(31 * SECOND)
    const told: unknown[] = []
    const stop = node.instance.on('token.reused', (event) => told.push(event))
    await node.refresh(client.refreshToken, {
      request: { correlationId: 'thief', ipAddress: '203.0.113.9', userAgent: 'evil/1' },
    })
    stop()
    const rows = await node.audited(client.tenantId)
    const alarm = rows.find(({ action }) => action === 'SUSPICIOUS_LOGIN_DETECTED')
    expect(alarm).toMatchObject({
      outcome: 'FAIL',
      reason: 'REFRESH_TOKEN_REUSED',
      user_id: null,
      metadata: {
        reason: 'reuse_detected',
        targetUserId: client.userId,
        generation: 0,
        newestGeneration: 1,
        // Of the one who spent it, and not of the one whom it was made for.
        firstUse: { ipAddress: '192.0.2.8', userAgent: 'curl/8.5.0' },
        replay: { ipAddress: '203.0.113.9', userAgent: 'evil/1' },
        ended: { sessions: 1, sessionVersion: 2 },
        alerted: { person: true, admins: [] },
      },
    })
    expect(told).toMatchObject([{ sessionId: client.session.id, userId: client.userId }])
    expect(JSON.stringify(rows)).not.toContain('sprt_')
  })

  test.each([
    ['family', ['REFRESH_TOKEN_REVOKED', 'rotated', 'rotated'], ['SESSION_REVOKED', 'live', 'live']],
    [
      'staff',
      ['REFRESH_TOKEN_REVOKED', 'REFRESH_TOKEN_REVOKED', 'rotated'],
      ['SESSION_INVALIDATED', 'SESSION_INVALIDATED', 'live'],
    ],
    [
      'user',
      ['REFRESH_TOKEN_REVOKED', 'REFRESH_TOKEN_REVOKED', 'REFRESH_TOKEN_REVOKED'],
      ['SESSION_INVALIDATED', 'SESSION_INVALIDATED', 'SESSION_INVALIDATED'],
    ],
  ] as const)('is contained as far as "%s" reaches', async (contain, refreshes, requests) => {
    const at = await nodeWith({ reuse: { contain } })
    const own = await at.signIn()
    const sibling = await at.signIn(own)
    const elsewhere = await at.signIn(await at.member({ userId: own.userId }))
    const sessions = [own, sibling, elsewhere]
    for (const { accessToken } of sessions) expect(await at.access(accessToken)).toBe('live')
    const next = tokensOf(await at.refresh(own.refreshToken))
    await at.pass(31 * SECOND)
    expect(inAWord(await at.refresh(own.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
    expect(await Promise.all(sessions.map(({ accessToken }) => at.access(accessToken)))).toEqual(requests)
    const outcomes = [
      await at.refresh(next.refreshToken),
      await at.refresh(sibling.refreshToken),
      await at.refresh(elsewhere.refreshToken),
    ]
    expect(outcomes.map(inAWord)).toEqual(refreshes)
  })

  test('replays one old token again and again, and its owner is logged out once', async () => {
    const owner = await node.signIn()
    await node.refresh(owner.refreshToken)
    await node.pass(31 * SECOND)
    expect(inAWord(await node.refresh(owner.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
    const again = await node.signIn(owner)
    for (let replay = 0; replay < 3; replay++) {
      expect(inAWord(await node.refresh(owner.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    }
    expect(await node.access(again.accessToken)).toBe('live')
    expect(inAWord(await node.refresh(again.refreshToken))).toBe('rotated')
    const alarms = (await node.audited(owner.tenantId)).filter(({ action }) => action === 'SUSPICIOUS_LOGIN_DETECTED')
    expect(alarms).toHaveLength(1)
  })

  test('who has the table has nothing: no hash is taken for a token, in any spelling', async () => {
    const client = await node.signIn()
    const stored = hashRefreshToken(client.refreshToken)
    const spellings = [
      stored.toString('hex'),
      stored.toString('base64url'),
      `\\x${stored.toString('hex')}`,
      `sprt_${stored.toString('base64url')}`,
      `sprt_${Buffer.concat([stored, stored, stored]).subarray(0, 90).toString('base64url')}`,
    ]
    for (const spelling of spellings) {
      expect(await node.refresh(spelling)).toMatchObject({ code: 'REFRESH_TOKEN_INVALID', recorded: false })
    }
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('rotated')
  })
})

describe('retry: "strict"', () => {
  test('any second use is reuse, at once and bound or not', async () => {
    const strict = await nodeWith({ retry: 'strict' })
    for (const binding of [undefined, KEY]) {
      const client = await strict.signIn(undefined, { binding })
      const proofs = binding === undefined ? [] : [binding]
      await strict.refresh(client.refreshToken, { proofs })
      expect(inAWord(await strict.refresh(client.refreshToken, { proofs }))).toBe('REFRESH_TOKEN_REUSED')
    }
  })
})

describe('a token that is no good', () => {
  test.each([undefined, null, 17, {}, '', 'sprt_', 'x'.repeat(125)])(
    'that is %j is refused before anything is read',
    async (token) => {
      expect(await node.refresh(token)).toMatchObject({ code: 'REFRESH_TOKEN_INVALID', recorded: false })
    },
  )

  test('that nobody was issued, under a MAC of ours, is recorded as a suspected forgery', async () => {
    const { tenantId } = await node.member()
    const { raw } = issueFirst(node.engine, { tenantId, request: REQUEST })
    expect(await node.refresh(raw)).toMatchObject({ code: 'REFRESH_TOKEN_INVALID', recorded: true })
    expect(await node.audited(tenantId)).toMatchObject([
      { action: 'AUTH_REFRESH_FAILED', outcome: 'FAIL', metadata: { suspected: 'REUSE_SUSPECTED' } },
    ])
  })

  test('that expired ends its family and session, clears what was trusted, and then is one of a family that has ended', async () => {
    const client = await node.signIn(undefined, { request: { ...REQUEST, deviceFingerprint: 'laptop' } })
    await node.rows(
      `insert into trusted_devices (tenant_id, staff_id, device_hash, trusted_until, last_seen_at)
        values ($1, $2, $3, now() + interval '9 days', now()), ($1, $2, 'another', now() + interval '9 days', now())`,
      [client.tenantId, client.staffId, deviceDigest('id:laptop')],
    )
    await node.rows('update users set last_mfa_at = now() where id = $1', [client.userId])
    const told: unknown[] = []
    const stop = node.instance.on('session.revoked', (event) => told.push(event))
    await node.pass(3 * DAY)
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_EXPIRED')
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    stop()
    expect(told).toMatchObject([{ sessionId: client.session.id, reason: 'session_expired' }])
    expect(await node.access(client.accessToken)).toBe('SESSION_REVOKED')
    expect(await node.rows('select last_mfa_at from users where id = $1', [client.userId])).toEqual([
      { last_mfa_at: null },
    ])
    // Of its own device alone.
    expect(await node.rows('select device_hash from trusted_devices where staff_id = $1', [client.staffId])).toEqual([
      { device_hash: 'another' },
    ])
    const [first, second] = (await node.audited(client.tenantId)).slice(-2)
    expect([first, second]).toMatchObject([
      { action: 'AUTH_REFRESH_FAILED', reason: 'REFRESH_TOKEN_EXPIRED' },
      { action: 'AUTH_REFRESH_FAILED', reason: 'REFRESH_TOKEN_REVOKED', metadata: { reason: 'session_expired' } },
    ])
  })

  test('of a family that ran out contains nobody, whichever generation it is', async () => {
    const client = await node.signIn()
    const elsewhere = await node.signIn(client)
    const second = tokensOf(await node.refresh(client.refreshToken))
    const third = tokensOf(await node.refresh(second.refreshToken))
    const fresh = tokensOf(await node.refresh(elsewhere.refreshToken))
    await node.pass(2 * DAY)
    const kept = tokensOf(await node.refresh(fresh.refreshToken))
    await node.engine.writeBehind.flush()
    await node.pass(DAY)
    expect(inAWord(await node.refresh(third.refreshToken))).toBe('REFRESH_TOKEN_EXPIRED')
    for (const { refreshToken } of [client, second, third]) {
      expect(inAWord(await node.refresh(refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    }
    expect(await node.access(kept.accessToken)).toBe('live')
    expect(inAWord(await node.refresh(kept.refreshToken))).toBe('rotated')
    expect((await node.audited(client.tenantId)).map(({ action }) => action)).not.toContain('SUSPICIOUS_LOGIN_DETECTED')
  })

  test('asked again, after a lost response, when the successor has run out too: expired, and nobody is accused', async () => {
    const client = await node.signIn(undefined, { binding: KEY })
    await node.refresh(client.refreshToken, { proofs: [KEY] })
    await node.pass(3 * DAY)
    expect(inAWord(await node.refresh(client.refreshToken, { proofs: [KEY] }))).toBe('REFRESH_TOKEN_EXPIRED')
    expect(
      await node.rows('select revoke_reason from token_families where session_id = $1', [client.session.id]),
    ).toEqual([{ revoke_reason: 'session_expired' }])
  })

  test('a millisecond before its expiry is good', async () => {
    const client = await node.signIn()
    const [row] = await node.rows<{ ms: number }>(
      `select (extract(epoch from t.expires_at - clock_timestamp()) * 1000)::float8 as ms from refresh_tokens t
        where session_id = $1`,
      [client.session.id],
    )
    await node.pass((row?.ms ?? 0) - 2000)
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('rotated')
  })

  test('that was revoked alone is refused with its reason, and accuses nobody', async () => {
    const client = await node.signIn()
    await node.rows("update refresh_tokens set is_revoked = true, revoke_reason = 'manual' where session_id = $1", [
      client.session.id,
    ])
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    expect(await node.access(client.accessToken)).toBe('live')
    expect((await node.audited(client.tenantId)).at(-1)).toMatchObject({
      action: 'AUTH_REFRESH_FAILED',
      metadata: { reason: 'manual' },
    })
  })

  test('that was revoked alone is reuse where the host says so', async () => {
    const harsh = await nodeWith({ reuse: { revoked: 'contain' } })
    const client = await harsh.signIn()
    await harsh.rows("update refresh_tokens set is_revoked = true, revoke_reason = 'manual' where session_id = $1", [
      client.session.id,
    ])
    expect(inAWord(await harsh.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REUSED')
  })

  test('after maxSessionLife ends its family, however busy it was', async () => {
    const client = await node.signIn()
    let { refreshToken } = client as { refreshToken: string }
    for (let day = 2; day < 30; day += 2) {
      await node.pass(2 * DAY)
      refreshToken = tokensOf(await node.refresh(refreshToken)).refreshToken
    }
    await node.pass(2 * DAY)
    expect(inAWord(await node.refresh(refreshToken))).toBe('SESSION_EXPIRED')
    expect(inAWord(await node.refresh(refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    expect(await node.rows('select revoke_reason from user_sessions where id = $1', [client.session.id])).toEqual([
      { revoke_reason: 'max_session_life' },
    ])
  })

  test('of an idle session ends its family', async () => {
    const short = await nodeWith({ session: { idle: '15m' } })
    const client = await short.signIn()
    await short.pass(14 * 60 * SECOND)
    const { refreshToken } = tokensOf(await short.refresh(client.refreshToken))
    await short.pass(15 * 60 * SECOND)
    expect(inAWord(await short.refresh(refreshToken))).toBe('SESSION_EXPIRED')
    expect((await short.audited(client.tenantId)).at(-1)).toMatchObject({
      reason: 'SESSION_EXPIRED',
      metadata: { reason: 'session_expired' },
    })
  })

  test.each([
    ['staff member', "update tenant_staff set status = 'disabled' where id = $1", 'staffId', 'member_disabled'],
    [
      'staff member who was removed',
      "update tenant_staff set status = 'removed' where id = $1",
      'staffId',
      'member_removed',
    ],
    ['user', 'update users set disabled_at = now() where id = $1', 'userId', 'member_disabled'],
    ['tenant', 'update tenants set disabled_at = now() where id = $1', 'tenantId', 'member_disabled'],
    [
      'staff of a raised version',
      'update tenant_staff set session_version = 9 where id = $1',
      'staffId',
      'force_logout',
    ],
  ] as const)('of a suspended %s ends its family', async (_whose, suspend, id, reason) => {
    const client = await node.signIn()
    await node.rows(suspend, [client[id]])
    const told: unknown[] = []
    const stop = node.instance.on('session.revoked', (event) => told.push(event))
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('SESSION_INVALIDATED')
    stop()
    expect(told).toMatchObject([{ sessionId: client.session.id, reason }])
    expect(inAWord(await node.refresh(client.refreshToken))).toBe('REFRESH_TOKEN_REVOKED')
    expect(
      await node.rows('select revoke_reason from token_families where session_id = $1', [client.session.id]),
    ).toEqual([{ revoke_reason: reason }])
  })

  test('of another tenant’s name is unknown: the tenant in the token is under its MAC', async () => {
    const client = await node.signIn()
    const bytes = Buffer.from(client.refreshToken.slice(5), 'base64url')
    bytes.write(newId<string>().replaceAll('-', ''), 6, 16, 'hex')
    expect(await node.refresh(`sprt_${bytes.toString('base64url')}`)).toMatchObject({
      code: 'REFRESH_TOKEN_INVALID',
      recorded: false,
    })
  })
})
