import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { refused } from '../../../../tests/support/refused.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { API_ROUTES } from '../http/api.ts'
import { routeTable } from '../http/route-table.ts'
import { authenticate } from '../sessions/authenticate.ts'
import { endLapsedImpersonations } from './end-lapsed.ts'
import type { ImpersonationLimits } from './limits.ts'
import { checkImpersonation } from './limits.ts'

/** What may always be done: it ends the impersonation. */
const WAYS_OUT = ['exitImpersonation', 'logout']

let api: InProcess
let owner: Member
let admin: Member
let member: Member

beforeAll(async () => {
  api = await openInProcess({ risk: { mode: 'off' } })
  owner = await api.signUp()
  admin = await api.join(owner, 'admin')
  member = await api.join(owner, 'member')
})
afterAll(() => api?.close())

async function start(by: Member, staffId: string, reason = 'Ticket 4711'): Promise<Sent> {
  await api.open(by, 'impersonate')
  return api.send('POST', `/api/security/impersonate/${staffId}`, { body: { reason }, token: by.accessToken })
}
async function acting(by: Member = admin, as: Member = member): Promise<{ token: string; sessionId: string }> {
  const { status, body, text } = await start(by, as.staffId)
  expect(status, text).toBe(200)
  return { token: body.accessToken, sessionId: body.session.id }
}
const me = (token: string) => api.send('GET', '/api/auth/me', { token })
const exit = (token: string, body: unknown = {}) => api.send('POST', '/api/security/impersonate/exit', { body, token })
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const endedRows = (sessionId: string) =>
  api.rows(
    `select user_id as user, real_user_id as real, is_impersonating as acting, metadata->>'how' as how from audit_logs
      where action = 'IMPERSONATION_ENDED' and session_id = '${sessionId}'`,
  )

test('it starts as the member, says so everywhere, and lives half an hour without a refresh token', async () => {
  const { status, body } = await start(admin, member.staffId)
  expect([status, Object.keys(body).sort()]).toEqual([200, ['accessToken', 'expiresIn', 'session']])
  expect(body.session).toMatchObject({ kind: 'impersonation', impersonator: { id: admin.userId } })
  expect(body.expiresIn).toBeGreaterThan(29 * 60)
  expect(body.expiresIn).toBeLessThanOrEqual(30 * 60)
  expect(await api.rows(`select id from token_families where session_id = '${body.session.id}'`)).toEqual([])
  expect(await api.rows(`select id from refresh_tokens where session_id = '${body.session.id}'`)).toEqual([])
  expect(claimsOf(body.accessToken)).toMatchObject({ sub: member.userId, act: { sub: admin.userId } })
  const { body: who } = await me(body.accessToken)
  expect(who.user.id).toBe(member.userId)
  expect(who.impersonation).toMatchObject({ realUser: { id: admin.userId }, reason: 'Ticket 4711' })
  const { body: theirs } = await api.send('GET', '/api/security/sessions', { token: member.accessToken })
  expect(theirs.sessions.find((one: { id: string }) => one.id === body.session.id).impersonator.id).toBe(admin.userId)
  expect(
    await api.rows(
      `select user_id as user, real_user_id as real, is_impersonating as acting, metadata->>'reason' as reason
        from audit_logs where action = 'IMPERSONATION_STARTED' and session_id = '${body.session.id}'`,
    ),
  ).toEqual([{ user: member.userId, real: admin.userId, acting: true, reason: 'Ticket 4711' }])
})

