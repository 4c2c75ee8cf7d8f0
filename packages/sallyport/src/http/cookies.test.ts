import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import type { SallyportOptions } from '../options.ts'
import { totpCode } from '../../../server/src/demo/totp.ts'
import { withOrigins } from './cors.ts'

const APP = 'https://app.example.com'
const NAME = '__Host-sallyport-session'
let api: InProcess
let owner: Member

beforeAll(async () => {
  api = await openInProcess({ allowedOrigins: [APP], risk: { mode: 'off' }, rateLimits: 'off' })
  owner = await api.signUp()
})
afterAll(() => api?.close())

const tokenIn = (answer: Sent, name = NAME): string => {
  const line = answer.headers.getSetCookie().find((one) => one.startsWith(`${name}=`))
  return line?.slice(name.length + 1).split(';')[0] ?? ''
}
const login = async (): Promise<Sent & { readonly cookie: string }> => {
  const body = { email: owner.email, password: PASSWORD, delivery: 'cookie' }
  const answer = await api.send('POST', '/api/auth/login', { body, headers: { origin: APP } })
  expect(answer.status, answer.text).toBe(200)
  return { ...answer, cookie: tokenIn(answer) }
}
const withCookie = (path: string, cookie: string, headers: Record<string, string> = { origin: APP }, name = NAME) =>
  api.send('POST', path, { headers: { cookie: `${name}=${cookie}`, ...headers } })
const codeOf = ({ status, body }: Sent) => [status, body?.error]

describe('a sign-in that asks for a cookie', () => {
  test('gets the refresh token in no body, and the cookies with every attribute', async () => {
    const answer = await login()
    expect(answer.text).not.toContain('sprt_')
    expect(answer.body.refreshToken).toBeUndefined()
    const cookies = answer.headers
      .getSetCookie()
      .map((line) => line.replace(/=[^;]*/, '='))
      .filter((line) => !line.includes('-device='))
    expect(cookies).toEqual([
      `${NAME}=; Path=/; SameSite=Lax; Secure; Max-Age=259200; HttpOnly`,
      'iat=; Path=/; SameSite=Lax; Secure; Max-Age=259200',
    ])
    expect(answer.cookie).toMatch(/^sprt_/)
    expect(Number(tokenIn(answer, 'iat'))).toBeGreaterThan(Date.now() - 10_000)
    expect(answer.headers.getSetCookie().every((line) => line.length <= 4096)).toBe(true)
  })

  test('begins a session of its own, whatever it brought along', async () => {
    const first = await login()
    const body = { email: owner.email, password: PASSWORD, delivery: 'cookie' }
    const second = await api.send('POST', '/api/auth/login', {
      body,
      token: first.body.accessToken,
      headers: { origin: APP, cookie: `${NAME}=${first.cookie}` },
    })
    expect(second.status).toBe(200)
    expect(second.body.session.id).not.toBe(first.body.session.id)
    expect(second.body.accessToken).not.toBe(first.body.accessToken)
    expect(tokenIn(second)).not.toBe(first.cookie)
    expect(tokenIn(second)).toMatch(/^sprt_/)
  })

  test('is refused to a foreign page, which could sign a person in to somebody else’s account', async () => {
    const body = { email: owner.email, password: PASSWORD, delivery: 'cookie' }
    for (const headers of [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ]) {
      expect(codeOf(await api.send('POST', '/api/auth/login', { body, headers }))).toEqual([403, 'CSRF_REFUSED'])
    }
  })
})

