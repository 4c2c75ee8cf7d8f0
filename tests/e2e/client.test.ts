/**
 * The built client in a real Chromium, against built service processes on PostgreSQL, through an edge that loses answers.
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import type { Tab } from '../support/chromium.ts'
import { hasChromium, openTab, startChromium } from '../support/chromium.ts'
import { send } from '../support/client.ts'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import type { Edge, Fate, Passing } from '../support/edge.ts'
import { startEdge } from '../support/edge.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'eleven grey herons at dawn'
/** More of them by SALLYPORT_TAB_CYCLES=200, or 2000. */
const CYCLES = Number(process.env['SALLYPORT_TAB_CYCLES'] ?? 25)
const TABS = 10

interface Person {
  readonly email: string
}

describe.skipIf(!hasPostgres || !hasChromium)('the client in a browser', () => {
  let cluster: Cluster
  let browser: Browser
  let database: pg.Pool
  /** The service's own origin, with a page on it. */
  let own: Edge
  /** A page of another origin, which is listed. */
  let app: Edge
  const contexts: BrowserContext[] = []
  let people = 0

  beforeAll(async () => {
    own = await startEdge()
    app = await startEdge()
    cluster = await startCluster(2, { allowedOrigins: [app.origin] }, { SALLYPORT_ISSUER: own.origin })
    own.upstreams = cluster.nodes.map(({ url }) => url)
    browser = await startChromium()
    database = new pg.Pool({ connectionString: cluster.databaseUrl, max: 2 })
    database.on('error', () => undefined)
  })
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    own.fate = () => 'pass'
    own.passed.length = 0
  })
  afterAll(async () => {
    await browser?.close()
    await database?.end()
    await cluster?.close()
    await own?.close()
    await app?.close()
  })

  const node = (): string => cluster.nodes[0]?.url ?? ''
  const rows = async (text: string, values: readonly unknown[] = []) => (await database.query(text, [...values])).rows
  const signUp = async (): Promise<Person> => {
    const email = `tab-${process.pid}-${++people}@example.com`
    const body = { email, password: PASSWORD, name: 'Tabea', tenantName: `Tabs ${people}` }
    equal((await send(node(), '/api/auth/sign-up', { body })).status, 201)
    return { email }
  }
  const profile = async (): Promise<BrowserContext> => {
    const context = await browser.newContext()
    contexts.push(context)
    return context
  }
  const enter = (person: Person) =>
    `client.signIn({ email: ${JSON.stringify(person.email)}, password: ${JSON.stringify(PASSWORD)} })`
  const call = '({ ok: (await client.api.listSessions()).currentSessionId })'
  const signedIn = async (
    person: Person,
    { at = own, options = '{}', context }: { at?: Edge; options?: string; context?: BrowserContext } = {},
  ): Promise<{ tab: Tab; context: BrowserContext; sessionId: string }> => {
    const within = context ?? (await profile())
    const tab = await openTab(within, at.origin, options)
    const state = await tab.run<{ session?: { id: string } }>(enter(person))
    ok(state.session, JSON.stringify(state))
    return { tab, context: within, sessionId: state.session.id }
  }
  /** The family of a session, as the database has it, and how many of its tokens came back as only a thief brings them. */
  const familyOf = async (sessionId: string) => {
    const [row] = await rows(
      `select f.revoke_reason, f.generation, f.binding, (select count(*)::int from refresh_tokens t
          where t.session_id = f.session_id and t.suspicious_reuse_at is not null) as reuses
        from token_families f where f.session_id = $1`,
      [sessionId],
    )
    return row as { revoke_reason: string | null; generation: number; binding: string; reuses: number }
  }
  /** Until every node knows of what was done on one. */
  const known = () => sleep(500)
  const isUnharmed = async (sessionId: string) => {
    const { revoke_reason, reuses } = await familyOf(sessionId)
    deepEqual({ revoke_reason, reuses }, { revoke_reason: null, reuses: 0 })
  }

  /**
   * Has every tab make a call, again and again, each time with a token that is no good any more; and loses the answers to
   * renewals as `fate` says.
   */
  const torture = async (
    tabs: readonly Tab[],
    { cycles, fate }: { readonly cycles: number; readonly fate: (renewal: number) => Fate },
  ) => {
    const spent = new Set<string>()
    let seen = new Set<string>()
    let renewals = 0
    own.fate = ({ path, token }: Passing) => {
      if (path.endsWith('/auth/refresh')) return fate(renewals++)
      if (token === undefined) return 'pass'
      if (spent.has(token)) return { status: 401, body: { error: 'INVALID_TOKEN', detail: 'spent' } }
      seen.add(token)
      return 'pass'
    }
    const failures: unknown[] = []
    const begun = performance.now()
    for (let cycle = 0; cycle < cycles; cycle++) {
      const answers = await Promise.all(tabs.map((tab) => tab.run<{ ok?: string }>(call)))
      failures.push(...answers.filter((answer) => answer.ok === undefined))
      for (const token of seen) spent.add(token)
      seen = new Set()
    }
    own.fate = () => 'pass'
    return { failures, renewals, ms: performance.now() - begun }
  }

  test('signs in, resumes after a reload, and signs out, in every tab', async () => {
    const { tab, context, sessionId } = await signedIn(await signUp())
    const other = await openTab(context, own.origin)
    equal((await other.run<{ session: { id: string } }>('client.session()')).session.id, sessionId)
    await tab.reload()
    equal((await tab.run<{ session: { id: string } }>('client.session()')).session.id, sessionId)
    deepEqual(await tab.run(call), { ok: sessionId })
    await tab.run('client.signOut()')
    await other.page.waitForFunction('ended.length > 0')
    deepEqual(await other.run('ended'), ['SIGNED_OUT'])
    equal((await familyOf(sessionId)).revoke_reason, 'logout')
    // Nobody is there any more, and nothing is asked: no page of somebody who is not signed in begins with a refusal.
    own.passed.length = 0
    await tab.reload()
    equal(await tab.run('client.session()'), undefined)
    deepEqual(own.passed, [])
  })

  test.each([
    ['cookie', '{}', /^$/],
    ['body', `{ delivery: 'body', storage: localStorage }`, /:refresh$/],
  ])(
    'what the browser keeps says nothing of the person, and is the token only where that was asked for (%s)',
    async (delivery, options, token) => {
      const person = await signUp()
      const { tab } = await signedIn(person, { options })
      const kept = await tab.run<{
        local: Record<string, string>
        session: number
        databases: string[]
        keys: unknown[]
      }>(`(async () => {
      const database = await new Promise((resolve, reject) => {
        const opening = indexedDB.open('sallyport')
        opening.onsuccess = () => resolve(opening.result)
        opening.onerror = () => reject(opening.error)
      })
      const all = await new Promise((resolve) => {
        const asked = database.transaction('keys').objectStore('keys').getAll()
        asked.onsuccess = () => resolve(asked.result)
      })
      database.close()
      return {
        local: { ...localStorage },
        session: sessionStorage.length,
        databases: (await indexedDB.databases()).map(({ name }) => name),
        keys: all.map(({ privateKey }) => [privateKey.type, privateKey.extractable]),
      }
    })()`)
      deepEqual([kept.session, kept.databases, kept.keys], [0, ['sallyport'], [['private', false]]])
      for (const [key, value] of Object.entries(kept.local)) {
        ok(key.endsWith(':device') || token.test(key), key)
        equal(value.includes('sprt_'), token.test(key))
        for (const word of [person.email, 'Tabea', 'Tabs', PASSWORD]) ok(!value.includes(word) && !key.includes(word))
      }
      equal(Object.keys(kept.local).length, delivery === 'cookie' ? 1 : 2)
    },
  )

  test('a sign-in whose answer is lost can be tried again, and a sign-out tries again by itself', async () => {
    const person = await signUp()
    const tab = await openTab(await profile(), own.origin)
    let losses = 1
    own.fate = ({ path }) => (/login|logout/.test(path) && losses-- > 0 ? 'drop-answer' : 'pass')
    // The browser may have sent it again by itself, and the client a new proof after it.
    const first = await tab.run<{ code?: string; status: number | string }>(enter(person))
    ok(first.code === 'NETWORK' || first.status === 'signed-in', JSON.stringify(first))
    const { session } = await tab.run<{ session: { id: string } }>(enter(person))
    losses = 2
    await tab.run('client.signOut()')
    equal((await familyOf(session.id)).revoke_reason, 'logout')
  })

  /** Of twenty renewals, the answers to three are lost, one breaks off, and one never arrives. */
  const lossy = (renewal: number): Fate => {
    const turn = (renewal * 7) % 20
    if (turn < 3) return 'drop-answer'
    if (turn === 3) return 'cut-answer'
    return turn === 4 ? 'drop-request' : 'pass'
  }

  test(
    `ten tabs whose token ends ${CYCLES} times, with answers lost: nobody is signed out`,
    async () => {
      const { tab, context, sessionId } = await signedIn(await signUp())
      const tabs = [tab]
      while (tabs.length < TABS) tabs.push(await openTab(context, own.origin))
      const { failures, renewals, ms } = await torture(tabs, { cycles: CYCLES, fate: lossy })
      console.log(`${CYCLES} cycles of ${TABS} tabs: ${renewals} renewals asked for, in ${Math.round(ms / 1000)} s`)
      deepEqual(failures, [])
      deepEqual(
        await Promise.all(tabs.map((one) => one.run('ended'))),
        tabs.map(() => []),
      )
      await isUnharmed(sessionId)
      for (const one of tabs) deepEqual(await one.run(call), { ok: sessionId })
    },
    60_000 + CYCLES * 1000,
  )

  describe.each([
    ['the cookie, from the service’s own origin', () => ({ at: own, options: '{}' })],
    ['the cookie, from another origin', () => ({ at: app, options: `{ baseUrl: '${own.origin}' }` })],
    [
      'the body and localStorage, from another origin',
      () => ({ at: app, options: `{ baseUrl: '${own.origin}', delivery: 'body', storage: localStorage }` }),
    ],
  ])('by %s', (_how, how) => {
    test('tabs with answers lost stay signed in, and each knows when the session is ended elsewhere', async () => {
      const person = await signUp()
      const { at, options } = how()
      const { tab, context, sessionId } = await signedIn(person, { at, options })
      const tabs = [tab]
      while (tabs.length < 3) tabs.push(await openTab(context, at.origin, options))
      deepEqual((await torture(tabs, { cycles: 20, fate: lossy })).failures, [])
      await isUnharmed(sessionId)
      equal((await familyOf(sessionId)).binding, 'key')

      const elsewhere = await signedIn(person)
      await rows(
        `insert into step_up_challenges (id, tenant_id, user_id, session_id, purpose, factor, created_at, verified_at, expires_at)
          select gen_random_uuid(), tenant_id, user_id, id, 'revoke_session', 'totp', now(), now(), now() + interval '10 minutes'
          from user_sessions where id = $1`,
        [elsewhere.sessionId],
      )
      const revoke = `client.api.revokeSession({ sessionId: '${sessionId}' })`
      deepEqual(await elsewhere.tab.run(revoke), { success: true, currentRevoked: false })
      deepEqual(await Promise.all(tabs.map((one) => one.run('ended'))), [[], [], []])
      await known()
      equal((await tabs[1]?.run<{ code: string }>(call))?.code, 'REFRESH_TOKEN_REVOKED')
      await Promise.all(tabs.map((one) => one.page.waitForFunction('ended.length > 0')))
      for (const one of tabs) equal((await one.run<{ code: string }>(call)).code, 'SIGNED_OUT')
      deepEqual(
        await Promise.all(tabs.map((one) => one.run('ended'))),
        tabs.map(() => ['REFRESH_TOKEN_REVOKED']),
      )
      // Exactly that one.
      deepEqual(await elsewhere.tab.run(call), { ok: elsewhere.sessionId })
      deepEqual(await elsewhere.tab.run('ended'), [])
    })
  })

  test('browsers without locks, channels and IndexedDB stay signed in too, unbound', async () => {
    const context = await profile()
    await context.addInitScript(`
      Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })
      Object.defineProperty(window, 'indexedDB', { value: undefined })
      delete window.BroadcastChannel
    `)
    const { tab, sessionId } = await signedIn(await signUp(), { context })
    const tabs = [tab]
    while (tabs.length < 5) tabs.push(await openTab(context, own.origin))
    const { failures } = await torture(tabs, { cycles: 30, fate: lossy })
    await isUnharmed(sessionId)
    equal((await familyOf(sessionId)).binding, 'cookie')
    deepEqual(failures, [])
  })

  test('a tab that dies with the lock costs nothing, and one that hangs with it a wait', async () => {
    const { tab, context, sessionId } = await signedIn(await signUp())
    const name = `sallyport:cookie:${own.origin}/api`
    const hold = `navigator.locks.request('${name}', () => new Promise(() => undefined))`
    const timed = async (work: Promise<unknown>) => {
      const before = performance.now()
      await work
      return performance.now() - before
    }
    const dying = await openTab(context, own.origin)
    await dying.page.evaluate(`void ${hold}`)
    // In the middle of it, as a renderer that is killed.
    const renewed = timed(
      tab.run('client.session({ reload: true })').then(() => torture([tab], { cycles: 2, fate: () => 'pass' })),
    )
    await dying.page.close()
    ok((await renewed) < 4000)

    const hanging = await openTab(context, own.origin)
    await hanging.page.evaluate(`void ${hold}`)
    const waited = await timed(torture([tab], { cycles: 2, fate: () => 'pass' }))
    ok(waited > 4000 && waited < 9000, String(waited))
    await isUnharmed(sessionId)
  })

  /** Enrols an authenticator app. @returns The recovery codes, each good for one step-up without a wait. */
  const enrol = async (tab: Tab): Promise<string[]> => {
    const begun = await tab.run<{ factorId: string; secret: string }>('client.api.beginTotp()')
    const code = totpCode(begun.secret, new Date())
    const confirmed = await tab.run<{ recoveryCodes: string[] }>(
      `client.api.confirmTotp({ factorId: '${begun.factorId}', code: '${code}' })`,
    )
    return [...confirmed.recoveryCodes]
  }
  /** Waits for the dialog to be asked for the nth time, and gives a recovery code. */
  const pass = async (tab: Tab, codes: string[], nth = 1): Promise<{ purpose: string; factors: string[] }> => {
    await tab.page.waitForFunction(`demands.length >= ${nth}`)
    const proof = JSON.stringify({ factor: 'recovery_code', code: codes.pop() })
    await tab.run(`demands[${nth - 1}].verify(${proof})`)
    return tab.run(`({ purpose: demands[${nth - 1}].purpose, factors: demands[${nth - 1}].factors })`)
  }

  test('a session that a thief made wait goes on for its owner, and not for the thief in between', async () => {
    const options = `{ delivery: 'body', storage: localStorage, bindKey: false }`
    const { tab, sessionId } = await signedIn(await signUp(), { options })
    const codes = await enrol(tab)
    const stolen = await tab.run<string>(`localStorage.getItem('sallyport:body:${own.origin}/api:refresh')`)
    const steal = () =>
      send(node(), '/api/auth/refresh', {
        body: { refreshToken: stolen, deviceFingerprint: 'of the thief' },
        headers: { 'user-agent': 'curl/8' },
      })
    const first = await steal()
    deepEqual([first.status, first.body.purpose], [428, 'session_risk'])
    await known()

    const thefts: number[] = []
    const begun = own.passed.length
    const verified = () => own.passed.slice(begun).some(({ path }) => path.endsWith('/step-up/verify'))
    own.fate = async ({ path }): Promise<Fate> => {
      // Between the owner's step-up and the owner's refresh.
      if (path.endsWith('/auth/refresh') && verified()) thefts.push((await steal()).status)
      return 'pass'
    }
    const action = tab.run(call)
    const asked = await pass(tab, codes)
    deepEqual([asked.purpose, asked.factors.includes('totp')], ['session_risk', true])
    deepEqual(await action, { ok: sessionId })
    deepEqual([thefts, await tab.run('ended'), await tab.run('demands.length')], [[428], [], 1])
    await isUnharmed(sessionId)
  })

  test('a stolen token of a bound session is worth nothing elsewhere', async () => {
    const options = `{ delivery: 'body', storage: localStorage }`
    const { tab, sessionId } = await signedIn(await signUp(), { options })
    const stolen = await tab.run<string>(`localStorage.getItem('sallyport:body:${own.origin}/api:refresh')`)
    const theft = await send(node(), '/api/auth/refresh', { body: { refreshToken: stolen } })
    deepEqual([theft.status, theft.body.error], [401, 'INVALID_DPOP_PROOF'])
    await tab.reload()
    ok(await tab.run('client.session()'))
    await isUnharmed(sessionId)
  })

  test.each([-7200, 7200])('a device whose clock is off by %s seconds signs in, bound, and stays', async (seconds) => {
    const context = await profile()
    await context.addInitScript(`const now = Date.now; Date.now = () => now() + ${seconds * 1000}`)
    const at = { at: app, options: `{ baseUrl: '${own.origin}' }`, context }
    const { tab, sessionId } = await signedIn(await signUp(), at)
    equal((await familyOf(sessionId)).binding, 'key')
    await tab.reload()
    ok(await tab.run('client.session()'))
    deepEqual((await torture([tab], { cycles: 3, fate: lossy })).failures, [])
    await isUnharmed(sessionId)
  })

  test('passkeys: enrolled, they open what asks for them, and complete a sign-in', async () => {
    const person = await signUp()
    const { tab, context } = await signedIn(person)
    const cdp = await context.newCDPSession(tab.page)
    await cdp.send('WebAuthn.enable')
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    equal(await tab.run('sallyport.hasPasskeys()'), true)
    const enrolled = await tab.run<{ recoveryCodes: string[] }>(
      `client.api.enrolPasskey({ response: await sallyport.createPasskey(await client.api.beginPasskey()), label: 'Laptop' })`,
    )
    equal(enrolled.recoveryCodes.length, 10)
    const give = async (nth: number) => {
      await tab.page.waitForFunction(`demands.length >= ${nth}`)
      const assertion = `await sallyport.getPasskey(await demands[${nth - 1}].passkeyOptions())`
      await tab.run(`demands[${nth - 1}].verify({ factor: 'passkey', assertion: ${assertion} })`)
    }
    const action = tab.run('client.api.revokeOtherSessions()')
    await give(1)
    deepEqual(await action, { success: true, revoked: 1 })

    await tab.run('client.signOut()')
    await rows('delete from trusted_devices')
    const again = tab.run<{ user?: { email: string } }>(enter(person))
    await give(2)
    equal((await again).user?.email, person.email)

    // Nothing that could answer is there any more.
    await cdp.send('WebAuthn.disable')
    const none = `sallyport.getPasskey({ challenge: 'AAAA', timeout: 100, rpId: 'elsewhere.example' })`
    equal((await tab.run<{ code: string }>(none)).code, 'PASSKEY_CANCELLED')
  })

  test('an invitation, an impersonation and an export, from a page of another origin', async () => {
    const at = { at: app, options: `{ baseUrl: '${own.origin}' }` }
    const { tab, sessionId } = await signedIn(await signUp(), at)
    const codes = await enrol(tab)

    const email = `member-${process.pid}-${++people}@example.com`
    const inviting = tab.run<{ code?: string }>(
      `client.api.inviteMember({ email: '${email}', name: 'Mo', role: 'member' })`,
    )
    equal((await pass(tab, codes)).purpose, 'team_change')
    equal((await inviting).code, undefined)
    const boxes = await Promise.all(
      cluster.nodes.map(({ url }) => send(url, `/api/dev/outbox?to=${encodeURIComponent(email)}`)),
    )
    const [mail] = boxes.flatMap(({ body }) => body.messages as { token: string }[])
    const member = await openTab(await profile(), app.origin, at.options)
    const joined = await member.run<{ user: { email: string }; staff: { id: string }; session: { id: string } }>(
      `client.acceptInvitation({ token: '${mail?.token}', name: 'Mo', password: '${PASSWORD}' })`,
    )
    equal(joined.user.email, email)
    equal((await familyOf(joined.session.id)).binding, 'key')
    deepEqual((await torture([member], { cycles: 3, fate: lossy })).failures, [])

    const other = await openTab(tab.page.context(), app.origin, at.options)
    await other.run('client.session()')
    const acting = tab.run<{ user: { email: string }; impersonation: { reason: string } }>(
      `client.impersonate({ staffId: '${joined.staff.id}', reason: 'Ticket 4711' })`,
    )
    equal((await pass(tab, codes, 2)).purpose, 'impersonate')
    const { user, impersonation } = await acting
    deepEqual([user.email, impersonation.reason], [email, 'Ticket 4711'])
    equal((await tab.run<{ user: { email: string } }>('client.api.me()')).user.email, email)
    // The own session goes on meanwhile, with answers lost, in the other tab.
    deepEqual((await torture([other], { cycles: 5, fate: lossy })).failures, [])
    equal((await tab.run<{ code: string }>('client.api.beginTotp()')).code, 'NOT_WHILE_IMPERSONATING')
    equal((await tab.run<{ session: { id: string } }>('client.exitImpersonation()')).session.id, sessionId)
    deepEqual(await tab.run(call), { ok: sessionId })

    const exporting = tab.run<{ name: string; chunks: number; text: string }>(`(async () => {
      const answer = await client.api.exportDataset({ file: 'user-sessions.csv' })
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let [text, chunks] = ['', 0]
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        text += read.value
        chunks++
      }
      return { name: answer.headers.get('content-disposition'), chunks, text }
    })()`)
    equal((await pass(tab, codes, 3)).purpose, 'data_export')
    const { name, chunks, text } = await exporting
    ok(/filename=".+\.csv"/.test(name) && chunks > 0 && text.includes(sessionId), name)
    await isUnharmed(sessionId)
  })
})