describe('it does not start', () => {
  let disabled: Member
  let auditor: Member
  let granted: Member
  let stranger: Member
  beforeAll(async () => {
    disabled = await api.join(owner, 'member')
    await api.rows(`update tenant_staff set status = 'disabled' where id = '${disabled.staffId}'`)
    auditor = await api.join(owner, 'auditor')
    granted = await api.join(owner, 'member')
    await api.rows(`update tenant_staff set permissions = '{SETTINGS_SECURITY_EDIT}' where id = '${granted.staffId}'`)
    stranger = await api.signUp({ tenantName: 'Theirs' })
  })
  type Refusal = readonly [by: Member, staffId: string, body?: unknown]

  test.each<[string, () => Refusal, number, string, string | undefined]>([
    ['as an owner', () => [admin, owner.staffId], 403, 'CANNOT_IMPERSONATE', 'owner'],
    ['as an owner, by an owner', () => [owner, owner.staffId], 403, 'CANNOT_IMPERSONATE', 'self'],
    ['as oneself', () => [admin, admin.staffId], 403, 'CANNOT_IMPERSONATE', 'self'],
    ['as a disabled member', () => [admin, disabled.staffId], 403, 'CANNOT_IMPERSONATE', 'disabled'],
    ['as one with a greater role', () => [auditor, admin.staffId], 403, 'CANNOT_IMPERSONATE', 'more_rights'],
    ['as one with a permission more', () => [auditor, granted.staffId], 403, 'CANNOT_IMPERSONATE', 'more_rights'],
    ['as one of another tenant', () => [stranger, member.staffId], 404, 'NOT_FOUND', undefined],
    ['as nobody', () => [admin, '01900000-0000-7000-8000-000000000000'], 404, 'NOT_FOUND', undefined],
    ['by user id', () => [admin, member.userId], 404, 'NOT_FOUND', undefined],
    ['as what is no id', () => [admin, 'me'], 400, 'INVALID_REQUEST', undefined],
    ['without a reason', () => [admin, member.staffId, {}], 400, 'INVALID_REQUEST', undefined],
    ['for an empty reason', () => [admin, member.staffId, { reason: '' }], 400, 'INVALID_REQUEST', undefined],
    ['for a reason that is no text', () => [admin, member.staffId, { reason: 7 }], 400, 'INVALID_REQUEST', undefined],
    [
      'with more than is asked',
      () => [admin, member.staffId, { reason: 'x', role: 'owner' }],
      400,
      'INVALID_REQUEST',
      undefined,
    ],
    ['by a member', () => [member, auditor.staffId], 403, 'FORBIDDEN', undefined],
  ])('%s: nothing changes, and one FAIL row tells of it', async (_what, who, status, code, reason) => {
    const [by, staffId, body = { reason: 'Ticket 4711' }] = who()
    await api.open(by, 'impersonate')
    const { answer, row } = await refused(api, by, 'POST', `/api/security/impersonate/${staffId}`, body)
    expect([answer.status, answer.body.error, answer.body.reason]).toEqual([status, code, reason])
    expect(row).toMatchObject({ action: 'IMPERSONATION_STARTED', by: by.userId, real: null })
  })

  test('without a step-up of this session', async () => {
    const fresh = await api.login(admin.email)
    await api.open(admin, 'impersonate')
    const path = `/api/security/impersonate/${member.staffId}`
    expect((await refused(api, fresh, 'POST', path, { reason: 'x' })).answer.status).toBe(428)
  })

  test('from within an impersonation', async () => {
    const other = await api.join(owner, 'admin')
    const { token } = await acting(owner, other)
    const path = `/api/security/impersonate/${member.staffId}`
    const { answer, row } = await refused(api, { accessToken: token }, 'POST', path, { reason: 'x' })
    expect([answer.status, answer.body.error]).toEqual([403, 'NOT_WHILE_IMPERSONATING'])
    expect(row).toMatchObject({ by: other.userId, real: owner.userId })
  })
})

