import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { STOLEN, stolenDevice } from '../../../../tests/support/stolen-device.ts'

const MINUTE = 60_000

describe('limits that a tenant tightens', () => {
  let api: InProcess
  let owner: Member
  /** Signed in before the limits were tightened, and past them since. */
  let old: Member

  beforeAll(async () => {
    api = await openInProcess({
      sessionLimit: { max: 2, policy: 'deny' },
      risk: { mode: 'enforce', signals: [stolenDevice], thresholds: { rapidSessions: 0 } },
    })
  })
  beforeEach(async () => {
    owner = await api.signUp()
    old = await api.join(owner, 'member')
  })
  afterAll(() => api?.close())

  const login = (email: string, deviceFingerprint?: string): Promise<Sent> =>
    api.send('POST', '/api/auth/login', { body: { email, password: PASSWORD, deviceFingerprint } })
  const refresh = (refreshToken: string): Promise<Sent> =>
    api.send('POST', '/api/auth/refresh', { body: { refreshToken } })
  const get = async (path: string, by: Member) => (await api.send('GET', path, { token: by.accessToken })).body

  /** Half an hour on, with the owner signed in anew and `old` not. */
  async function tighten(session: { readonly idle?: number; readonly maxLife?: number }): Promise<Member> {
    await api.advance(30 * MINUTE)
    const admin = await api.login(owner.email)
    await api.open(admin, 'security_settings')
    const answer = await api.send('PATCH', '/api/security/settings', { body: { session }, token: admin.accessToken })
    expect(answer.status, answer.text).toBe(200)
    return admin
  }

  for (const session of [{ maxLife: 1200 }, { idle: 1200 }]) {
    const [limit] = Object.keys(session)

    test(`take a session beyond ${limit} out of every list and count at once, as its next request is refused`, async () => {
      const admin = await tighten(session)
      // Nobody has asked with it since: what is refused below was never marked in its row.
      const of = `/api/security/sessions?userId=${old.userId}`
      expect((await get(of, admin)).sessions).toEqual([])
      expect((await get(`${of}&state=ended`, admin)).sessions).toMatchObject([{ id: old.sessionId }])
      const { members } = await get('/api/team', admin)
      expect(members.find(({ user }: { user: { id: string } }) => user.id === old.userId).liveSessions).toBe(0)
      const overview = await get('/api/security/overview', admin)
      expect(overview.live).toEqual({ sessions: 1, users: 1, impersonations: 0 })
      expect(overview.sessions.at(-1).active).toBe(1)
      const { controls } = await get('/api/compliance/checklist', admin)
      const tracked = controls.find(({ id }: { id: string }) => id === 'active-session-tracking')
      expect(tracked.evidence.liveSessions).toBe(1)
      await api.open(admin, 'ip_rule_change')
      const preview = { type: 'ALLOW', cidr: '203.0.113.0/24' }
      const { body } = await api.send('POST', '/api/security/ip-rules/preview', {
        body: preview,
        token: admin.accessToken,
      })
      expect(body.looked).toBe(1)
      expect((await api.send('GET', '/api/auth/me', { token: old.accessToken })).status).toBe(401)
    })

    test(`leave no place of the cap taken by a session beyond ${limit}`, async () => {
      expect((await login(old.email)).status).toBe(200)
      expect((await login(old.email)).body.error).toBe('SESSION_LIMIT')
      await tighten(session)
      expect((await login(old.email)).status).toBe(200)
      expect((await login(old.email)).status).toBe(200)
      expect((await login(old.email)).body.error).toBe('SESSION_LIMIT')
    })

    test(`cost a refresh beside a session beyond ${limit} no second round trip`, async () => {
      await tighten(session)
      const facts = vi.spyOn(api.engine.store.tokens, 'facts')
      const first = await refresh((await login(old.email)).body.refreshToken)
      facts.mockClear()
      // Where the token is written, what it was judged by is counted once more: by the same limits, or it would be read anew.
      expect((await refresh(first.body.refreshToken)).status).toBe(200)
      expect(facts).not.toHaveBeenCalled()
      facts.mockRestore()
      expect((await refresh(old.refreshToken)).status).toBe(401)
    })

    test(`make a forced logout needless after an incident, where the sessions from before it are beyond ${limit}`, async () => {
      expect((await login(old.email, STOLEN)).body.error).toBe('SESSION_BLOCKED')
      const done = async (by: Member) => {
        const { incidents } = await get('/api/security/incidents', by)
        const { advice } = await get(`/api/security/incidents/${incidents[0].id}`, by)
        return advice.find(({ code }: { code: string }) => code === 'force_logout').done
      }
      expect(await done(owner)).toBe(false)
      expect(await done(await tighten(session))).toBe(true)
    })
  }

  test('end an impersonation whose admin’s own session is beyond them', async () => {
    await api.advance(15 * MINUTE)
    await api.open(owner, 'impersonate', 'security_settings')
    const refreshed = await refresh(owner.refreshToken)
    const token: string = refreshed.body.accessToken
    const begun = await api.send('POST', `/api/security/impersonate/${old.staffId}`, {
      body: { reason: 'a ticket about a broken page' },
      token,
    })
    expect(begun.status, begun.text).toBe(200)
    const me = () => api.send('GET', '/api/auth/me', { token: begun.body.accessToken })
    expect((await me()).status).toBe(200)
    const answer = await api.send('PATCH', '/api/security/settings', { body: { session: { maxLife: 1200 } }, token })
    expect(answer.status, answer.text).toBe(200)
    await api.advance(6 * MINUTE)
    expect((await me()).body.error).toBe('SESSION_REVOKED')
  })
})
