import { describe, expect, test } from 'vitest'
import type { Client } from './client.ts'
import type { SallyportError } from './errors.ts'
import { memoryStorage } from './memory-storage.ts'
import type { ClientOptions, ClientStorage } from './options.ts'
import { outcome, pass, useClock, value } from './testing/clock.ts'
import type { FakeBrowser } from './testing/fake-browser.ts'
import { fakeBrowser } from './testing/fake-browser.ts'
import type { FakeService } from './testing/fake-service.ts'
import { fakeService, json, problem, SERVICE } from './testing/fake-service.ts'

useClock()

const ADA = { email: 'ada', password: 'right' }
const MINUTE = 60_000

interface World {
  readonly service: FakeService
  readonly browser: FakeBrowser
  readonly client: Client
  readonly ended: string[]
  readonly storage: ClientStorage
}

async function signedIn(options: ClientOptions = {}): Promise<World> {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const storage = memoryStorage()
  const ended: string[] = []
  const client = browser.tab({
    ...(options.delivery === 'body' && { storage }),
    onSignedOut: ({ reason }) => ended.push(reason),
    ...options,
  })
  await value(client.signIn(ADA))
  return { service, browser, client, ended, storage }
}
const sidOf = ({ client }: World): string => {
  const state = client.state()
  return state.status === 'signed-in' ? state.session.id : ''
}
const DELIVERIES = ['cookie', 'body'] as const