describe('while it lasts', () => {
  test('no step-up passes, and nobody learns whether a code was right', async () => {
    const { token } = await acting()
    const body = { purpose: 'security_settings', factor: 'totp', code: '123456' }
    const answer = await api.send('POST', '/api/security/step-up/verify', { body, token })
    expect([answer.status, answer.body.error]).toEqual([403, 'NOT_WHILE_IMPERSONATING'])
  })

  test('rights are the lesser of both, live', async () => {
    const auditor = await api.join(owner, 'auditor')
    const helper = await api.join(owner, 'admin')
    const { token } = await acting(helper, auditor)
    expect((await api.send('GET', '/api/team', { token })).status).toBe(200)
    await api.open(owner, 'team_change')
    // The one who acts loses what the one acted as still has.
    await api.send('PATCH', `/api/team/${helper.staffId}`, { body: { role: 'member' }, token: owner.accessToken })
    expect((await api.send('GET', '/api/team', { token })).status).toBe(403)
    expect((await me(token)).body.staff.permissions).toEqual([])
  })

  test('read-only refuses whatever changes anything, but not the way out', async () => {
    await api.open(owner, 'security_settings')
    const settings = { body: { impersonation: { readOnly: true } }, token: owner.accessToken }
    expect((await api.send('PATCH', '/api/security/settings', settings)).status).toBe(200)
    const { token } = await acting()
    expect((await me(token)).status).toBe(200)
    const { token: ableToken } = await acting(owner, await api.join(owner, 'admin'))
    const before = await api.snapshot()
    // Nothing that a host does passes either, unless it says that it changes nothing.
    const caller = await authenticate(api.engine, token, { ipAddress: '192.0.2.7' })
    const check = (mutates: boolean, whileImpersonating: ImpersonationLimits['whileImpersonating'] = 'allowed') =>
      checkImpersonation(api.engine, caller, { mutates, whileImpersonating })
    await expect(check(true)).rejects.toMatchObject({ code: 'NOT_WHILE_IMPERSONATING' })
    await check(false)
    await check(true, 'always')
    for (const { method, path, sample, mutates, auth, name } of routeTable(API_ROUTES)) {
      if (!mutates || auth !== 'session' || WAYS_OUT.includes(name)) continue
      const { status, body } = await api.send(method, sample.path, { body: sample.body, token: ableToken })
      expect([path, status, body.error]).toEqual([path, 403, 'NOT_WHILE_IMPERSONATING'])
    }
    expect(await api.snapshot()).toEqual(before)
    expect((await exit(token)).status).toBe(200)
    await api.send('PATCH', '/api/security/settings', {
      body: { impersonation: { readOnly: false, notify: true } },
      token: owner.accessToken,
    })
  })

  test('the person is told by mail where the tenant wants it', async () => {
    const told = await api.join(owner, 'member')
    await acting(admin, told)
    expect(api.mails(told.email).at(-1)).toMatchObject({ kind: 'impersonated' })
  })
})

