import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InProcess } from '../../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../../tests/support/in-process.ts'
import { totpCode } from '../../../../server/src/demo/totp.ts'
import { PASSWORD } from '../../../../../tests/support/directory-bench.ts'

let api: InProcess
beforeAll(async () => {
  api = await openInProcess()
})
afterAll(() => api?.close())

const OURS = { origin: 'https://id.example.com' }
const FOREIGN = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }

const cookiesOf = (headers: Headers): string =>
  headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0] ?? '')
    .join('; ')

/** The two ways to a first session, each with what it takes. */
const WAYS = {
  'a sign-up': {
    path: '/api/auth/sign-up',
    body: async () => ({
      email: `p-${Math.trunc(performance.now() * 1000)}@example.com`,
      name: 'Pia',
      password: PASSWORD,
      tenantName: 'T',
    }),
  },
  'an accepted invitation': {
    path: '/api/auth/invitations/accept',
    body: async () => {
      const owner = await api.signUp()
      await api.open(owner, 'team_change')
      const email = `i-${Math.trunc(performance.now() * 1000)}@example.com`
      const invitation = { email, name: 'Ina', role: 'member' }
      await api.send('POST', '/api/team/invitations', { body: invitation, token: owner.accessToken })
      return { token: api.mailed(email, 'invitation'), name: 'Ina', password: PASSWORD }
    },
  },
} as const

describe.each(Object.entries(WAYS))('%s', (_, { path, body }) => {
  test('begins a session by cookie where that is asked for, bound to its device', async () => {
    const started = await api.send('POST', path, { body: { ...(await body()), delivery: 'cookie' }, headers: OURS })
    expect([started.status, started.body.refreshToken]).toEqual([201, undefined])
    const cookie = cookiesOf(started.headers)
    const refreshed = await api.send('POST', '/api/auth/refresh', { body: {}, headers: { ...OURS, cookie } })
    expect([refreshed.status, refreshed.body.refreshToken]).toEqual([200, undefined])
    const [family] = await api.rows(
      `select binding from token_families where session_id = '${started.body.session.id}'`,
    )
    expect(family?.['binding']).toBe('cookie')
  })

  test('keeps what the client says of its device, and answers the refresh token in the body by default', async () => {
    const started = await api.send('POST', path, { body: { ...(await body()), deviceFingerprint: 'device-7' } })
    expect([started.status, typeof started.body.refreshToken]).toEqual([201, 'string'])
    const [row] = await api.rows(
      `select device_fingerprint as d, device_cookie_hash is not null as c from user_sessions where id = '${started.body.session.id}'`,
    )
    expect(row).toEqual({ d: 'device-7', c: true })
  })

  test('by cookie is not for a page of another site', async () => {
    const given = { ...(await body()), delivery: 'cookie' }
    const refused = await api.send('POST', path, { body: given, headers: FOREIGN })
    expect([refused.status, refused.body.error]).toEqual([403, 'CSRF_REFUSED'])
    expect((await api.send('POST', path, { body: given, headers: OURS })).status).toBe(201)
  })
})

test('a sign-in that was held for a second factor has its place all the same, where a proxy tells it', async () => {
  const behind = await openInProcess({
    geo: { headers: { country: 'x-country', city: 'x-city' } },
    trustedProxies: 1,
    mfa: { atSignIn: 'enrolled' },
  })
  try {
    const owner = await behind.signUp()
    const { secret } = await behind.enrol(owner)
    // The code that enrolled the app is spent.
    await behind.advance(31_000)
    const headers = { 'x-country': 'DE', 'x-city': 'M%C3%BCnchen' }
    const forwarded = { ...headers, 'x-forwarded-for': '198.51.100.7' }
    const held = await behind.send('POST', '/api/auth/login', {
      body: { email: owner.email, password: PASSWORD },
      headers: forwarded,
    })
    expect(held.status).toBe(428)
    const [row] = await behind.rows(
      "select country, city from audit_logs where action = 'AUTH_LOGIN_FAILED' or action = 'STEP_UP_REQUIRED'",
    )
    expect(row).toEqual({ country: 'DE', city: 'München' })
    const body = { stepUpToken: held.body.stepUpToken, code: totpCode(secret, new Date(behind.now())) }
    const started = await behind.send('POST', '/api/auth/login/step-up', { body, headers: forwarded })
    expect([started.status, started.body.session?.country, started.body.session?.city]).toEqual([200, 'DE', 'München'])
  } finally {
    await behind.close()
  }
})

test('headers about a place that a stranger writes change nothing: neither the session nor its score', async () => {
  const open = await openInProcess({
    geo: { headers: { country: 'x-country' }, lookup: () => ({ country: 'AT' }) },
    trustedProxies: ['10.0.0.0/8'],
    risk: { mode: 'enforce' },
  })
  try {
    const owner = await open.signUp()
    const headers = { 'x-country': 'DE', 'x-forwarded-for': '10.0.0.1' }
    const body = { email: owner.email, password: PASSWORD }
    const started = await open.send('POST', '/api/auth/login', { body, headers })
    expect([started.status, started.body.session.country]).toEqual([200, 'AT'])
    const [row] = await open.rows(
      "select country, metadata -> 'reasons' as reasons from audit_logs where action = 'AUTH_LOGIN' order by id desc limit 1",
    )
    expect(row).toEqual({ country: 'AT', reasons: [] })
  } finally {
    await open.close()
  }
})

test('an invitation lets nobody past the second factor of an account that there is: it has joined, and is asked as at a sign-in', async () => {
  const asking = await openInProcess({ mfa: { atSignIn: 'enrolled' }, risk: { mode: 'enforce' } })
  try {
    const [owner, known] = [await asking.signUp(), await asking.signUp()]
    const { recoveryCodes } = await asking.enrol(known)
    await asking.open(owner, 'team_change')
    const invitation = { email: known.email, name: 'Kay', role: 'admin' }
    await asking.send('POST', '/api/team/invitations', { body: invitation, token: owner.accessToken })
    const body = { token: asking.mailed(known.email, 'invitation'), name: 'Kay', password: PASSWORD }
    const asked = await asking.send('POST', '/api/auth/invitations/accept', { body })
    expect(asked.body).toMatchObject({ error: 'STEP_UP_REQUIRED', purpose: 'sign_in', score: 0, reasons: [] })
    expect(asked.headers.getSetCookie()).toHaveLength(1)
    const opened = `select 1 from user_sessions where tenant_id = '${owner.tenantId}' and user_id = '${known.userId}'`
    expect(await asking.rows(opened)).toEqual([])

    const { stepUpToken } = asked.body
    const given = { stepUpToken, factor: 'recovery_code', code: recoveryCodes[0] }
    const done = await asking.send('POST', '/api/auth/login/step-up', { body: given })
    expect([done.status, done.body.tenant?.id, done.body.staff?.role]).toEqual([200, owner.tenantId, 'admin'])
  } finally {
    await asking.close()
  }
})