describe('a cookie', () => {
  test('refreshes: the next token is in a cookie again, and nowhere else', async () => {
    const { cookie, body } = await login()
    const answer = await withCookie('/api/auth/refresh', cookie)
    expect([answer.status, answer.body.session.id]).toEqual([200, body.session.id])
    expect(answer.text).not.toContain('sprt_')
    expect(tokenIn(answer)).not.toBe(cookie)
    expect((await withCookie('/api/auth/refresh', tokenIn(answer))).status).toBe(200)
  })

  test.each<[string, Record<string, string>, number]>([
    ['from a listed origin', { origin: APP }, 200],
    ['from the issuer’s own', { origin: 'https://id.example.com' }, 200],
    ['from the same origin, as the browser says', { 'sec-fetch-site': 'same-origin' }, 200],
    ['from a foreign origin', { origin: 'https://evil.example' }, 403],
    ['from a look-alike before', { origin: 'https://evilapp.example.com' }, 403],
    ['from a look-alike behind', { origin: `${APP}.evil.example` }, 403],
    ['from another port', { origin: `${APP}:8443` }, 403],
    ['from plain http', { origin: 'http://app.example.com' }, 403],
    ['from an opaque origin', { origin: 'null' }, 403],
    ['from a sibling on the same site', { 'sec-fetch-site': 'same-site' }, 403],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['from who says nothing', {}, 403],
  ])('%s is answered %s', async (_what, headers, status) => {
    const { cookie } = await login()
    const before = await api.snapshot()
    const answer = await withCookie('/api/auth/refresh', cookie, headers)
    expect(answer.status).toBe(status)
    if (status === 403) {
      expect(answer.body.error).toBe('CSRF_REFUSED')
      expect(await api.snapshot()).toEqual(before)
      expect(codeOf(await withCookie('/api/auth/logout', cookie, headers))).toEqual([403, 'CSRF_REFUSED'])
      expect(codeOf(await withCookie('/auth/logout', cookie, headers))).toEqual([403, 'CSRF_REFUSED'])
      expect(await api.snapshot()).toEqual(before)
    }
  })

  test('is not the body: a token that comes the other way is WRONG_DELIVERY, and is not used up', async () => {
    const { cookie } = await login()
    const inBody = { body: { refreshToken: cookie } }
    expect(codeOf(await api.send('POST', '/api/auth/refresh', inBody))).toEqual([401, 'WRONG_DELIVERY'])
    expect((await withCookie('/api/auth/refresh', cookie)).headers.get('sallyport-refresh')).toBe('rotated')
    const { refreshToken } = await api.login(owner.email)
    expect(codeOf(await withCookie('/api/auth/refresh', refreshToken))).toEqual([401, 'WRONG_DELIVERY'])
    expect((await api.send('POST', '/api/auth/refresh', { body: { refreshToken } })).status).toBe(200)
  })

  test('that is there twice is refused, and the name without its prefix is not looked at', async () => {
    const { cookie } = await login()
    const twice = { cookie: `${NAME}=${cookie}; ${NAME}=other`, origin: APP }
    expect((await api.send('POST', '/api/auth/refresh', { headers: twice })).body.field).toBe('cookie')
    const bare = { cookie: `sallyport-session=${cookie}`, origin: APP }
    expect((await api.send('POST', '/api/auth/refresh', { headers: bare })).body.field).toBe('refreshToken')
  })

  test('is cleared by a logout and by revoking the current session, and never by a refusal', async () => {
    const first = await login()
    const out = await withCookie('/api/auth/logout', first.cookie)
    expect(out.headers.getSetCookie()).toEqual([
      `${NAME}=; Path=/; SameSite=Lax; Secure; Max-Age=0; HttpOnly`,
      'iat=; Path=/; SameSite=Lax; Secure; Max-Age=0',
    ])
    const refused = await withCookie('/api/auth/refresh', first.cookie)
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([401, []])

    const { body } = await login()
    await api.open({ ...owner, sessionId: body.session.id }, 'revoke_session')
    const path = `/api/security/sessions/${body.session.id}/revoke`
    const revoked = await api.send('POST', path, { token: body.accessToken })
    expect(revoked.body.currentRevoked).toBe(true)
    expect(revoked.headers.getSetCookie()).toHaveLength(2)
  })

  test('that loses a race gets the winner’s token, and takes nothing away', async () => {
    const signedIn = await login()
    const { cookie } = signedIn
    // The family is bound to the device cookie, which a browser sends along: it is what makes the losers honest retries.
    const device = tokenIn(signedIn, '__Host-sallyport-device')
    const headers = { cookie: `${NAME}=${cookie}; __Host-sallyport-device=${device}`, origin: APP }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.send('POST', '/api/auth/refresh', { headers })),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map((answer) => tokenIn(answer))).size).toBe(1)
    expect(answers.flatMap(({ headers }) => headers.getSetCookie()).join()).not.toContain('Max-Age=0')
  })
})