describe('it ends', () => {
  test('by exit, whenever the step-up was; the weaker token never yields the stronger one', async () => {
    const { token, sessionId } = await acting()
    await api.advance(11 * 60_000)
    const answer = await exit(token)
    expect([answer.status, answer.body]).toEqual([200, { success: true }])
    expect((await me(token)).body.error).toBe('SESSION_REVOKED')
    expect(await endedRows(sessionId)).toEqual([{ user: member.userId, real: admin.userId, acting: true, how: 'exit' }])
    await api.advance(-11 * 60_000)
  })

  test('three cycles leave the real session as it was, and its refresh token brings its tokens back', async () => {
    let { refreshToken } = admin
    const kept = () =>
      api.rows(
        `select s.session_version, s.kind, s.delivery, s.expires_at, s.amr, s.auth_time, s.step_up_required_at, s.revoked_at,
            s.real_session_id, s.ip_address, st.role, st.permissions, st.session_version as version,
            f.revoked_at as family_ended
          from user_sessions s join tenant_staff st on st.id = s.staff_id join token_families f on f.session_id = s.id
          where s.id = '${admin.sessionId}'`,
      )
    const before = await kept()
    expect(before).toHaveLength(1)
    for (let cycle = 0; cycle < 3; cycle++) {
      const { token } = await acting()
      const { status, body } = await exit(token, { refreshToken })
      expect([status, body.session.id, body.session.kind]).toEqual([200, admin.sessionId, 'login'])
      expect(claimsOf(body.accessToken).act).toBeUndefined()
      refreshToken = body.refreshToken
      expect((await me(body.accessToken)).body.user.id).toBe(admin.userId)
    }
    expect((await me(admin.accessToken)).status).toBe(200)
    expect(await kept()).toEqual(before)
    admin = { ...admin, refreshToken }
  })

  test('another session’s refresh token brings nothing, and is not used up', async () => {
    const other = await api.login(admin.email)
    const { token } = await acting()
    expect((await exit(token, { refreshToken: other.refreshToken })).body).toEqual({ success: true })
    const again = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: other.refreshToken } })
    expect(again.headers.get('sallyport-refresh')).toBe('rotated')
  })

  test('exit by one who acts as nobody is 409', async () => {
    expect((await exit(admin.accessToken)).body.reason).toBe('not_impersonating')
  })

  test('with a proof that is no good: nothing keeps it from ending, and the token that came along is not used', async () => {
    const { token, sessionId } = await acting()
    const answer = await api.send('POST', '/api/security/impersonate/exit', {
      body: { refreshToken: admin.refreshToken },
      token,
      headers: { dpop: 'nonsense' },
    })
    expect([answer.status, answer.body]).toEqual([200, { success: true }])
    expect(await endedRows(sessionId)).toMatchObject([{ how: 'exit' }])
    const again = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: admin.refreshToken } })
    expect(again.headers.get('sallyport-refresh')).toBe('rotated')
    admin = { ...admin, refreshToken: again.body.refreshToken }
  })

  test('by time, and gets its row once', async () => {
    const { token, sessionId } = await acting()
    await api.advance(31 * 60_000)
    expect((await me(token)).status).toBe(401)
    await endLapsedImpersonations(api.engine)
    await endLapsedImpersonations(api.engine)
    expect(await endedRows(sessionId)).toEqual([
      { user: member.userId, real: admin.userId, acting: true, how: 'expired' },
    ])
    await api.advance(-31 * 60_000)
  })

  test.each<[string, (real: Member, target: Member) => Promise<Sent>, string]>([
    ['the real session is revoked', (real) => revoke(real, real.sessionId), 'manual'],
    [
      'the one acting signs out',
      (real) => api.send('POST', '/api/auth/logout', { body: {}, token: real.accessToken }),
      'logout',
    ],
    ['the one acting is forced out', (real) => forceOut(real), 'force_logout'],
    ['the one acting is disabled', (real) => disable(real), 'member_disabled'],
    ['the one acted as is forced out', (_real, target) => forceOut(target), 'force_logout'],
    ['the one acted as is disabled', (_real, target) => disable(target), 'member_disabled'],
    ['the one acted as is removed', (_real, target) => removeMember(target), 'member_removed'],
  ])('at once when %s', async (_what, end, how) => {
    const real = await api.join(owner, 'admin')
    const target = await api.join(owner, 'member')
    const { token, sessionId } = await acting(real, target)
    expect((await me(token)).status).toBe(200)
    expect((await end(real, target)).status).toBe(200)
    expect((await me(token)).status).toBe(401)
    expect(await endedRows(sessionId)).toEqual([{ user: target.userId, real: real.userId, acting: true, how }])
  })

  test.each<[string, (real: Member, target: Member) => string, string]>([
    [
      'the person acting is disabled everywhere',
      (real) => `update users set disabled_at = now() where id = '${real.userId}'`,
      'member_disabled',
    ],
    [
      'the person acted as is disabled everywhere',
      (_real, target) => `update users set disabled_at = now() where id = '${target.userId}'`,
      'member_disabled',
    ],
    [
      'the version of the one acting moves',
      (real) => `update tenant_staff set session_version = session_version + 1 where id = '${real.staffId}'`,
      'force_logout',
    ],
    [
      'the one acted as is removed by the host',
      (_real, target) => `update tenant_staff set status = 'removed' where id = '${target.staffId}'`,
      'member_removed',
    ],
  ])('when %s past this API, and the register and the log agree on how', async (_what, change, how) => {
    const real = await api.join(owner, 'admin')
    const target = await api.join(owner, 'member')
    const { token, sessionId } = await acting(real, target)
    expect((await me(token)).status).toBe(200)
    await api.rows(change(real, target))
    for (const [kind, ref] of [
      ['user', real.userId],
      ['user', target.userId],
      ['staff', real.staffId],
      ['staff', target.staffId],
    ]) {
      await api.rows(`insert into changes (kind, ref) values ('${kind}', '${ref}')`)
    }
    await api.engine.live.poll()
    expect((await me(token)).status).toBe(401)
    await endLapsedImpersonations(api.engine)
    expect(await endedRows(sessionId)).toEqual([{ user: target.userId, real: real.userId, acting: true, how }])
    const { body } = await api.send('GET', '/api/security/impersonations?limit=1', { token: owner.accessToken })
    expect(body.impersonations[0]).toMatchObject({ sessionId, ended: how })
  })

  test('when the person ends it in their own list', async () => {
    const { token, sessionId } = await acting()
    expect((await revoke(member, sessionId)).status).toBe(200)
    expect((await me(token)).body.error).toBe('SESSION_REVOKED')
    expect(await endedRows(sessionId)).toMatchObject([{ how: 'manual' }])
  })
})

