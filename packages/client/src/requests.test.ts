import { describe, expect, test } from 'vitest'
import { createClient } from './create-client.ts'
import { SallyportError } from './errors.ts'
import type { ClientOptions } from './options.ts'
import { outcome, pass, useClock, value } from './testing/clock.ts'
import { fakeBrowser, PAGE } from './testing/fake-browser.ts'
import { fakeService, json, problem, SERVICE } from './testing/fake-service.ts'

useClock()

const ADA = { email: 'ada', password: 'right' }

async function signedIn(options: ClientOptions = {}) {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const client = browser.tab(options)
  await value(client.signIn(ADA))
  return { service, browser, client }
}

describe('client.api', () => {
  test('puts path parameters, queries and bodies where they belong, and leaves out what is undefined', async () => {
    const { client } = await signedIn()
    const echoed = async (call: Promise<unknown>) => {
      const { method, path, query, body } = (await value(call)) as Record<string, unknown>
      return [method, path, query, body]
    }
    expect(await echoed(client.api.listSessions({ state: 'all', limit: 5, cursor: undefined }))).toEqual([
      'GET',
      '/api/security/sessions',
      '?state=all&limit=5',
      {},
    ])
    expect(await echoed(client.api.listTeam())).toEqual(['GET', '/api/team', '', {}])
    expect(await echoed(client.api.changeMember({ staffId: 'a/b c', role: 'admin' }))).toEqual([
      'PATCH',
      '/api/team/a%2Fb%20c',
      '',
      { role: 'admin' },
    ])
    expect(await echoed(client.api.removeFactor({ id: 'f1' }))).toEqual([
      'DELETE',
      '/api/security/mfa/factors/f1',
      '',
      {},
    ])
    expect(await echoed(client.api.revokeOtherSessions())).toEqual([
      'POST',
      '/api/security/sessions/revoke-others',
      '',
      {},
    ])
  })

  test('rejects with the refusal: its code, status, facts and request id', async () => {
    const { client, service } = await signedIn()
    service.before = ({ name }) => name === 'other' && problem(400, 'INVALID_REQUEST', { field: 'cidr' })
    const error = await value(client.api.addIpRule({ type: 'DENY', cidr: 'x' }).catch((thrown: unknown) => thrown))
    expect(error).toBeInstanceOf(SallyportError)
    expect(error).toMatchObject({
      name: 'SallyportError',
      code: 'INVALID_REQUEST',
      status: 400,
      message: 'as it is',
      requestId: 'r-1',
      transient: false,
      facts: { field: 'cidr' },
    })
  })

  test('a network that is down is NETWORK, and passes', async () => {
    const { client, service } = await signedIn()
    service.before = () => {
      throw new TypeError('fetch failed')
    }
    const error = await value(client.api.listTeam().catch((thrown: unknown) => thrown))
    expect(error).toMatchObject({ code: 'NETWORK', status: 0, transient: true, cause: expect.any(TypeError) })
    // What may have been done is not done again.
    expect(service.count('other')).toBe(1)
  })

  test('a wrong password is no end of a session', async () => {
    const { client, service } = await signedIn()
    service.before = ({ name }) => name === 'changePassword' && problem(401, 'INVALID_CREDENTIALS')
    const change = { currentPassword: 'a', newPassword: 'b' }
    expect(await outcome(client.api.changePassword(change))).toBe('INVALID_CREDENTIALS')
    expect([service.count('refresh'), client.state().status]).toEqual([0, 'signed-in'])
  })

  test('goes on with the token that a change of the password answers', async () => {
    const { client, service } = await signedIn()
    const { accessToken } = await value(client.api.changePassword({ currentPassword: 'a', newPassword: 'b' }))
    await value(client.api.listTeam())
    expect(service.asked.at(-1)?.token).toBe(accessToken)
  })

  test('the end of the session that one speaks from is known at once', async () => {
    const ended: string[] = []
    const { client, service } = await signedIn({ onSignedOut: ({ reason }) => ended.push(reason) })
    await value(client.api.revokeSession({ sessionId: 'sid-other' }))
    expect(client.state().status).toBe('signed-in')
    await value(client.api.revokeSession({ sessionId: 'sid-1' }))
    expect([client.state().status, ended, service.count('refresh')]).toEqual(['signed-out', ['SESSION_REVOKED'], 0])
  })

  test('what is answered as a file is a Response, to be read as a stream', async () => {
    const { client, service } = await signedIn()
    const file = new Response('a,b\n1,2\n', { headers: { 'content-type': 'text/csv; charset=utf-8' } })
    service.before = ({ name }) => name === 'other' && file
    const answer = await value(client.api.exportDataset({ file: 'audit-logs.csv' }))
    let bytes = 0
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) bytes += chunk.length
    expect(bytes).toBe(8)
  })

  test('what needs no session is asked without one', async () => {
    const service = fakeService()
    const client = fakeBrowser(service).tab()
    service.before = () => json(202, { success: true })
    await value(client.api.requestPasswordReset({ email: 'ada@example.com' }))
    expect(service.asked.map(({ request, token }) => [request.url, token])).toEqual([
      [`${SERVICE}/api/auth/password/reset-request`, undefined],
    ])
  })

  test('what needs one is not sent where nobody is signed in', async () => {
    const service = fakeService()
    const client = fakeBrowser(service).tab()
    await value(client.session())
    const sent = service.asked.length
    expect(await outcome(client.api.listTeam())).toBe('SIGNED_OUT')
    expect(service.asked).toHaveLength(sent)
  })

  test('ends with the caller’s signal, for the caller’s reason', async () => {
    const { client, service } = await signedIn()
    service.before = ({ name }) => name === 'other' && new Promise(() => undefined)
    const leaving = new AbortController()
    const call = client.api.listTeam({}, { signal: leaving.signal }).catch((error: unknown) => error)
    await pass(10)
    const reason = new Error('the page was left')
    leaving.abort(reason)
    expect(await value(call)).toBe(reason)
  })
})

