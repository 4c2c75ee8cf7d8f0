/**
 * A tenant with members and their sessions, to measure with.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import type { Sallyport, SessionId, StaffId, Store, TenantId, UserId } from './library.ts'
import { createSession, newId, sallyport } from './library.ts'

/** The server secret of this run; servers in processes of their own are told it. */
export const SECRET = randomBytes(32).toString('base64url')
export const ISSUER = 'https://bench.example.com'

/** What a browser sends. */
export const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
export const REQUEST = { ipAddress: '203.0.113.7', userAgent: USER_AGENT, correlationId: 'bench' } as const

/** Runs SQL on the database that the instance is on. */
export type RunSql = (text: string, values: unknown[]) => Promise<unknown>

export interface Member {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
}

export interface BenchSession extends Member {
  readonly sessionId: SessionId
  readonly accessToken: string
  readonly refreshToken: string
}

/** An instance with the defaults, on a store that is migrated here. */
export async function openGuard(store: Store, secret = SECRET): Promise<Sallyport> {
  await store.migrate()
  const guard = sallyport({
    // All load comes from one address. Never all limits off: some servers here run as in production, which refuses that.
    rateLimits: { refresh: { subject: 0, address: 0 } },
    store,
    issuer: ISSUER,
    secrets: [secret],
  })
  await guard.start()
  return guard
}

export async function addMembers(run: RunSql, count: number): Promise<Member[]> {
  const tenantId = newId<TenantId>()
  const slug = `bench-${tenantId.slice(-12)}`
  await run('insert into tenants (id, slug, name, created_at) values ($1, $2, $2, now())', [tenantId, slug])
  const members: Member[] = []
  for (let n = 0; n < count; n++) {
    const userId = newId<UserId>()
    const staffId = newId<StaffId>()
    await run('insert into users (id, email, name, created_at) values ($1, $2, $3, now())', [
      userId,
      `${userId}@example.com`,
      `Member ${n}`,
    ])
    await run(
      "insert into tenant_staff (id, tenant_id, user_id, role, created_at) values ($1, $2, $3, 'member', now())",
      [staffId, tenantId, userId],
    )
    members.push({ tenantId, userId, staffId })
  }
  return members
}

/** Signs each member in `each` times. Whoever is to refresh signs in once: many sign-ins in a short time are stopped as a risk. */
export async function signIn(guard: Sallyport, members: readonly Member[], each = 1): Promise<BenchSession[]> {
  const sessions: BenchSession[] = []
  const waiting = Array.from({ length: each }, () => members).flat()
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) {
        const issued = await createSession(guard.engine, {
          ...member,
          userName: 'Member',
          amr: ['pwd'],
          request: REQUEST,
          cause: { action: 'AUTH_LOGIN', resource: 'session' },
        })
        if (issued === undefined) throw new Error('a member could not sign in')
        const { accessToken, refreshToken, session } = issued
        sessions.push({ ...member, sessionId: session.id, accessToken, refreshToken })
      }
    }),
  )
  return sessions
}