test('the register tells who, whom, why, when and how it ended, page by page, to those who may see', async () => {
  const { sessionId } = await acting()
  const { status, body } = await api.send('GET', '/api/security/impersonations?limit=2', { token: owner.accessToken })
  expect(status).toBe(200)
  expect(body.impersonations[0]).toMatchObject({
    sessionId,
    realUser: { id: admin.userId },
    user: { id: member.userId },
    reason: 'Ticket 4711',
    ended: null,
  })
  expect(body.impersonations[0].events).toContain(`/api/audit/events?sessionId=${sessionId}`)
  const next = await api.send('GET', `/api/security/impersonations?limit=2&cursor=${body.nextCursor}`, {
    token: owner.accessToken,
  })
  expect(next.body.impersonations).toHaveLength(2)
  expect(next.body.impersonations.map((one: { sessionId: string }) => one.sessionId)).not.toContain(sessionId)
  expect((await api.send('GET', '/api/security/impersonations', { token: member.accessToken })).status).toBe(403)
})

test('every row of its session names both people, whatever was tried, and the register leads to those rows alone', async () => {
  const { token, sessionId } = await acting()
  const path = `/api/team/${admin.staffId}`
  await api.send('GET', '/api/security/sessions', { token })
  expect((await api.send('PATCH', path, { body: { role: 'member' }, token })).status).toBe(403)
  expect((await api.send('POST', '/api/auth/password', { body: passwords(), token })).status).toBe(403)
  expect((await api.send('GET', '/api/compliance/export/audit-logs.csv', { token })).status).toBe(403)
  expect(
    (await api.send('POST', `/api/security/impersonate/${owner.staffId}`, { body: { reason: 'x' }, token })).status,
  ).toBe(403)
  // What the person does themselves meanwhile is no part of it.
  await api.send('PATCH', path, { body: { role: 'member' }, token: member.accessToken })
  expect((await exit(token)).status).toBe(200)

  const rows = await api.rows(
    `select action, user_id as user, real_user_id as real, is_impersonating as acting, actor_name as name from audit_logs
      where session_id = '${sessionId}' order by created_at, id`,
  )
  expect(rows.map(({ action }) => action)).toEqual([
    'IMPERSONATION_STARTED',
    'USER_ROLE_UPDATED',
    'PASSWORD_CHANGED',
    'DATA_EXPORT_FAILED',
    'IMPERSONATION_STARTED',
    'IMPERSONATION_ENDED',
  ])
  for (const row of rows)
    expect(row).toMatchObject({ user: member.userId, real: admin.userId, acting: true, name: 'Mo' })

  const { body } = await api.send('GET', '/api/security/impersonations?limit=1', { token: owner.accessToken })
  const linked = await api.send('GET', body.impersonations[0].events, { token: owner.accessToken })
  expect(linked.body.events.map((event: { action: string }) => event.action)).toEqual(
    rows.map(({ action }) => action).toReversed(),
  )
  for (const event of linked.body.events) expect(event).toMatchObject({ sessionId, isImpersonating: true })
})

describe('the real session', () => {
  test('is not unused while its person acts as another, by however short a limit', async () => {
    await api.open(owner, 'security_settings')
    const limit = (idle: number | null) =>
      api.send('PATCH', '/api/security/settings', { body: { session: { idle } }, token: owner.accessToken })
    const real = await api.join(owner, 'admin')
    expect((await limit(600)).status).toBe(200)
    const { token } = await acting(real)
    for (let minutes = 5; minutes <= 25; minutes += 5) {
      await api.advance(5 * 60_000)
      expect((await me(token)).status).toBe(200)
    }
    expect((await exit(token)).status).toBe(200)
    await api.engine.writeBehind.flush()
    const back = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: real.refreshToken } })
    expect([back.status, back.body.session?.id]).toEqual([200, real.sessionId])
    // And is, when nobody does anything.
    const second = await acting(real)
    await api.advance(11 * 60_000)
    expect((await me(second.token)).status).toBe(401)
    await api.advance(-36 * 60_000)
    expect((await limit(null)).status).toBe(200)
  })
})

