import { describe, expect, test } from 'vitest'
import type { Client } from './client.ts'
import { memoryStorage } from './memory-storage.ts'
import type { ClientOptions } from './options.ts'
import type { Platform } from './platform.ts'
import { outcome, pass, useClock, value } from './testing/clock.ts'
import type { FakeBrowser } from './testing/fake-browser.ts'
import { fakeBrowser } from './testing/fake-browser.ts'
import type { FakeService } from './testing/fake-service.ts'
import { fakeService, SERVICE } from './testing/fake-service.ts'

useClock()

const ADA = { email: 'ada', password: 'right' }
const MINUTE = 60_000
const CHANNEL = `sallyport:cookie:${SERVICE}/api`

interface World {
  readonly service: FakeService
  readonly browser: FakeBrowser
  readonly tabs: readonly Client[]
  /** What each tab was told. */
  readonly ended: readonly string[][]
}

/** Tabs of one browser in which somebody is signed in. */
async function tabsOf(count: number, options: ClientOptions = {}, more: Partial<Platform> = {}): Promise<World> {
  const service = fakeService()
  const browser = fakeBrowser(service)
  const storage = memoryStorage()
  const ended = Array.from({ length: count }, (): string[] => [])
  const tabs = ended.map((told) =>
    browser.tab(
      {
        onSignedOut: ({ reason }) => told.push(reason),
        ...(options.delivery === 'body' && { storage }),
        ...options,
      },
      more,
    ),
  )
  await value((tabs[0] as Client).signIn(ADA))
  await pass(10)
  // Without channels a tab finds out for itself.
  await value(Promise.all(tabs.map((tab) => tab.session())))
  return { service, browser, tabs, ended }
}
const callInEach = (tabs: readonly Client[]) =>
  Promise.all(
    tabs.map((tab) =>
      tab.api.listSessions().then(
        () => 'ok',
        (error: { code: string }) => error.code,
      ),
    ),
  )

describe.each(['cookie', 'body'] as const)('delivery: %s', (delivery) => {
  test('who signs in is signed in in every tab, and so is who signs in after', async () => {
    const { tabs, service } = await tabsOf(3, { delivery })
    for (const tab of tabs) expect(tab.state()).toMatchObject({ status: 'signed-in', user: { id: 'ada' } })
    await value((tabs[1] as Client).signIn({ email: 'bob', password: 'right' }))
    await pass(10)
    for (const tab of tabs) expect(tab.state()).toMatchObject({ status: 'signed-in', user: { id: 'bob' } })
    expect(await value(callInEach(tabs))).toEqual(['ok', 'ok', 'ok'])
    expect(service.count('refresh')).toBe(0)
  })

  test('of ten tabs whose token ends one renews it, and tells the others', async () => {
    const { tabs, service, ended } = await tabsOf(10, { delivery })
    for (let cycle = 1; cycle <= 5; cycle++) {
      await pass(10 * MINUTE)
      await value(callInEach(tabs))
      expect(service.count('refresh')).toBe(cycle)
    }
    expect(ended.flat()).toEqual([])
  })

  test('a session that is ended elsewhere is told once in every tab, at the next call of one', async () => {
    const { tabs, service, ended } = await tabsOf(3, { delivery })
    service.revoke('sid-1')
    expect(ended.flat()).toEqual([])
    expect(await outcome((tabs[1] as Client).api.listSessions())).toBe('REFRESH_TOKEN_REVOKED')
    await pass(10)
    expect(ended).toEqual([['REFRESH_TOKEN_REVOKED'], ['REFRESH_TOKEN_REVOKED'], ['REFRESH_TOKEN_REVOKED']])
    expect(await value(callInEach(tabs))).toEqual(['SIGNED_OUT', 'SIGNED_OUT', 'SIGNED_OUT'])
    expect(ended.flat()).toHaveLength(3)
  })

  test('who signs out in one tab is signed out in all', async () => {
    const { tabs, ended } = await tabsOf(3, { delivery })
    await value((tabs[2] as Client).signOut())
    await pass(10)
    expect(ended).toEqual([['SIGNED_OUT'], ['SIGNED_OUT'], ['SIGNED_OUT']])
  })

  test('a tab that holds on to the lock costs a wait, and no session', async () => {
    const { tabs, browser, ended, service } = await tabsOf(3, { delivery })
    await pass(10 * MINUTE)
    browser.locks.seize(`sallyport:${delivery}:${SERVICE}/api`)
    const before = Date.now()
    expect(await value(callInEach(tabs))).toEqual(['ok', 'ok', 'ok'])
    expect(Date.now() - before).toBeLessThan(6000)
    expect([service.reuses, ended.flat()]).toEqual([0, []])
  })

  test.each<[string, Partial<Platform>]>([
    ['locks', { navigator: {} }],
    ['a navigator', { navigator: undefined } as never],
    ['channels', { BroadcastChannel: undefined } as never],
    ['limits to wait by', { AbortSignal: {} }],
    ['any of it', { navigator: undefined, BroadcastChannel: undefined, AbortSignal: {} } as never],
  ])('without %s ten tabs stay signed in, though answers get lost', async (_what, more) => {
    const { tabs, service, ended } = await tabsOf(10, { delivery }, more)
    let losing = 0
    service.after = ({ name }) => {
      if (name === 'refresh' && losing++ % 3 === 1) throw new Error('connection reset')
    }
    for (let cycle = 0; cycle < 30; cycle++) {
      await pass(10 * MINUTE)
      expect(await value(callInEach(tabs))).toEqual(Array.from({ length: 10 }, () => 'ok'))
    }
    expect([service.reuses, ended.flat()]).toEqual([0, []])
  })
})

