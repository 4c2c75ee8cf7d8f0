import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { UserId } from '../ids.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { Break, breakingPglite } from '../store/postgres/testing/breaking.ts'
import { testEngine } from '../testing/test-engine.ts'
import { deleteUser } from './delete-user.ts'

let api: InProcess
let owner: Member
beforeAll(async () => {
  api = await openInProcess({ mfa: { atSignIn: 'always' }, risk: { mode: 'off' }, rateLimits: {} })
  owner = await api.signUp()
})
afterAll(() => api?.close())

/** What may go on naming somebody: the audit log, which is for that, and the feed, which forgets within a day. */
const MAY_NAME = /^(?:audit_|changes$|sallyport_migrations$|test_writes$)/

/** The tables that mention any of these, wherever in their rows. */
async function mentioning(words: readonly string[]): Promise<string[]> {
  const tables = await api.rows(
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  )
  const found: string[] = []
  for (const name of tables.map((table) => String(table['name'])).filter((table) => !MAY_NAME.test(table))) {
    const like = words.map((word) => `t::text ilike '%${word}%'`).join(' or ')
    if ((await api.rows(`select 1 from ${name} t where ${like} limit 1`)).length > 0) found.push(name)
  }
  return found.sort()
}

const ok = ({ status, text }: Sent): void => expect(status, text).toBeLessThan(300)

/** Somebody who has done all there is to do. */
async function busy(): Promise<{ readonly person: Member; readonly words: readonly string[] }> {
  const person = await api.join(owner, 'admin')
  const { accessToken: token, email, tenantId, userId, staffId, sessionId } = person
  const colleague = await api.join(owner, 'member')
  await api.open(person, 'team_change', 'ip_rule_change', 'impersonate', 'revoke_session', 'security_settings')
  const send = (path: string, body: unknown) => api.send('POST', path, { body, token })

  ok(await send('/api/team/invitations', { email: 'somebody@example.com', name: 'So', role: 'member' }))
  ok(await send('/api/security/ip-rules', { type: 'DENY', cidr: '203.0.113.0/24' }))
  ok(await send(`/api/security/sessions/${colleague.sessionId}/revoke`, {}))
  const acting = await send(`/api/security/impersonate/${colleague.staffId}`, { reason: 'to see' })
  ok(acting)
  await api.open(owner, 'impersonate')
  const actedAs = await api.send('POST', `/api/security/impersonate/${staffId}`, {
    body: { reason: 'to see' },
    token: owner.accessToken,
  })
  ok(actedAs)
  ok(await send('/api/auth/email', { email: 'another@example.com' }))
  ok(await api.send('POST', '/api/auth/password/reset-request', { body: { email } }))
  const { factorId } = await api.enrol(person)
  const verify = { purpose: 'data_export', factor: 'totp', code: '000000' }
  expect((await send('/api/security/step-up/verify', verify)).status).toBe(400)
  ok(await api.send('POST', '/api/auth/refresh', { body: { refreshToken: person.refreshToken } }))
  const held = { email, password: PASSWORD, deviceFingerprint: 'laptop' }
  expect((await api.send('POST', '/api/auth/login', { body: held })).status).toBe(428)
  await api.rows(`insert into trusted_devices (tenant_id, staff_id, device_hash, trusted_until, last_seen_at)
    values ('${tenantId}', '${staffId}', 'd', now(), now())`)

  // Another tenant has invited the same address.
  const elsewhere = await api.signUp()
  await api.open(elsewhere, 'team_change')
  ok(
    await api.send('POST', '/api/team/invitations', {
      body: { email, name: 'Mo', role: 'member' },
      token: elsewhere.accessToken,
    }),
  )
  const words = [
    userId,
    staffId,
    sessionId,
    email,
    'another@example.com',
    factorId,
    acting.body.session.id,
    actedAs.body.session.id,
  ]
  return { person, words }
}