describe('where refreshes are scored', () => {
  const APP = 'https://app.example.com'
  let scored: InProcess
  beforeAll(async () => {
    scored = await openInProcess({ allowedOrigins: [APP], risk: { mode: 'enforce' } })
  })
  afterAll(() => scored?.close())

  const begin = async (real: Member, target: Member): Promise<string> => {
    await scored.open(real, 'impersonate')
    const { body, text } = await scored.send('POST', `/api/security/impersonate/${target.staffId}`, {
      body: { reason: 'to see' },
      token: real.accessToken,
    })
    expect(body.accessToken, text).toBeDefined()
    return body.accessToken
  }
  const leave = (token: string, body: unknown, headers: Record<string, string> = {}) =>
    scored.send('POST', '/api/security/impersonate/exit', { body, token, headers })

  test('three cycles of a cookie’s session leave it as it was: the cookies that come along are its device’s', async () => {
    const boss = await scored.signUp()
    const target = await scored.join(boss, 'member')
    const jar = new Map<string, string>()
    const keep = ({ headers }: Sent) => {
      for (const line of headers.getSetCookie()) {
        const [pair = ''] = line.split(';')
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
    }
    const cookies = () => ({ origin: APP, cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') })
    const login = { email: boss.email, password: PASSWORD, delivery: 'cookie' }
    const signedIn = await scored.send('POST', '/api/auth/login', { body: login, headers: { origin: APP } })
    keep(signedIn)
    const { id: sessionId } = signedIn.body.session
    let { accessToken } = signedIn.body
    for (let cycle = 0; cycle < 3; cycle++) {
      const token = await begin({ ...boss, sessionId, accessToken }, target)
      const back = await leave(token, {}, cookies())
      keep(back)
      expect([back.status, back.body.session?.id], back.text).toEqual([200, sessionId])
      accessToken = back.body.accessToken
    }
    const [row] = await scored.rows(
      `select step_up_required_at as waits, revoked_at as ended, kind from user_sessions where id = '${sessionId}'`,
    )
    expect(row).toEqual({ waits: null, ended: null, kind: 'login' })
    const renewed = await scored.send('POST', '/api/auth/refresh', { headers: cookies() })
    expect(renewed.headers.get('sallyport-refresh')).toBe('rotated')
  })

  test('a session that is known by its fingerprint, and one that is bound to a key, come back by them', async () => {
    const boss = await scored.signUp()
    const target = await scored.join(boss, 'member')
    const device = { deviceFingerprint: 'laptop' }
    const known = await scored.send('POST', '/api/auth/login', {
      body: { email: boss.email, password: PASSWORD, ...device },
    })
    const real = { ...boss, sessionId: known.body.session.id, accessToken: known.body.accessToken }
    const back = await leave(await begin(real, target), { refreshToken: known.body.refreshToken, ...device })
    expect([back.status, back.body.session?.id], back.text).toEqual([200, real.sessionId])

    const proofFor = dpopKey()
    const bound = await scored.send('POST', '/api/auth/login', {
      body: { email: boss.email, password: PASSWORD },
      headers: proofFor('/api/auth/login'),
    })
    expect(claimsOf(bound.body.accessToken).cnf).toBeDefined()
    const holder = { ...boss, sessionId: bound.body.session.id, accessToken: bound.body.accessToken }
    const { refreshToken } = bound.body
    expect((await leave(await begin(holder, target), { refreshToken })).body).toEqual({ success: true })
    const proven = await leave(
      await begin(holder, target),
      { refreshToken },
      proofFor('/api/security/impersonate/exit'),
    )
    expect([proven.status, proven.body.session?.id], proven.text).toEqual([200, holder.sessionId])
    expect(claimsOf(proven.body.accessToken).cnf).toEqual(claimsOf(bound.body.accessToken).cnf)
  })
})

const passwords = () => ({ currentPassword: PASSWORD, newPassword: 'twelve golden badgers sing' })

/** A key of a client, and its proofs (RFC 9449). */
function dpopKey(): (path: string) => Record<string, string> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return (path) => {
    const head = text({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) })
    const claims = {
      jti: randomUUID(),
      htm: 'POST',
      htu: `https://id.example.com${path}`,
      iat: Math.floor(Date.now() / 1000),
    }
    const signed = `${head}.${text(claims)}`
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return { dpop: `${signed}.${signature.toString('base64url')}` }
  }
}

async function revoke(by: Member, sessionId: string): Promise<Sent> {
  await api.open(by, 'revoke_session')
  return api.send('POST', `/api/security/sessions/${sessionId}/revoke`, { token: by.accessToken })
}
async function forceOut(who: Member): Promise<Sent> {
  await api.open(owner, 'force_logout')
  return api.send('POST', `/api/security/force-logout/${who.userId}`, { token: owner.accessToken })
}
async function disable(who: Member): Promise<Sent> {
  await api.open(owner, 'team_change')
  return api.send('PATCH', `/api/team/${who.staffId}`, { body: { disabled: true }, token: owner.accessToken })
}
async function removeMember(who: Member): Promise<Sent> {
  await api.open(owner, 'team_change')
  return api.send('DELETE', `/api/team/${who.staffId}`, { token: owner.accessToken })
}