describe('client.fetch', () => {
  test('carries the token to the page’s own origin, the service’s and those that are named', async () => {
    const { client, service } = await signedIn({ origins: ['https://api.example.com'] })
    for (const [input, url] of [
      ['/orders?x=1', `${PAGE}/orders?x=1`],
      ['more', `${PAGE}/some/more`],
      [new URL(`${SERVICE}/orders`), `${SERVICE}/orders`],
      ['https://api.example.com/orders', 'https://api.example.com/orders'],
    ] as const) {
      expect((await value(client.fetch(input))).status).toBe(200)
      expect([service.asked.at(-1)?.request.url, service.asked.at(-1)?.token === undefined]).toEqual([url, false])
    }
  })

  test('gives it to nobody else', async () => {
    const { client, service } = await signedIn()
    const sent = service.asked.length
    for (const input of [
      'https://evil.example/',
      '//evil.example/',
      'http://app.example.com/',
      `${PAGE}.evil.example/`,
      new Request('https://evil.example/'),
      'data:text/plain,x',
    ]) {
      expect(await outcome(client.fetch(input))).toMatch(/none of the origins/)
    }
    expect(service.asked).toHaveLength(sent)
  })

  test('sends method, headers and body again after a renewal, of a Request too', async () => {
    const { client, service } = await signedIn()
    for (const send of [
      () => client.fetch('/orders', { method: 'POST', body: '{"n":1}', headers: { 'x-more': 'yes' } }),
      () =>
        client.fetch(new Request(`${PAGE}/orders`, { method: 'POST', body: '{"n":1}', headers: { 'x-more': 'yes' } })),
    ]) {
      let refusals = 1
      // The app's own backend says no more than 401.
      service.before = ({ name }) => name === 'other' && refusals-- > 0 && new Response('no', { status: 401 })
      expect(await value(send().then((answer) => answer.json()))).toMatchObject({ method: 'POST', body: { n: 1 } })
      const [first, second] = service.asked.slice(-3).filter(({ name }) => name === 'other')
      expect(first?.token).not.toBe(second?.token)
      expect(second?.request.headers.get('x-more')).toBe('yes')
    }
    expect(service.count('refresh')).toBe(2)
  })

  test('resolves to whatever else is answered, and rejects with a 401 that stands', async () => {
    const { client, service } = await signedIn()
    for (const status of [204, 404, 409, 500]) {
      service.before = ({ name }) => name === 'other' && new Response(null, { status })
      expect((await value(client.fetch('/orders'))).status).toBe(status)
    }
    service.before = ({ name }) => name === 'other' && problem(401, 'INVALID_TOKEN')
    expect(await outcome(client.fetch('/orders'))).toBe('INVALID_TOKEN')
    expect(client.state().status).toBe('signed-in')
  })

  test('a network that is down is NETWORK; the caller’s own end is the caller’s', async () => {
    const { client, service } = await signedIn()
    service.before = () => {
      throw new TypeError('fetch failed')
    }
    expect(await outcome(client.fetch('/orders'))).toBe('NETWORK')
    const reason = new Error('the page was left')
    expect(await outcome(client.fetch('/orders', { signal: AbortSignal.abort(reason) }))).toBe('the page was left')
  })
})