test('deleting a user leaves no table that mentions them, but the audit log', async () => {
  const { person, words } = await busy()
  const before = await mentioning(words)
  expect(before).toEqual([
    'guess_budgets',
    'ip_rules',
    'mfa_factors',
    'one_time_tokens',
    'pending_sign_ins',
    'recovery_codes',
    'refresh_tokens',
    'step_up_challenges',
    'tenant_staff',
    'token_families',
    'trusted_devices',
    'user_sessions',
    'users',
  ])
  await deleteUser(api.engine, person.userId as UserId)
  expect(await mentioning(words)).toEqual([])

  expect((await api.send('GET', '/api/auth/me', { token: person.accessToken })).status).toBe(401)
  // What was theirs to make goes on without them.
  expect(await api.rows(`select cidr from ip_rules where tenant_id = '${person.tenantId}'`)).toHaveLength(1)
  expect(await api.rows("select 1 from one_time_tokens where email = 'somebody@example.com'")).toHaveLength(1)
  const log = await api.rows(`select 1 from audit_logs where user_id = '${person.userId}'`)
  expect(log.length).toBeGreaterThan(5)
  expect((await api.rows(`select 1 from audit_logs where real_user_id = '${person.userId}'`)).length).toBeGreaterThan(0)
})

test('what went is told, with counts and digests, to each tenant and to the service’s own log; the last owner stays', async () => {
  const gone = await api.join(owner, 'member')
  await deleteUser(api.engine, gone.userId as UserId)
  const rows = await api.rows(
    `select tenant_id as tenant, metadata from audit_logs where action = 'EVIDENCE_PURGED' and resource_id = '${gone.userId}' order by tenant_id`,
  )
  expect(rows.map(({ tenant }) => tenant)).toEqual([gone.tenantId, null])
  const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as string
  expect(rows[0]?.['metadata']).toMatchObject({
    reason: 'user_deleted',
    tables: expect.arrayContaining([
      { table: 'user_sessions', count: 1, sha256: digest },
      { table: 'tenant_staff', count: 1, sha256: digest },
    ]) as unknown,
  })
  expect(rows[1]?.['metadata']).toMatchObject({ tables: [{ table: 'users', count: 1, sha256: digest }] })
  const ended = await api.rows(
    `select action from audit_logs where session_id = '${gone.sessionId}' and action = 'SESSION_REVOKED'`,
  )
  expect(ended).toHaveLength(1)
  await expect(deleteUser(api.engine, gone.userId as UserId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(deleteUser(api.engine, owner.userId as UserId)).rejects.toMatchObject({ code: 'LAST_OWNER' })
})

test.each(['before', 'after'] as const)(
  'a connection that breaks %s any of its statements leaves the person and no row of it, or the row and nobody',
  async (when) => {
    const pglite = await openInMemory()
    const node = await testEngine({}, pgliteDatabase(pglite))
    try {
      const person = await node.signIn()
      await node.signIn(await node.member({ tenantId: person.tenantId }))
      const left = async () => {
        const [row] = await node.rows<Record<string, number>>(
          `select (select count(*)::int from users where id = $1) as users,
            (select count(*)::int from user_sessions where user_id = $1) as sessions,
            (select count(*)::int from refresh_tokens where user_id = $1) as tokens,
            (select count(*)::int from tenant_staff where user_id = $1) as places,
            (select count(*)::int from audit_logs where action = 'EVIDENCE_PURGED') as told`,
          [person.userId],
        )
        return Object.values(row ?? {}).join()
      }
      const whole = await left()
      expect(whole).toBe('1,1,1,1,0')
      let statements = 0
      for (let broke = true; broke; statements++) {
        const fault = new Break(statements, when)
        const database = pgliteDatabase(breakingPglite(pglite, fault))
        const engine = { ...node.engine, store: { ...node.engine.store, team: postgresStore(database).team } }
        await deleteUser(engine, person.userId).catch(() => undefined)
        broke = fault.broke()
        const now = await left()
        expect([whole, '0,0,0,0,2']).toContain(now)
        if (now !== whole) break
      }
      expect(statements).toBeGreaterThan(15)
      expect(await left()).toBe('0,0,0,0,2')
    } finally {
      await node.close()
    }
  },
)
