import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { signAccessToken } from '../access-tokens/sign.ts'
import type { SessionId, TenantId } from '../ids.ts'
import { newId } from '../ids.ts'
import { openInMemory } from '../store/pglite/open.ts'
import type { Database } from '../store/postgres/database.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import type { TestEngine, TestSession } from '../testing/test-engine.ts'
import { REQUEST, testEngine, tokensOf } from '../testing/test-engine.ts'
import { endSessions } from './end.ts'
import { logout } from './logout.ts'

const MINUTE = 60_000
const DAY = 86_400_000

let database: Database
let node: TestEngine
/** A second node on the same database. */
let other: TestEngine
beforeAll(async () => {
  database = pgliteDatabase(await openInMemory())
  node = await testEngine({ session: { idle: '15m' } }, database)
  other = await testEngine({ session: { idle: '15m' } }, database)
})
beforeEach(async () => {
  database.clock.offsetMs = 0
  await polled()
})
afterAll(async () => {
  await other?.engine.live.stop()
  await node?.close()
})

const polled = () => Promise.all([node.engine.live.poll(), other.engine.live.poll()])
const pass = async (ms: number) => {
  database.clock.offsetMs += ms
  await polled()
}

/** An access token of this node's own making, with whatever claims. */
async function signed(
  of: TestSession,
  claims: Partial<Parameters<typeof signAccessToken>[2]> = {},
  now = new Date(),
): Promise<string> {
  const { issuer, audience, accessTtlMs: ttlMs } = node.engine.settings
  const { token } = await signAccessToken(
    node.engine.keys,
    { issuer, audience, ttlMs },
    {
      userId: of.userId,
      tenantId: of.tenantId,
      staffId: of.staffId,
      sessionId: of.session.id,
      sessionVersion: 1,
      generation: 0,
      authTime: of.session.authTime,
      amr: ['pwd'],
      acr: 'aal1',
      sessionEndsAt: of.session.expiresAt,
      ...claims,
    },
    now,
  )
  return token
}