describe('every cookie that is ever set', () => {
  const DAY = 86_400
  const session = (age: number) => `; Path=/; SameSite=Lax; Secure; Max-Age=${age}; HttpOnly`
  const iat = (age: number) => `; Path=/; SameSite=Lax; Secure; Max-Age=${age}`
  const device = `; Path=/; Max-Age=${400 * DAY}; HttpOnly; SameSite=Lax; Secure`
  type Table = Readonly<Record<string, Readonly<Record<string, string>>>>

  /** What each answer sets: name by name, without the value. */
  const set = ({ headers }: Sent) =>
    Object.fromEntries(
      headers.getSetCookie().map((line) => [line.slice(0, line.indexOf('=')), line.replace(/^[^;]*/, '')]),
    )

  /** Does all that sets cookies, and tells of each what it set. */
  async function flows(of: InProcess, origin: string, name: string): Promise<Record<string, Record<string, string>>> {
    const headers = { origin }
    const person = await of.signUp()
    const body = { email: person.email, password: PASSWORD }
    const cookieBody = { ...body, delivery: 'cookie' }
    const told: Record<string, Record<string, string>> = {}
    const login = async () => {
      const answer = await of.send('POST', '/api/auth/login', { body: cookieBody, headers })
      expect(answer.status, answer.text).toBe(200)
      return answer
    }
    const carry = (answer: Sent, under = name) => ({ cookie: `${under}=${tokenIn(answer, name)}`, origin })
    told['a sign-in for the body'] = set(await of.send('POST', '/api/auth/login', { body, headers }))
    const first = await login()
    told['a sign-in for a cookie'] = set(first)
    const renewed = await of.send('POST', '/api/auth/refresh', { headers: carry(first) })
    told['a refresh'] = set(renewed)
    const again = await of.send('POST', '/auth/user/refresh-session', { headers: carry(renewed, 'session') })
    told['a refresh of the convention'] = set(again)
    const last = { cookie: `session=${tokenIn(again, 'session')}`, origin }
    told['a logout of the convention'] = set(await of.send('POST', '/auth/logout', { headers: last }))
    told['a logout'] = set(await of.send('POST', '/api/auth/logout', { headers: carry(await login()) }))
    const ended = await login()
    await of.open({ ...person, sessionId: ended.body.session.id }, 'revoke_session')
    told['revoking the current session'] = set(
      await of.send('POST', `/api/security/sessions/${ended.body.session.id}/revoke`, {
        token: ended.body.accessToken,
        headers: { cookie: 'session=x' },
      }),
    )
    const { secret } = await of.enrol(person)
    const held = await of.send('POST', '/api/auth/login', { body: cookieBody, headers })
    told['a sign-in that is held'] = set(held)
    await of.advance(30_000)
    const code = totpCode(secret, new Date(of.now()))
    const goOn = { stepUpToken: held.body.stepUpToken, code }
    told['one that goes on'] = set(await of.send('POST', '/api/auth/login/step-up', { body: goOn, headers }))
    told['a refusal'] = set(await of.send('POST', '/api/auth/refresh', { headers: carry(first) }))
    return told
  }

  test.each<[string, Partial<SallyportOptions>, string, Table]>([
    [
      'over https',
      {},
      NAME,
      {
        'a sign-in for the body': { '__Host-sallyport-device': device },
        'a sign-in for a cookie': { [NAME]: session(3 * DAY), iat: iat(3 * DAY), '__Host-sallyport-device': device },
        'a refresh': { [NAME]: session(3 * DAY), iat: iat(3 * DAY) },
        'a refresh of the convention': { session: session(3 * DAY), iat: iat(3 * DAY) },
        'a logout of the convention': { session: session(0), iat: iat(0) },
        'a logout': { [NAME]: session(0), iat: iat(0) },
        'revoking the current session': { [NAME]: session(0), session: session(0), iat: iat(0) },
        'a sign-in that is held': { '__Host-sallyport-device': device },
        'one that goes on': { [NAME]: session(3 * DAY), iat: iat(3 * DAY) },
        'a refusal': {},
      },
    ],
    [
      'over https, for a domain, under another name',
      { cookie: { name: 'sid', domain: 'example.com' }, refreshToken: { ttl: '1h' } },
      '__Secure-sid',
      Object.fromEntries(
        Object.entries({
          'a sign-in for the body': { '__Host-sallyport-device': device },
          'a sign-in for a cookie': {
            '__Secure-sid': session(3600),
            iat: iat(3600),
            '__Host-sallyport-device': device,
          },
          'a refresh': { '__Secure-sid': session(3600), iat: iat(3600) },
          'a refresh of the convention': { session: session(3600), iat: iat(3600) },
          'a logout of the convention': { session: session(0), iat: iat(0) },
          'a logout': { '__Secure-sid': session(0), iat: iat(0) },
          'revoking the current session': { '__Secure-sid': session(0), session: session(0), iat: iat(0) },
          'a sign-in that is held': { '__Host-sallyport-device': device },
          'one that goes on': { '__Secure-sid': session(3600), iat: iat(3600) },
          'a refusal': {},
        }).map(([what, cookies]) => [
          what,
          // The device stays with the one host.
          Object.fromEntries(
            Object.entries(cookies).map(([name, line]) => [
              name,
              name.startsWith('__Host-') ? line : line.replace('Path=/;', 'Path=/; Domain=example.com;'),
            ]),
          ),
        ]),
      ),
    ],
    [
      'over plain http on localhost',
      { issuer: 'http://localhost:4600' },
      'sallyport-session',
      {
        'a sign-in for the body': { 'sallyport-device': device.replace('; Secure', '') },
        'a sign-in for a cookie': {
          'sallyport-session': session(3 * DAY).replace('; Secure', ''),
          iat: iat(3 * DAY).replace('; Secure', ''),
          'sallyport-device': device.replace('; Secure', ''),
        },
        'a logout': { 'sallyport-session': session(0).replace('; Secure', ''), iat: iat(0).replace('; Secure', '') },
      },
    ],
  ])('%s', async (_what, options, name, table) => {
    const of = await openInProcess({
      allowedOrigins: [APP],
      risk: { mode: 'off' },
      mfa: { atSignIn: 'enrolled' },
      ...options,
    })
    try {
      const told = await flows(of, APP, name)
      for (const [what, cookies] of Object.entries(table)) expect(told[what], what).toEqual(cookies)
    } finally {
      await of.close()
    }
  })

  test('a sign-in that was held for a cookie is not completed by a foreign page, and its code is not used up', async () => {
    const of = await openInProcess({ allowedOrigins: [APP], risk: { mode: 'off' }, mfa: { atSignIn: 'enrolled' } })
    try {
      const person = await of.signUp()
      const { secret } = await of.enrol(person)
      const body = { email: person.email, password: PASSWORD, delivery: 'cookie' }
      const held = await of.send('POST', '/api/auth/login', { body, headers: { origin: APP } })
      await of.advance(30_000)
      const code = totpCode(secret, new Date(of.now()))
      const goOn = (headers: Record<string, string>) =>
        of.send('POST', '/api/auth/login/step-up', { body: { stepUpToken: held.body.stepUpToken, code }, headers })
      const before = await of.snapshot()
      const foreign = await goOn({ origin: 'https://evil.example' })
      expect([codeOf(foreign), foreign.headers.getSetCookie()]).toEqual([[403, 'CSRF_REFUSED'], []])
      expect(await of.snapshot()).toEqual(before)
      expect((await goOn({ origin: APP })).status).toBe(200)
    } finally {
      await of.close()
    }
  })
})

