import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { OTHER_PASSWORD, PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { STOLEN, stolenDevice } from '../../../../tests/support/stolen-device.ts'
import { wrongTotpCode } from '../../../../tests/support/totp.ts'
import type { Alert } from './what-happened.ts'
import { WHAT_HAPPENED } from './what-happened.ts'

const MINUTE = 60_000

describe('whoever is concerned is told by mail', () => {
  let api: InProcess
  let owner: Member
  let admin: Member
  let auditor: Member
  let stranger: Member
  beforeAll(async () => {
    api = await openInProcess({ risk: { mode: 'enforce', signals: [stolenDevice], thresholds: { rapidSessions: 0 } } })
    owner = await api.signUp()
    admin = await api.join(owner, 'admin')
    auditor = await api.join(owner, 'auditor')
    stranger = await api.signUp({ tenantName: 'Elsewhere' })
  })
  afterAll(() => api?.close())

  const login = (member: Member, deviceFingerprint: string): Promise<Sent> =>
    api.send('POST', '/api/auth/login', { body: { email: member.email, password: PASSWORD, deviceFingerprint } })
  const change = (member: Member, method: string, path: string, body?: unknown): Promise<Sent> =>
    api.send(method, path, { token: member.accessToken, ...(body !== undefined && { body }) })

  /** What makes it happen to a member, the kind of mail that tells them, and how many of that kind all of it sends. */
  const HAPPENINGS: [Alert, string, (member: Member) => Promise<unknown>, number?][] = [
    [
      'token_reused',
      'token_reused',
      async ({ refreshToken }) => {
        const send = () => api.send('POST', '/api/auth/refresh', { body: { refreshToken } })
        expect((await send()).status).toBe(200)
        await api.advance(MINUTE)
        expect((await send()).body.error).toBe('REFRESH_TOKEN_REUSED')
      },
    ],
    [
      'session_blocked',
      'security_alert',
      async (member) => expect((await login(member, STOLEN)).body.error).toBe('SESSION_BLOCKED'),
    ],
    [
      'new_device',
      'security_alert',
      async (member) => {
        expect((await login(member, 'phone')).status).toBe(200)
        expect((await login(member, 'laptop')).status).toBe(200)
      },
    ],
    ['factor_enrolled', 'factor_enrolled', (member) => api.enrol(member)],
    [
      'factor_removed',
      'factor_disabled',
      async (member) => {
        const { factorId } = await api.enrol(member)
        await api.open(member, 'security_settings')
        expect((await change(member, 'DELETE', `/api/security/mfa/factors/${factorId}`)).status).toBe(200)
      },
    ],
    [
      'factors_reset',
      'factor_disabled',
      async (member) => {
        await api.enrol(member)
        await api.open(owner, 'team_change')
        expect((await change(owner, 'POST', `/api/team/${member.staffId}/reset-factors`)).status).toBe(200)
      },
    ],
    [
      'factor_locked',
      'factor_disabled',
      async (member) => {
        const { secret } = await api.enrol(member)
        const guess = () => {
          const code = wrongTotpCode(secret, api.now())
          return change(member, 'POST', '/api/security/step-up/verify', { purpose: 'data_export', code })
        }
        expect((await guess()).body.error).toBe('INVALID_OTP')
        // Days of wrong codes, without the days.
        await api.rows(`update guess_budgets set consecutive = 99 where user_id = '${member.userId}'`)
        expect((await guess()).body.error).toBe('INVALID_OTP')
      },
    ],
    [
      'recovery_codes_replaced',
      'factor_enrolled',
      async (member) => {
        await api.enrol(member)
        await api.open(member, 'security_settings')
        expect((await change(member, 'POST', '/api/security/mfa/recovery-codes')).status).toBe(200)
      },
      // The first is of the factor itself.
      2,
    ],
    [
      'password_changed',
      'password_changed',
      async (member) => {
        await api.open(member, 'security_settings')
        const body = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }
        expect((await change(member, 'POST', '/api/auth/password', body)).status).toBe(200)
      },
    ],
  ]

  test.each(HAPPENINGS)(
    '%s: the person and the admins of the tenant, nobody else',
    async (what, kind, happen, mails = 1) => {
      const member = await api.join(owner, 'member')
      const seen = (to: Member) => api.mails(to.email).filter(({ subject }) => subject === WHAT_HAPPENED[what].subject)
      const told = (to: Member) => api.mails(to.email).filter((mail) => mail.kind === kind)
      const before = [owner, admin].map((to) => seen(to).length)
      expect(told(member)).toHaveLength(0)
      await happen(member)
      // Mails go out after the answer.
      await vi.waitFor(() => {
        expect([owner, admin].map((to) => seen(to).length)).toEqual(before.map((count) => count + 1))
        expect(told(member)).toHaveLength(mails)
      })
      for (const other of [auditor, stranger]) expect(seen(other)).toEqual([])
      // What to do about it, and whence it came.
      expect(told(member).at(-1)?.text).toContain('192.0.2.7')
      expect(seen(admin).at(-1)?.text).toContain(WHAT_HAPPENED[what].toAdmins.advice)
    },
  )
  test('a reset of one who has no factors is told to nobody: nothing was removed', async () => {
    const [without, having] = [await api.join(owner, 'member'), await api.join(owner, 'member')]
    await api.enrol(having)
    await api.open(owner, 'team_change')
    const about = ({ email }: Member) => api.mails(email).filter(({ subject, text }) => /factor/i.test(subject + text))
    const before = [about(without).length, about(having).length] as const
    for (const { staffId } of [without, having]) {
      expect((await change(owner, 'POST', `/api/team/${staffId}/reset-factors`)).status).toBe(200)
    }
    // Sent after the other would have been.
    await vi.waitFor(() => expect(about(having).length).toBeGreaterThan(before[1]))
    expect(about(without)).toHaveLength(before[0])
  })
  test('email_changed: both addresses and the admins of the tenant, nobody else', async () => {
    const member = await api.join(owner, 'member')
    const [before, after] = [member.email, 'moved@example.com']
    const { subject, toAdmins } = WHAT_HAPPENED.email_changed
    const seen = (to: string) => api.mails(to).filter((mail) => mail.subject === subject)
    const told = (to: string) => api.mails(to).filter(({ kind }) => kind === 'email_changed')
    await api.open(member, 'security_settings')
    expect((await change(member, 'POST', '/api/auth/email', { email: after })).status).toBe(202)
    // Whoever asked may be a thief: the owner of the account reads of it before it is so.
    await vi.waitFor(() => expect(told(before)).toHaveLength(1))
    expect(seen(owner.email)).toEqual([])
    const body = { token: api.mailed(after, 'email_change') }
    expect((await api.send('POST', '/api/auth/email/verify', { body })).status).toBe(200)
    await vi.waitFor(() => {
      expect([told(before).length, told(after).length]).toEqual([2, 1])
      for (const to of [owner, admin]) expect(seen(to.email).at(-1)?.text).toContain(toAdmins.advice)
    })
    for (const other of [auditor, stranger]) expect(seen(other.email)).toEqual([])
    expect(told(after)[0]?.text).toContain('192.0.2.7')
  })
})