describe('sign-in', () => {
  test('rejects with what the service says, and changes nothing', async () => {
    const client = fakeBrowser(fakeService()).tab()
    expect(await outcome(client.signIn({ email: 'ada', password: 'wrong' }))).toBe('INVALID_CREDENTIALS')
    expect(client.state()).toEqual({ status: 'unknown' })
  })

  test('holds the tokens back from the state', async () => {
    const { client, service } = await signedIn({ delivery: 'body' })
    const shown = JSON.stringify(client.state())
    expect(shown).not.toContain('sprt_')
    expect(shown).not.toContain(String(service.asked.at(-1)?.token))
    expect(Object.keys(client.state()).sort()).toEqual([
      'impersonation',
      'session',
      'staff',
      'status',
      'tenant',
      'user',
    ])
  })

  test('a sign-up signs in, or goes on by mail', async () => {
    const client = fakeBrowser(fakeService()).tab()
    const ada = { email: 'ada', name: 'Ada', tenantName: 'Engines' }
    expect(await value(client.signUp({ ...ada, password: 'by mail' }))).toBeUndefined()
    expect(client.state()).toEqual({ status: 'unknown' })
    expect(await value(client.signUp({ ...ada, password: 'right' }))).toMatchObject({ user: { id: 'ada' } })
  })

  test('as somebody else, what the one before began is not done in the other’s name', async () => {
    const { client, service } = await signedIn()
    service.before = async ({ name }) => {
      if (name !== 'other' || service.count('other') > 1) return undefined
      service.revoke('sid-1')
      await client.signIn({ email: 'bob', password: 'right' })
      return problem(401, 'SESSION_REVOKED')
    }
    expect(await outcome(client.api.revokeOtherSessions())).toBe('SESSION_REVOKED')
    expect(service.count('other')).toBe(1)
    expect(client.state()).toMatchObject({ user: { id: 'bob' } })
  })
})

describe('sign-out', () => {
  test('that the service could not be told is none, and can be tried again', async () => {
    const ended: string[] = []
    const { client, service } = await signedIn({ onSignedOut: ({ reason }) => ended.push(reason) })
    service.before = () => {
      throw new TypeError('fetch failed')
    }
    expect(await outcome(client.signOut())).toBe('NETWORK')
    expect([client.state().status, ended]).toEqual(['signed-in', []])
    service.before = () => undefined
    await value(client.signOut())
    await value(client.signOut())
    expect([client.state(), ended, service.family('sid-1').ended]).toEqual([
      { status: 'signed-out', reason: 'SIGNED_OUT' },
      ['SIGNED_OUT'],
      'REFRESH_TOKEN_REVOKED',
    ])
  })
})

describe('the state', () => {
  test('is one object until something changes, and each change is told once', async () => {
    const { client } = await signedIn()
    const seen: unknown[] = []
    const stop = client.subscribe(() => seen.push(client.state()))
    const before = client.state()
    await value(client.session({ reload: true }))
    expect([client.state() === before, seen]).toEqual([true, []])
    await value(client.signOut())
    expect(seen).toEqual([client.state()])
    stop()
    await value(client.signIn(ADA))
    expect(seen).toHaveLength(1)
  })
})

test('outside of a browser the address of the service is needed, at the first call', async () => {
  // Made where a page is rendered on a server, it only stands there.
  const client = createClient()
  expect(client.state()).toEqual({ status: 'unknown' })
  await expect(client.signIn(ADA)).rejects.toMatchObject({ code: 'UNEXPECTED', message: 'baseUrl is needed' })
})

test('a slash behind the address is none too many', async () => {
  const service = fakeService()
  const client = fakeBrowser(service).tab({ baseUrl: `${SERVICE}/` })
  await value(client.signIn(ADA))
  expect(service.asked[0]?.request.url).toBe(`${SERVICE}/api/auth/login`)
})

test('closed, whatever waits ends', async () => {
  const { client, service } = await signedIn({ onStepUp: () => undefined })
  service.before = ({ name }) => name === 'other' && problem(428, 'STEP_UP_REQUIRED', { purpose: 'data_export' })
  const held = client.api.exportDataset({ file: 'user-sessions.csv' })
  const caught = held.catch(({ code }: SallyportError) => code)
  await pass(10)
  client.close()
  expect(await value(caught)).toBe('CLOSED')
  for (const call of [
    (): Promise<unknown> => client.signIn(ADA),
    () => client.signOut(),
    () => client.session({ reload: true }),
    () => client.fetch('/orders'),
    () => client.api.listTeam(),
  ]) {
    expect(await outcome(call())).toBe('CLOSED')
  }
})