describe('the convention endpoints', () => {
  test('refresh by the cookie under either name, and answer it under the one that came', async () => {
    const { cookie } = await login()
    const answer = await withCookie('/auth/user/refresh-session', cookie)
    expect([answer.status, Object.keys(answer.body).sort()]).toEqual([201, ['accessIat', 'accessToken', 'message']])
    expect(answer.body.accessIat).toMatch(/^\d{13}$/)
    const again = await withCookie('/auth/user/refresh-session', tokenIn(answer), { origin: APP }, 'session')
    expect(again.status).toBe(201)
    const next = tokenIn(again, 'session')
    expect(next).toMatch(/^sprt_/)
    const out = await withCookie('/auth/logout', next, { origin: APP }, 'session')
    expect([out.status, out.body.ok, tokenIn(out, 'session')]).toEqual([200, true, ''])
    expect(codeOf(await withCookie('/auth/user/refresh-session', next))).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
  })

  test('without a cookie: the refresh is 401, the logout is 200', async () => {
    expect(codeOf(await api.send('POST', '/auth/user/refresh-session'))).toEqual([401, 'REFRESH_TOKEN_INVALID'])
    expect((await api.send('POST', '/auth/logout')).status).toBe(200)
  })
})

test('the exit of an impersonation brings a cookie’s session back by its cookie', async () => {
  const member = await api.join(owner, 'member')
  const { cookie, body } = await login()
  await api.open({ ...owner, sessionId: body.session.id }, 'impersonate')
  const started = await api.send('POST', `/api/security/impersonate/${member.staffId}`, {
    body: { reason: 'to see' },
    token: body.accessToken,
  })
  const answer = await api.send('POST', '/api/security/impersonate/exit', {
    body: {},
    token: started.body.accessToken,
    headers: { cookie: `${NAME}=${cookie}`, origin: APP },
  })
  expect([answer.status, answer.body.session.id, answer.body.refreshToken]).toEqual([200, body.session.id, undefined])
  expect(tokenIn(answer)).toMatch(/^sprt_/)
})

