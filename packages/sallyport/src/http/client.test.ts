import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientKey } from '../../../../tests/support/dpop.ts'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { withOrigins } from './cors.ts'

const APP = 'https://app.example.com'
const SESSION = '__Host-sallyport-session'
const DEVICE = '__Host-sallyport-device'
const key = clientKey()
const proofFor = (path: string) => key.proof({ htu: `https://id.example.com${path}` })
let api: InProcess
let owner: Member

beforeAll(async () => {
  api = await openInProcess({
    allowedOrigins: [APP],
    risk: { mode: 'enforce', thresholds: { rapidSessions: 0 } },
    rateLimits: 'off',
  })
  owner = await api.signUp()
})
afterAll(() => api?.close())

const cookieIn = ({ headers }: Sent, name: string): string | undefined =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith(`${name}=`))
    ?.split(';')[0]

interface Browser {
  (path: string, body: unknown, options?: { readonly token?: string; readonly dpop?: boolean }): Promise<Sent>
  /** With the cookies of now. */
  copy(): Browser
}

/** It sends the cookies that it was given. */
function browser(jar = new Map<string, string>()): Browser {
  const send = async (path: string, body: unknown, { token, dpop }: { token?: string; dpop?: boolean } = {}) => {
    const headers = {
      origin: APP,
      ...(jar.size > 0 && { cookie: [...jar.values()].join('; ') }),
      ...(dpop === true && { dpop: proofFor(path) }),
    }
    const answer = await api.send('POST', path, { body, token, headers })
    for (const name of [SESSION, DEVICE]) {
      const given = cookieIn(answer, name)
      if (given !== undefined) jar.set(name, given)
    }
    return answer
  }
  return Object.assign(send, { copy: () => browser(new Map(jar)) })
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('whatever a session begins with', () => {
  const signUp = (delivery?: string) => ({
    email: `${randomUUID()}@example.com`,
    password: PASSWORD,
    name: 'Ada',
    tenantName: 'Engines',
    deviceFingerprint: 'laptop',
    ...(delivery !== undefined && { delivery }),
  })
  const invited = async () => {
    const email = `${randomUUID()}@example.com`
    await api.open(owner, 'team_change')
    const invitation = { email, name: 'Mo', role: 'member' }
    await api.send('POST', '/api/team/invitations', { body: invitation, token: owner.accessToken })
    return { token: api.mailed(email, 'invitation'), name: 'Mo', password: PASSWORD }
  }

  test.each([
    ['sign-up', '/api/auth/sign-up', () => Promise.resolve(signUp('cookie'))],
    [
      'an invitation',
      '/api/auth/invitations/accept',
      async () => ({ ...(await invited()), delivery: 'cookie', deviceFingerprint: 'laptop' }),
    ],
  ])(
    '%s gives its tokens as asked, a cookie for the device, and is bound to a proven key',
    async (_what, path, body) => {
      const send = browser()
      const begun = await send(path, await body(), { dpop: true })
      expect(begun.status, begun.text).toBe(201)
      expect(begun.text).not.toContain('sprt_')
      expect(cookieIn(begun, SESSION)).toContain('=sprt_')
      expect(cookieIn(begun, DEVICE)).toContain('=d1.')
      expect(claimsOf(begun.body.accessToken).cnf.jkt).toMatch(/^[A-Za-z0-9_-]{43}$/)
      const device = { deviceFingerprint: 'laptop' }
      expect((await send('/api/auth/refresh', device)).body.error).toBe('INVALID_DPOP_PROOF')
      expect((await send('/api/auth/refresh', device, { dpop: true })).status).toBe(200)
    },
  )

  test('sign-up gives them in the body where nothing is asked', async () => {
    const { body } = await browser()('/api/auth/sign-up', signUp())
    expect(body.refreshToken).toMatch(/^sprt_/)
    expect(claimsOf(body.accessToken).cnf).toBeUndefined()
  })

  test('a foreign page cannot have a browser sign up or accept for a cookie', async () => {
    for (const [path, body] of [
      ['/api/auth/sign-up', signUp('cookie')],
      ['/api/auth/invitations/accept', { ...(await invited()), delivery: 'cookie' }],
    ] as const) {
      const answer = await api.send('POST', path, { body, headers: { origin: 'https://evil.example' } })
      expect([answer.status, answer.body.error]).toEqual([403, 'CSRF_REFUSED'])
    }
  })
})

describe('a session of a cookie', () => {
  const signIn = async () => {
    const send = browser()
    const { body } = await send('/api/auth/login', { email: owner.email, password: PASSWORD, delivery: 'cookie' })
    return { send, token: body.accessToken as string, sessionId: body.session.id as string }
  }

  test('gets an answer that was lost again, long after, also where a key is proven beside its cookies', async () => {
    const { send } = await signIn()
    const stale = send.copy()
    expect((await send('/api/auth/refresh', {})).status).toBe(200)
    await api.advance(60_000)
    const again = await stale('/api/auth/refresh', {}, { dpop: true })
    expect([again.status, again.headers.get('sallyport-refresh')]).toEqual([200, 'replayed; cause=lost-response'])
  })

  test('proves its key to the cookie-only refresh by the address of that one', async () => {
    const send = browser()
    const path = '/auth/user/refresh-session'
    await send('/api/auth/login', { email: owner.email, password: PASSWORD, delivery: 'cookie' }, { dpop: true })
    expect((await send(path, undefined)).body.error).toBe('INVALID_DPOP_PROOF')
    expect((await send(path, undefined, { dpop: true })).status).toBe(201)
  })

  test('is not made to wait by the exit of an impersonation that its cookies come along with', async () => {
    const member = await api.join(owner, 'member')
    const { send, token, sessionId } = await signIn()
    await api.open({ ...owner, sessionId }, 'impersonate')
    const started = await send(`/api/security/impersonate/${member.staffId}`, { reason: 'to see' }, { token })
    const left = await send('/api/security/impersonate/exit', {}, { token: started.body.accessToken })
    expect([left.status, left.body.session?.id]).toEqual([200, sessionId])
    expect((await send('/api/auth/refresh', {})).status).toBe(200)
  })
})

test('an impersonation is bound to the key of who started it, and one proof is enough for its exit', async () => {
  const member = await api.join(owner, 'member')
  const login = '/api/auth/login'
  const body = { email: owner.email, password: PASSWORD }
  const begun = (await api.send('POST', login, { body, headers: { dpop: proofFor(login) } })).body
  await api.open({ ...owner, sessionId: begun.session.id }, 'impersonate')
  const start = `/api/security/impersonate/${member.staffId}`
  const { accessToken } = (await api.send('POST', start, { body: { reason: 'to see' }, token: begun.accessToken })).body
  expect(claimsOf(accessToken).cnf).toEqual({ jkt: key.thumbprint })
  const exit = '/api/security/impersonate/exit'
  const headers = key.headers(accessToken, { htu: `https://id.example.com${exit}` })
  const left = await api.send('POST', exit, { body: { refreshToken: begun.refreshToken }, headers })
  expect([left.status, left.body.session?.id]).toEqual([200, begun.session.id])
})

test('pages of other origins read the date, nonces and the name of a download', async () => {
  const handle = withOrigins(api.handler, api.engine.settings)
  const answer = await handle(
    new Request('https://id.example.com/.well-known/jwks.json', { headers: { origin: APP } }),
    {},
  )
  const exposed = answer.headers.get('access-control-expose-headers')?.split(', ')
  for (const name of ['date', 'dpop-nonce', 'content-disposition', 'retry-after']) expect(exposed).toContain(name)
})