describe.each(DELIVERIES)('delivery: %s', (delivery) => {
  test('a token is used until it is due, and renewed ahead of its end, once for all who wait', async () => {
    const { service, client } = await signedIn({ delivery })
    await value(client.api.listSessions())
    await pass(9 * MINUTE)
    await value(client.api.listSessions())
    expect(service.count('refresh')).toBe(0)
    await pass(31_000)
    await value(Promise.all(Array.from({ length: 10 }, () => client.api.listSessions())))
    expect(service.count('refresh')).toBe(1)
  })

  test('a token that the service no longer takes is renewed once, and the call made again, once', async () => {
    const world = await signedIn({ delivery })
    const { service, client } = world
    let refusals = 1
    service.before = ({ name }) => name === 'other' && refusals-- > 0 && problem(401, 'INVALID_TOKEN')
    await value(client.api.listSessions())
    expect(service.count('refresh')).toBe(1)
    refusals = Number.POSITIVE_INFINITY
    expect(await outcome(client.api.listSessions())).toBe('INVALID_TOKEN')
    expect(service.count('refresh')).toBe(2)
    expect(client.state().status).toBe('signed-in')
  })

  test('an answer that is lost is simply asked for again, and nobody is signed out', async () => {
    const world = await signedIn({ delivery })
    const { service, client } = world
    for (let cycle = 0; cycle < 20; cycle++) {
      let losses = cycle % 4
      service.after = ({ name }) => {
        if (name === 'refresh' && losses-- > 0) throw new Error('connection reset')
      }
      await pass(10 * MINUTE)
      await value(client.api.listSessions())
    }
    expect([service.reuses, world.ended, client.state().status]).toEqual([0, [], 'signed-in'])
  })

  test('ahead of its end a token that cannot be renewed for now is used to its end', async () => {
    const { service, client } = await signedIn({ delivery })
    service.before = ({ name }) => {
      if (name === 'refresh') throw new Error('no network')
    }
    await pass(9 * MINUTE + 31_000)
    await value(client.api.listSessions())
    await pass(MINUTE)
    expect(await outcome(client.api.listSessions())).toBe('NETWORK')
    service.before = () => undefined
    await value(client.api.listSessions())
    expect(client.state().status).toBe('signed-in')
  })

  test.each([
    'REFRESH_TOKEN_INVALID',
    'REFRESH_TOKEN_REVOKED',
    'REFRESH_TOKEN_REUSED',
    'REFRESH_TOKEN_EXPIRED',
    'SESSION_INVALIDATED',
    'SESSION_REVOKED',
    'SESSION_EXPIRED',
    'SESSION_BLOCKED',
    'WRONG_DELIVERY',
    'INVALID_DPOP_PROOF',
  ])('%s ends the session: it is told once, cleared, and nothing more is asked', async (code) => {
    const world = await signedIn({ delivery })
    const { service, client, ended, storage } = world
    service.revoke(sidOf(world), code)
    expect(await outcome(client.api.listSessions())).toBe(code)
    expect(await outcome(client.api.listSessions())).toBe('SIGNED_OUT')
    expect(ended).toEqual([code])
    expect(client.state()).toEqual({ status: 'signed-out', reason: code })
    expect(service.count('refresh')).toBe(1)
    expect(storage.getItem(`sallyport:body:${SERVICE}/api:refresh`)).toBeNull()
  })

  test.each<[string, () => Response]>([
    ['409 RETRY', () => problem(409, 'RETRY')],
    ['429', () => problem(429, 'RATE_LIMITED', { retryAfter: 1 })],
    ['503', () => problem(503, 'UNAVAILABLE', { retryAfter: 1 })],
    ['500', () => problem(500, 'INTERNAL')],
    [
      'a proxy’s 502',
      () => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }),
    ],
    [
      'another network’s sign-in page',
      () => new Response('<h1>Wi-Fi</h1>', { headers: { 'content-type': 'text/html' } }),
    ],
    ['JSON of something else', () => json(200, { hello: 'world' })],
  ])('%s passes: everything is kept, and the same is sent again', async (_what, answer) => {
    const { service, client, ended } = await signedIn({ delivery })
    let failures = 3
    service.before = ({ name }) => name === 'refresh' && failures-- > 0 && answer()
    await pass(10 * MINUTE)
    await value(client.api.listSessions())
    expect([service.count('refresh'), service.reuses, ended]).toEqual([4, 0, []])
    failures = Number.POSITIVE_INFINITY
    await pass(10 * MINUTE)
    expect(await outcome(client.api.listSessions())).not.toBe('SIGNED_OUT')
    failures = 0
    await value(client.api.listSessions())
    expect([service.reuses, ended]).toEqual([0, []])
  })

  test.each<[string, () => Response]>([
    [
      'a proxy’s 401',
      () => new Response('<h1>Sign in</h1>', { status: 401, headers: { 'content-type': 'text/html' } }),
    ],
    ['a 401 of something else', () => json(401, { error: 'unauthorized' })],
    ['403 IP_BLOCKED', () => problem(403, 'IP_BLOCKED')],
    ['403 CSRF_REFUSED', () => problem(403, 'CSRF_REFUSED')],
    ['401 without a factor', () => problem(401, 'SESSION_BLOCKED', { reason: 'no_factor' })],
    ['404', () => problem(404, 'NOT_FOUND')],
  ])('%s ends nothing, and is not tried again at once', async (_what, answer) => {
    const { service, client, ended } = await signedIn({ delivery })
    await pass(10 * MINUTE)
    let failing = true
    service.before = ({ name }) => name === 'refresh' && failing && answer()
    await outcome(client.api.listSessions())
    expect([service.count('refresh'), ended, client.state().status]).toEqual([1, [], 'signed-in'])
    failing = false
    await value(client.api.listSessions())
  })

  test('who is asked to wait for longer waits: nothing is sent before', async () => {
    const { service, client, ended } = await signedIn({ delivery })
    let limited = true
    service.before = ({ name }) =>
      name === 'refresh' && limited && new Response('slow down', { status: 429, headers: { 'retry-after': '60' } })
    await pass(10 * MINUTE)
    expect(await outcome(client.api.listSessions())).toBe('UNEXPECTED')
    limited = false
    expect(await outcome(client.api.listSessions())).toBe('UNEXPECTED')
    expect([service.count('refresh'), ended]).toEqual([1, []])
    await pass(MINUTE)
    await value(client.api.listSessions())
  })

  test('an answer that takes too long is given up, and asked for again', async () => {
    const { service, client, ended } = await signedIn({ delivery })
    let stalls = 2
    service.before = ({ name }) => name === 'refresh' && stalls-- > 0 && new Promise(() => undefined)
    await pass(10 * MINUTE)
    await value(client.api.listSessions())
    expect([service.count('refresh'), ended]).toEqual([3, []])
  })

  test('whoever signs out while a renewal is under way stays signed out', async () => {
    const { service, client, ended } = await signedIn({ delivery })
    await pass(10 * MINUTE)
    service.after = ({ name }) => name === 'refresh' && pause(3000)
    const call = client.api.listSessions().catch((error: SallyportError) => error.code)
    await pass(10)
    await value(client.signOut())
    await value(call)
    expect([client.state().status, ended]).toEqual(['signed-out', ['SIGNED_OUT']])
    expect(await outcome(client.session())).toBeUndefined()
  })

  test('a page that is loaded anew goes on where the one before was', async () => {
    const world = await signedIn({ delivery })
    const { browser, storage, service } = world
    const options = { delivery, ...(delivery === 'body' && { storage }) } as const
    const next = browser.tab(options)
    const state = await value(next.session())
    expect(state).toMatchObject({ status: 'signed-in', user: { id: 'ada' }, session: { id: sidOf(world) } })
    expect(next.state()).toBe(state)
    expect([service.count('refresh'), service.count('me')]).toEqual([1, 1])
    expect(await value(next.session())).toBe(state)
  })

  test('a page that is loaded anew while the network is down says so, and resumes when it is asked again', async () => {
    const { browser, storage, service } = await signedIn({ delivery })
    const next = browser.tab({ delivery, ...(delivery === 'body' && { storage }) })
    service.before = () => {
      throw new Error('no network')
    }
    expect(await outcome(next.session())).toBe('NETWORK')
    expect(next.state()).toEqual({ status: 'unknown' })
    service.before = () => undefined
    expect(await value(next.session())).toMatchObject({ status: 'signed-in' })
  })
})