describe('answers to other origins', () => {
  const ask = async (headers: Record<string, string>, method = 'GET', path = '/.well-known/jwks.json') => {
    const handle = withOrigins(api.handler, api.engine.settings)
    return handle(new Request(`https://id.example.com${path}`, { method, headers }), {})
  }

  test('name the listed ones, with credentials and Vary, and no other', async () => {
    const listed = await ask({ origin: APP })
    expect(listed.headers.get('access-control-allow-origin')).toBe(APP)
    expect(listed.headers.get('access-control-allow-credentials')).toBe('true')
    for (const origin of ['null', `${APP}.evil.example`, 'https://evilapp.example.com', 'http://app.example.com']) {
      const foreign = await ask({ origin })
      expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
      expect(foreign.headers.get('access-control-allow-credentials')).toBeNull()
      expect(foreign.headers.get('vary')).toContain('Origin')
    }
  })

  test('to a preflight say what may be sent', async () => {
    const answer = await ask({ origin: APP, 'access-control-request-method': 'POST' }, 'OPTIONS')
    expect([answer.status, answer.headers.get('access-control-allow-headers')]).toEqual([
      204,
      expect.stringContaining('authorization'),
    ])
    const foreign = await ask({ origin: 'https://evil.example', 'access-control-request-method': 'POST' }, 'OPTIONS')
    expect([foreign.status, foreign.headers.get('access-control-allow-methods')]).toEqual([405, null])
  })

  test('bring browsers back by https alone, and differ by origin, refusals and preflights too', async () => {
    const answers = await Promise.all([
      ask({}),
      ask({}, 'GET', '/api/auth/me'),
      ask({}, 'PUT', '/api/auth/me'),
      ask({}, 'GET', '/nowhere'),
      ask({ origin: APP }),
      ask({ origin: APP, 'access-control-request-method': 'POST' }, 'OPTIONS'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 405, 404, 200, 204])
    for (const { headers } of answers) {
      expect(headers.get('strict-transport-security')).toBe('max-age=63072000; includeSubDomains')
      expect(headers.get('vary')).toBe('Origin')
    }
  })
})