describe('answers that cross each other', () => {
  /** Two tabs renew at once without locks; the answer of the first to ask comes last, with the older cookie. */
  const cross = async (more: Partial<Platform>) => {
    const world = await tabsOf(2, {}, { navigator: {}, ...more })
    const { service, tabs, browser } = world
    const [slow, quick] = tabs as [Client, Client]
    await pass(10 * MINUTE)
    service.after = ({ name }) =>
      name === 'refresh' && service.count('refresh') === 1 && new Promise((resolve) => setTimeout(resolve, 3000))
    const late = slow.api.listSessions()
    await pass(100)
    // The same token: answered with the same successor. Its access token is refused soon after, and the next generation begins.
    await value(quick.api.listSessions())
    let refused = false
    service.before = ({ name }) => {
      if (name !== 'other' || refused) return undefined
      refused = true
      return new Response('{"error":"INVALID_TOKEN"}', { status: 401, headers: { 'content-type': 'application/json' } })
    }
    await value(quick.api.listSessions())
    expect(browser.jar.get('session')).toBe('sprt_sid-1_3')
    await value(late)
    await pass(100)
    return world
  }

  test('leave no older cookie behind: it would look stolen at its next use', async () => {
    const { service, tabs, browser, ended } = await cross({})
    expect(browser.jar.get('session')).toBe(`sprt_sid-1_${service.family('sid-1').generation}`)
    await pass(10 * MINUTE)
    expect(await value(callInEach(tabs))).toEqual(['ok', 'ok'])
    expect([service.reuses, ended.flat()]).toEqual([0, []])
  })
})

describe('what other scripts of the page say', () => {
  const held = { sid: 'sid-9', gen: 9, token: 'h.e30.s', sentAt: 1, doneAt: 1, dueAt: 4e12, endsAt: 4e12 }
  const me = {
    status: 'signed-in',
    user: { id: 'eve' },
    tenant: { id: 't' },
    staff: { id: 's' },
    session: { id: 'sid-9' },
    impersonation: null,
  }

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['text', 'sign out'],
    ['an end without a reason', { out: 'sid-1' }],
    ['an end of another session', { out: 'sid-2', reason: 'SESSION_REVOKED' }],
    ['a token alone of another session', { held }],
    ['a token that is none', { held: { ...held, token: 7 }, me }],
    ['a token without its end', { held: { ...held, endsAt: undefined }, me }],
    ['a token whose end is no number', { held: { ...held, dueAt: 'soon' }, me }],
    ['a token of another session than the person’s', { held, me: { ...me, session: { id: 'sid-1' } } }],
    ['a person without a name to go by', { held, me: { ...me, user: {} } }],
    ['a person without a status', { held, me: { ...me, status: undefined } }],
    ['null for parts', { held: null, me: null, out: null, reason: null }],
  ])('%s changes nothing', async (_what, message) => {
    const { tabs, browser, ended, service } = await tabsOf(1)
    const before = tabs[0]?.state()
    browser.broadcast(CHANNEL, message)
    await pass(10)
    expect([tabs[0]?.state() === before, ended.flat()]).toEqual([true, []])
    expect(await value(callInEach(tabs))).toEqual(['ok'])
    expect(service.count('refresh')).toBe(0)
  })

  test('from another origin nothing is believed, however well it is formed', async () => {
    const { tabs, browser, ended } = await tabsOf(1)
    const before = tabs[0]?.state()
    browser.broadcast(CHANNEL, { held, me }, 'https://evil.example')
    browser.broadcast(CHANNEL, { out: 'sid-1', reason: 'SESSION_REVOKED' }, 'https://evil.example')
    await pass(10)
    expect([tabs[0]?.state() === before, ended.flat()]).toEqual([true, []])
  })
})

test('closed, a client hears nothing any more', async () => {
  const { tabs } = await tabsOf(2)
  const [one, two] = tabs as [Client, Client]
  let calls = 0
  two.subscribe(() => calls++)
  two.close()
  await value(one.signOut())
  await pass(10)
  expect([calls, two.state().status]).toEqual([0, 'signed-in'])
  expect(await outcome(two.api.listSessions())).toBe('CLOSED')
})