describe('body delivery', () => {
  const KEY = `sallyport:body:${SERVICE}/api:refresh`

  test('409 rereads the storage, where another tab has put a newer token', async () => {
    const { service, client, storage } = await signedIn({ delivery: 'body' })
    await pass(10 * MINUTE)
    const old = storage.getItem(KEY) as string
    const newer = old.replace(/_\d+$/, '_3')
    service.family('sid-1').generation = 3
    service.family('sid-1').consumedAt = Date.now()
    service.before = ({ name }) => {
      if (name === 'refresh' && service.count('refresh') === 1) void storage.setItem(KEY, newer)
    }
    await value(client.api.listSessions())
    expect(service.asked.filter(({ name }) => name === 'refresh').map(({ body }) => body.refreshToken)).toEqual([
      old,
      newer,
    ])
  })

  test('a slow answer is not put over what another tab has stored meanwhile', async () => {
    const { service, client, storage } = await signedIn({ delivery: 'body' })
    await pass(10 * MINUTE)
    service.after = async ({ name }) => {
      if (name !== 'refresh' || service.count('refresh') > 1) return
      // Another tab, without locks, got the same successor, renewed again and was faster.
      service.family('sid-1').generation++
      await storage.setItem(KEY, 'sprt_sid-1_3')
    }
    await value(client.api.listSessions())
    expect([storage.getItem(KEY), service.reuses]).toEqual(['sprt_sid-1_4', 0])
  })

  test('a refusal of the token of before clears nothing of who signed in meanwhile', async () => {
    const { service, client, storage, ended } = await signedIn({ delivery: 'body' })
    service.revoke('sid-1')
    const other = service.issue('bob')
    service.after = async ({ name }) => {
      if (name === 'refresh' && service.count('refresh') === 1) await storage.setItem(KEY, other.refreshToken)
    }
    await outcome(client.api.listSessions())
    expect([storage.getItem(KEY), ended]).toEqual([`sprt_${other.sid}_2`, []])
    expect(await value(client.session())).toMatchObject({ user: { id: 'bob' } })
  })

  test('in memory each client has a session of its own', async () => {
    const service = fakeService()
    const browser = fakeBrowser(service)
    const [one, two] = [browser.tab({ delivery: 'body' }), browser.tab({ delivery: 'body' })]
    await value(one.signIn(ADA))
    await pass(100)
    expect(two.state()).toEqual({ status: 'unknown' })
    expect(await value(two.session())).toBeUndefined()
  })

  test('without a stored token nothing is asked', async () => {
    const service = fakeService()
    const client = fakeBrowser(service).tab({ delivery: 'body', storage: memoryStorage() })
    expect(await value(client.session())).toBeUndefined()
    expect(client.state()).toEqual({ status: 'signed-out' })
    expect(service.asked).toEqual([])
  })
})

