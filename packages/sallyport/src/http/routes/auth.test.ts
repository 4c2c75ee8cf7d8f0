import { deepEqual, equal, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Bench } from '../../../../../tests/support/directory-bench.ts'
import { openBench, OTHER_PASSWORD, PASSWORD } from '../../../../../tests/support/directory-bench.ts'
import { openInMemory } from '../../store/pglite/open.ts'
import { pgliteDatabase } from '../../store/postgres/pglite.ts'
import { httpEngine } from '../api.ts'
import { createHandler } from '../app.ts'
import { authRoutes } from './auth.ts'
import { teamRoutes } from './team.ts'
import { tokenRoutes } from './tokens.ts'

type Body = Record<string, never> & { readonly [name: string]: unknown }

let bench: Bench
let steppedUp = true
let send: (method: string, path: string, body?: unknown, token?: string) => Promise<{ status: number; body: Body }>

beforeAll(async () => {
  bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
  const guard = httpEngine(bench.engine)
  const handle = createHandler({
    guard: {
      ...guard,
      // The step-up has tests of its own; here it stands or it does not.
      requireStepUp: async (caller, purpose, request) =>
        steppedUp ? undefined : guard.requireStepUp(caller, purpose, request),
    },
    routes: [...authRoutes, ...teamRoutes, ...tokenRoutes],
    checkReplies: true,
  })
  send = async (method, path, body, token) => {
    const response = await handle(
      new Request(`https://id.example.com/api${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
    return { status: response.status, body: (await response.json()) as Body }
  }
})
afterAll(() => bench?.close())

const ADA = { email: 'Ada@example.com', password: PASSWORD, name: 'Ada Lovelace', tenantName: 'Engines' }
const shape = (value: unknown) => Object.keys(value as object).sort()

describe('from sign-up to a team', () => {
  let owner: string
  let invited: string

  test('sign-up: 201 with everything of a sign-in', async () => {
    const { status, body } = await send('POST', '/auth/sign-up', ADA)
    equal(status, 201)
    deepEqual(shape(body), ['accessToken', 'expiresIn', 'refreshToken', 'session', 'staff', 'tenant', 'user'])
    deepEqual(shape(body['user']), ['email', 'emailVerified', 'id', 'name'])
    equal(JSON.stringify(body).includes('hash'), false)
  })

  test('sign-up of a known address: 409 EMAIL_TAKEN', async () => {
    const { status, body } = await send('POST', '/auth/sign-up', { ...ADA, email: 'ada@EXAMPLE.com' })
    deepEqual([status, body['error']], [409, 'EMAIL_TAKEN'])
  })

  test('a weak password: 400 with the field and the reason', async () => {
    const weak = { ...ADA, email: 'weak@example.com', password: 'passwordpassword' }
    const { status, body } = await send('POST', '/auth/sign-up', weak)
    deepEqual([status, body['error'], body['field'], body['reason']], [400, 'PASSWORD_REJECTED', 'password', 'common'])
  })

  test('login: 200 the same shape; wrong and unknown: 401 of one body', async () => {
    const { status, body } = await send('POST', '/auth/login', {
      email: 'ada@example.com',
      password: PASSWORD,
      deviceFingerprint: 'device-1',
      deviceInfo: { screen: 2 },
      delivery: 'body',
    })
    equal(status, 200)
    owner = String(body['accessToken'])
    const refusals = []
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      const { status: refused, body: problem } = await send('POST', '/auth/login', { email, password: OTHER_PASSWORD })
      refusals.push(JSON.stringify([refused, { ...problem, requestId: '' }]))
    }
    equal(refusals[0], refusals[1])
    ok(refusals[0]?.startsWith('[401'))
    equal((await bench.rows("select id from audit_logs where action = 'AUTH_LOGIN_FAILED'")).length, 2)
  })

  test('no client names an audience: a sign-in and a refresh that do are refused, and the token has the one of the instance', async () => {
    const login = { email: 'ada@example.com', password: PASSWORD }
    const { body: tokens } = await send('POST', '/auth/login', login)
    for (const field of ['aud', 'audience', 'resource']) {
      const given = { [field]: 'https://other.example.com' }
      for (const [path, body] of [
        ['/auth/login', login],
        ['/auth/refresh', { refreshToken: tokens['refreshToken'] }],
      ] as const) {
        const { status, body: problem } = await send('POST', path, { ...body, ...given })
        deepEqual([path, field, status, problem['error']], [path, field, 400, 'INVALID_REQUEST'])
      }
    }
    const claims = JSON.parse(Buffer.from(String(tokens['accessToken']).split('.')[1] ?? '', 'base64url').toString())
    equal(claims.aud, bench.engine.settings.audience)
  })

  test('me: person, tenant, place, session, no one else, no factors', async () => {
    const { status, body } = await send('GET', '/auth/me', undefined, owner)
    equal(status, 200)
    deepEqual(shape(body), ['factors', 'impersonation', 'session', 'staff', 'tenant', 'user'])
    deepEqual([body['impersonation'], body['factors']], [null, []])
  })

  test('invite: 201, accept: 201 as login, team: both', async () => {
    const invitation = { email: 'mo@example.com', name: 'Mo', role: 'member' }
    equal((await send('POST', '/team/invitations', invitation, owner)).status, 201)
    const accepted = await send('POST', '/auth/invitations/accept', {
      token: bench.token('mo@example.com', 'invitation'),
      name: 'Mo Member',
      password: OTHER_PASSWORD,
    })
    equal(accepted.status, 201)
    invited = String(accepted.body['accessToken'])
    const { body } = await send('GET', '/team', undefined, owner)
    deepEqual(shape(body), ['invitations', 'members'])
    equal((body['members'] as unknown as unknown[]).length, 2)
  })

  test('a member sees no team and invites nobody', async () => {
    equal((await send('GET', '/team', undefined, invited)).status, 403)
    const invitation = { email: 'x@example.com', name: 'X', role: 'member' }
    equal((await send('POST', '/team/invitations', invitation, invited)).status, 403)
  })

  test('invitations and passwords ask for their step-up', async () => {
    steppedUp = false
    try {
      const invitation = { email: 'x@example.com', name: 'X', role: 'member' }
      const change = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }
      for (const [path, body, purpose] of [
        ['/team/invitations', invitation, 'team_change'],
        ['/auth/password', change, 'security_settings'],
      ] as const) {
        const { status, body: problem } = await send('POST', path, body, owner)
        ok(status === 428 || problem['error'] === 'NO_FACTOR', `${path}: ${status}`)
        if (status === 428) equal(problem['purpose'], purpose)
      }
    } finally {
      steppedUp = true
    }
  })

  test('password change: 200 with a token that goes on, and the old one dead', async () => {
    const { status, body } = await send(
      'POST',
      '/auth/password',
      { currentPassword: PASSWORD, newPassword: 'twelve amber kites drift' },
      owner,
    )
    equal(status, 200)
    deepEqual(shape(body), ['accessToken', 'expiresIn', 'session'])
    equal((await send('GET', '/auth/me', undefined, String(body['accessToken']))).status, 200)
    equal((await send('GET', '/auth/me', undefined, owner)).body['error'], 'SESSION_INVALIDATED')
  })

  test('reset: always 202, a link that works once, 400 after', async () => {
    for (const email of ['ada@example.com', 'nobody@example.com']) {
      deepEqual(await send('POST', '/auth/password/reset-request', { email }), {
        status: 202,
        body: { success: true },
      })
    }
    const body = { token: bench.token('ada@example.com', 'password_reset'), password: OTHER_PASSWORD }
    equal((await send('POST', '/auth/password/reset', body)).status, 200)
    const again = await send('POST', '/auth/password/reset', body)
    deepEqual([again.status, again.body['error']], [400, 'LINK_INVALID'])
  })

  test('verification: 200, then 400', async () => {
    const body = { token: bench.token('ada@example.com', 'email_verification') }
    equal((await send('POST', '/auth/email/verify', body)).status, 200)
    equal((await send('POST', '/auth/email/verify', body)).status, 400)
  })

  test('several tenants: 409 with the tenants', async () => {
    const other = await bench.caller(await bench.owner({ tenantName: 'Second' }))
    const { invite } = await import('../../directory/invite.ts')
    const request = { correlationId: 'test' }
    await invite(bench.engine, other, { email: 'mo@example.com', name: 'Mo', role: 'member', request })
    const token = bench.token('mo@example.com', 'invitation')
    await send('POST', '/auth/invitations/accept', { token, name: 'Mo', password: OTHER_PASSWORD })
    const { status, body } = await send('POST', '/auth/login', { email: 'mo@example.com', password: OTHER_PASSWORD })
    deepEqual([status, body['error']], [409, 'TENANT_REQUIRED'])
    deepEqual(
      (body['tenants'] as unknown as { slug: string }[]).map(({ slug }) => slug),
      ['engines', 'second'],
    )
  })
})

test.each([
  ['/auth/login', { email: 'ada@example.com', password: PASSWORD, extra: 1 }],
  ['/auth/login', { email: ['ada@example.com'], password: PASSWORD }],
  ['/auth/login', { email: 'ada@example.com, bob@example.com', password: PASSWORD }],
  ['/auth/sign-up', { ...ADA, name: '' }],
  ['/auth/sign-up', { ...ADA, name: 'a\u0000b' }],
  ['/auth/password/reset', { token: 'spot_x' }],
  ['/auth/email/verify', {}],
])('%s refuses %j by name', async (path, body) => {
  const answer = await send('POST', path, body)
  deepEqual([answer.status, answer.body['error']], [400, 'INVALID_REQUEST'])
  ok(String(answer.body['field']).length > 0)
})