describe('a request', () => {
  test('with an access token of a live session is let in, as who it is', async () => {
    const session = await node.signIn(await node.member({ role: 'auditor' }))
    const caller = await node.instance.authenticate(session.accessToken)
    expect(caller).toMatchObject({
      tenantId: session.tenantId,
      userId: session.userId,
      staffId: session.staffId,
      sessionId: session.session.id,
      role: 'auditor',
      name: 'Ada',
      generation: 0,
      acr: 'aal1',
    })
  })

  test('whose session this node knows is answered without a promise, and so without the database', async () => {
    const { accessToken } = await node.signIn()
    await node.instance.authenticate(accessToken)
    expect(node.instance.authenticate(accessToken)).not.toBeInstanceOf(Promise)
  })

  test('without a token: MISSING_TOKEN', async () => {
    expect(await node.access(undefined)).toBe('MISSING_TOKEN')
  })

  test('with what is no token of ours: INVALID_TOKEN', async () => {
    const session = await node.signIn()
    for (const token of ['', 'x', 'a.b.c', session.refreshToken, `${session.accessToken}x`]) {
      expect(await node.access(token)).toBe('INVALID_TOKEN')
    }
  })

  test('with a token past its end and the leeway: TOKEN_EXPIRED, also when the node knows it', async () => {
    const session = await node.signIn()
    const { accessTtlMs } = node.engine.settings
    expect(await node.access(await signed(session, {}, new Date(Date.now() - accessTtlMs - 31_000)))).toBe(
      'TOKEN_EXPIRED',
    )
    const atTheEdge = await signed(session, {}, new Date(Date.now() - accessTtlMs - 28_500))
    expect(await node.access(atTheEdge)).toBe('live')
    await new Promise((resolve) => setTimeout(resolve, 2600))
    expect(await node.access(atTheEdge)).toBe('TOKEN_EXPIRED')
  })

  test('of a session that is unknown, or of another tenant: SESSION_REVOKED', async () => {
    const session = await node.signIn()
    const stranger = await node.member()
    expect(await node.access(await signed(session, { sessionId: newId<SessionId>() }))).toBe('SESSION_REVOKED')
    expect(await node.access(await signed(session, { tenantId: stranger.tenantId }))).toBe('SESSION_REVOKED')
    // Also when this node has the session in memory by now.
    expect(await node.access(session.accessToken)).toBe('live')
    expect(await node.access(await signed(session, { tenantId: stranger.tenantId }))).toBe('SESSION_REVOKED')
    expect(await node.access(await signed(session, { tenantId: newId<TenantId>() }))).toBe('SESSION_REVOKED')
    expect(await node.access(await signed(session, { userId: stranger.userId }))).toBe('SESSION_REVOKED')
  })

  test('after a logout: SESSION_REVOKED, here at once and elsewhere with the next poll', async () => {
    const { accessToken } = await node.signIn()
    for (const each of [node, other]) expect(await each.access(accessToken)).toBe('live')
    await logout(node.engine, { accessToken, request: REQUEST })
    expect(await node.access(accessToken)).toBe('SESSION_REVOKED')
    await other.engine.live.poll()
    expect(await other.access(accessToken)).toBe('SESSION_REVOKED')
  })

  test('of an older version than the staff’s: SESSION_INVALIDATED, judged before anything else', async () => {
    const session = await node.signIn()
    expect(await node.access(session.accessToken)).toBe('live')
    await endSessions(
      node.engine,
      { of: 'staff', tenantId: session.tenantId, staffId: session.staffId },
      { reason: 'force_logout', bumpVersion: true },
      () => [],
    )
    // The session was revoked too, and its token is of the version that it was made with.
    expect(await node.access(session.accessToken)).toBe('SESSION_INVALIDATED')
    const again = await node.signIn(session)
    expect(await node.access(again.accessToken)).toBe('live')
    // A token of the old version that names a session of the new one: the copy on the row does not save it.
    expect(await node.access(await signed(again, { sessionVersion: 1 }))).toBe('SESSION_INVALIDATED')
    expect(await node.access(await signed(again, { sessionVersion: 3 }))).toBe('SESSION_INVALIDATED')
  })

  test.each([
    ['staff member', "update tenant_staff set status = 'disabled' where id = $1", 'staffId', 'staff'],
    ['user', 'update users set disabled_at = now() where id = $1', 'userId', 'user'],
    ['tenant', 'update tenants set disabled_at = now() where id = $1', 'tenantId', 'tenant'],
  ] as const)('of a disabled %s: SESSION_INVALIDATED', async (_who, disable, id, kind) => {
    const session = await node.signIn()
    expect(await node.access(session.accessToken)).toBe('live')
    await node.rows(disable, [session[id]])
    await node.rows('insert into changes (kind, ref) values ($1, $2)', [kind, session[id]])
    await polled()
    expect(await node.access(session.accessToken)).toBe('SESSION_INVALIDATED')
  })

  test('of a session past its end: SESSION_EXPIRED', async () => {
    const long = await testEngine({ session: { idle: '30d' } }, database)
    const session = await long.signIn()
    expect(await long.access(session.accessToken)).toBe('live')
    await long.pass(30 * DAY)
    expect(await long.access(session.accessToken)).toBe('SESSION_EXPIRED')
    await long.engine.live.stop()
  })

  test('of a session that waits: STEP_UP_REQUIRED, with the purpose', async () => {
    const { accessToken, session } = await node.signIn()
    await node.rows('update user_sessions set step_up_required_at = now() where id = $1', [session.id])
    await expect(node.instance.authenticate(accessToken)).rejects.toMatchObject({
      code: 'STEP_UP_REQUIRED',
      facts: { purpose: 'session_risk' },
    })
  })
})

describe('the idle limit', () => {
  test('counts from the last request', async () => {
    const { accessToken } = await node.signIn()
    for (let request = 0; request < 3; request++) {
      await pass(14 * MINUTE)
      expect(await node.access(accessToken)).toBe('live')
    }
    await pass(15 * MINUTE + 1000)
    expect(await node.access(accessToken)).toBe('SESSION_EXPIRED')
  })

  test('counts from a request that another node saw', async () => {
    const { accessToken } = await node.signIn()
    expect(await node.access(accessToken)).toBe('live')
    await pass(10 * MINUTE)
    expect(await other.access(accessToken)).toBe('live')
    await other.engine.writeBehind.flush()
    await pass(10 * MINUTE)
    // By this node's memory the session has been idle for 20 minutes: it asks before it says so.
    expect(await node.access(accessToken)).toBe('live')
    await pass(15 * MINUTE + 1000)
    expect(await node.access(accessToken)).toBe('SESSION_EXPIRED')
  })

  test('counts from a refresh', async () => {
    const session = await node.signIn()
    await pass(14 * MINUTE)
    const { accessToken } = tokensOf(await node.refresh(session.refreshToken))
    await node.engine.writeBehind.flush()
    await pass(14 * MINUTE)
    expect(await other.access(accessToken)).toBe('live')
  })

  test('is not moved by background requests', async () => {
    const { accessToken } = await node.signIn()
    for (let request = 0; request < 2; request++) {
      await pass(7 * MINUTE)
      await node.instance.authenticate(accessToken, { background: true })
    }
    await pass(MINUTE)
    await expect(node.instance.authenticate(accessToken, { background: true })).rejects.toMatchObject({
      code: 'SESSION_EXPIRED',
    })
  })

  test('is not moved by requests whose header says that nobody caused them, over HTTP', async () => {
    const { accessToken } = await node.signIn()
    const ask = async (background?: string) => {
      const headers = {
        authorization: `Bearer ${accessToken}`,
        ...(background !== undefined && { 'sallyport-background': background }),
      }
      const answer = await node.instance.handler(new Request('https://id.example.com/api/auth/me', { headers }))
      return answer.status
    }
    await pass(14 * MINUTE)
    expect(await ask('false')).toBe(200)
    await pass(14 * MINUTE)
    expect(await ask('true')).toBe(200)
    await pass(MINUTE)
    expect(await ask()).toBe(401)
  })

  test('is written at most once in a tenth of the limit', async () => {
    const { accessToken, session } = await node.signIn()
    const lastSeen = async () => {
      await node.engine.writeBehind.flush()
      const [row] = await node.rows<{ at: Date }>('select last_seen_at as at from user_sessions where id = $1', [
        session.id,
      ])
      return (row?.at.getTime() ?? 0) - session.lastSeenAt.getTime()
    }
    await pass(MINUTE)
    await node.access(accessToken)
    expect(await lastSeen()).toBe(0)
    await pass(MINUTE)
    await node.access(accessToken)
    expect(await lastSeen()).toBeGreaterThanOrEqual(2 * MINUTE)
  })
})