describe('cookie delivery', () => {
  test('a session that the app’s own sign-in has begun meanwhile is shown as what it is', async () => {
    const { client, service, browser } = await signedIn()
    const seen: string[] = []
    client.subscribe(() => seen.push(client.state().status))
    browser.jar.set('session', service.issue('bob').refreshToken)
    await pass(10 * MINUTE)
    // Begun as Ada, it is not done as Bob.
    expect(await outcome(client.api.listSessions())).toBe('SIGNED_OUT')
    expect(service.count('other')).toBe(0)
    await pass(10)
    expect(client.state()).toMatchObject({ status: 'signed-in', user: { id: 'bob' } })
    expect(seen).toEqual(['unknown', 'signed-in'])
  })

  test('on the service’s own origin nothing is asked where there is no cookie', async () => {
    const service = fakeService()
    const client = fakeBrowser(service, { page: SERVICE }).tab({ baseUrl: undefined })
    expect(await value(client.session())).toBeUndefined()
    expect(service.asked).toEqual([])
  })

  test('of another origin it is asked, and where none comes along nobody was signed out', async () => {
    const service = fakeService()
    const ended: string[] = []
    const client = fakeBrowser(service).tab({ onSignedOut: ({ reason }) => ended.push(reason) })
    expect(await value(client.session())).toBeUndefined()
    expect([client.state(), ended, service.count('refresh')]).toEqual([{ status: 'signed-out' }, [], 1])
  })

  test('a cookie that was refused for good is not asked for again at each visit, and the next sign-in is', async () => {
    const service = fakeService()
    const browser = fakeBrowser(service, { page: SERVICE })
    const first = browser.tab()
    await value(first.signIn(ADA))
    service.revoke('sid-1', 'REFRESH_TOKEN_EXPIRED')
    for (let visit = 0; visit < 3; visit++) expect(await value(browser.tab().session())).toBeUndefined()
    expect(service.count('refresh')).toBe(1)
    await value(browser.tab().signIn(ADA))
    expect(await value(browser.tab().session())).toMatchObject({ session: { id: 'sid-2' } })
  })

  test('in a worker, which sees no cookies, it is asked', async () => {
    const service = fakeService()
    const browser = fakeBrowser(service, { page: SERVICE })
    await value(browser.tab().signIn(ADA))
    const worker = browser.tab({}, { document: undefined, localStorage: undefined } as never)
    expect(await value(worker.session())).toMatchObject({ user: { id: 'ada' } })
  })

  test('a device has one id at its sign-in and at each refresh, and none where it could not be kept', async () => {
    const { service, client, browser } = await signedIn()
    await pass(10 * MINUTE)
    await value(client.api.listSessions())
    const ids = service.asked.filter(({ name }) => /login|refresh/.test(name)).map(({ body }) => body.deviceFingerprint)
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]{22}$/)
    const keepsNothing = browser.tab({}, {
      get localStorage(): never {
        throw new DOMException('denied', 'SecurityError')
      },
    } as never)
    await value(keepsNothing.signIn(ADA))
    expect(service.asked.at(-1)?.body).not.toHaveProperty('deviceFingerprint')
  })
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