describe('a tenant’s own limits', () => {
  const tighten = async (tenantId: TenantId, session: Record<string, number>) => {
    await node.rows('update tenants set settings = $2 where id = $1', [tenantId, JSON.stringify({ session })])
    await node.rows("insert into changes (tenant_id, kind, ref) values ($1::uuid, 'settings', $1::uuid::text)", [
      tenantId,
    ])
    await polled()
  }

  test('end sessions that were made before, at their next request: the absolute limit too', async () => {
    const session = await node.signIn()
    expect(await node.access(session.accessToken)).toBe('live')
    await tighten(session.tenantId, { maxLifeMs: 10 * MINUTE })
    await pass(9 * MINUTE)
    expect(await node.access(session.accessToken)).toBe('live')
    await pass(MINUTE)
    for (const each of [node, other]) expect(await each.access(session.accessToken)).toBe('SESSION_EXPIRED')
  })

  test('of idleness are held to what every node saw, however short they are', async () => {
    const session = await node.signIn()
    await tighten(session.tenantId, { idleMs: MINUTE })
    for (let seconds = 0; seconds < 80; seconds += 10) {
      await pass(10_000)
      expect(await node.access(session.accessToken)).toBe('live')
    }
    await node.engine.writeBehind.flush()
    // Never asked before: it goes by the row alone.
    expect(await other.access(session.accessToken)).toBe('live')
    await pass(MINUTE)
    for (const each of [node, other]) expect(await each.access(session.accessToken)).toBe('SESSION_EXPIRED')
  })
})

describe('a stale feed', () => {
  test('a session that was read meanwhile is not remembered when the feed is back', async () => {
    const stale = await testEngine({ maxStaleness: 200 }, database)
    const session = await stale.signIn()
    await stale.engine.live.stop()
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(stale.engine.live.fresh).toBe(false)
    expect(await stale.access(session.accessToken)).toBe('live')
    expect(await stale.access(session.accessToken)).toBe('live')
    await logout(node.engine, { accessToken: session.accessToken, request: REQUEST })
    // While it is stale the database is asked; when it is back, nothing from before is believed.
    expect(await stale.access(session.accessToken)).toBe('SESSION_REVOKED')
    const second = await stale.signIn()
    expect(await stale.access(second.accessToken)).toBe('live')
    await stale.engine.live.poll()
    await node.rows("update user_sessions set revoked_at = now(), revoke_reason = 'manual' where id = $1", [
      second.session.id,
    ])
    expect(stale.engine.live.fresh).toBe(true)
    expect(await stale.access(second.accessToken)).toBe('SESSION_REVOKED')
  })
})

describe('confirmation', () => {
  test('the first request with a generation’s access token confirms it', async () => {
    const session = await node.signIn()
    const confirmed = async () => {
      await node.engine.writeBehind.flush()
      return node.rows(
        'select generation from refresh_tokens where session_id = $1 and confirmed_at is not null order by 1',
        [session.session.id],
      )
    }
    const next = tokensOf(await node.refresh(session.refreshToken))
    expect(await confirmed()).toEqual([{ generation: 0 }])
    await node.access(next.accessToken)
    expect(await confirmed()).toEqual([{ generation: 0 }, { generation: 1 }])
  })
})
