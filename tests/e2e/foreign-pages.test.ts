/**
 * Pages of other origins against a session whose token is a cookie, in a real browser over https: whatever they have it send, nothing
 * changes, and nothing is told to them.
 *
 * Two kinds of stranger: a page of another site, to which `SameSite` applies, and one of a sibling host, with which the browser
 * sends every cookie along.
 *
 * @module
 */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { Server } from 'node:https'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withOrigins } from '../../packages/sallyport/src/http/cors.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { PASSWORD } from '../support/directory-bench.ts'
import type { InProcess, Member } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

const SESSION = '__Host-sallyport-session'
const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version'])
    return true
  } catch {
    return false
  }
})()

/** A request as it reached the server. */
interface Reached {
  readonly from: string | null
  readonly asked: string
  readonly withCookie: boolean
  readonly status: number
  readonly error: string | undefined
}

/** What a stranger can have a browser send to a path without the server's leave: the text of a function body, run in the page. */
const ATTEMPTS: Readonly<Record<string, (url: string, body: string) => string>> = {
  'a form': (url) => inFrame(`<form method="post" action="${url}"><input name="x" value="y"></form>`),
  'a form of plain text': (url, body) =>
    inFrame(
      `<form method="post" enctype="text/plain" action="${url}"><input name='${body.slice(0, -1)},"x":"' value='"}'></form>`,
    ),
  'a form with a file': (url) =>
    inFrame(`<form method="post" enctype="multipart/form-data" action="${url}"><input name="x" value="y"></form>`),
  'a fetch with credentials': (url, body) =>
    `return fetch(${js(url)}, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: ${js(body)} })
      .then((answer) => answer.text()).catch((error) => 'unreadable: ' + error.name)`,
  'a fetch with credentials and no body': (url) =>
    `return fetch(${js(url)}, { method: 'POST', credentials: 'include' })
      .then((answer) => answer.text()).catch((error) => 'unreadable: ' + error.name)`,
  'a fetch that wants no answer': (url, body) =>
    `return fetch(${js(url)}, { method: 'POST', mode: 'no-cors', credentials: 'include', body: ${js(body)} })
      .then((answer) => answer.text()).catch((error) => 'unreadable: ' + error.name)`,
  'a fetch that wants no answer and has no body': (url) =>
    `return fetch(${js(url)}, { method: 'POST', mode: 'no-cors', credentials: 'include' })
      .then((answer) => answer.text()).catch((error) => 'unreadable: ' + error.name)`,
  'a beacon': (url, body) =>
    `navigator.sendBeacon(${js(url)}, ${js(body)}); return new Promise((done) => setTimeout(done, 200))`,
  'an old request': (url) =>
    `return new Promise((done) => {
      const request = new XMLHttpRequest()
      request.open('POST', ${js(url)})
      request.withCredentials = true
      request.onloadend = () => done(request.responseText)
      request.send()
    })`,
  'an image': (url) =>
    `return new Promise((done) => { const image = new Image(); image.onload = image.onerror = () => done(''); image.src = ${js(url)} })`,
  'a script': (url) =>
    `return new Promise((done) => {
      const script = document.createElement('script')
      script.onload = script.onerror = () => done('')
      script.src = ${js(url)}
      document.head.append(script)
    })`,
}

const js = (value: unknown): string => JSON.stringify(value)

/** Sends the form into a frame, and waits until something was shown there. */
function inFrame(form: string): string {
  return `return new Promise((done) => {
    const frame = document.createElement('iframe')
    frame.name = 'f' + Math.random()
    document.body.append(frame)
    document.body.insertAdjacentHTML('beforeend', ${js(form)})
    const sent = document.body.lastElementChild
    sent.target = frame.name
    frame.onload = () => setTimeout(() => done(''), 50)
    sent.submit()
    setTimeout(() => done(''), 1500)
  })`
}

describe.skipIf(!hasChromium || !hasOpenssl)('a page of another origin', () => {
  let folder: string
  let server: Server
  let api: InProcess
  let owner: Member
  let attacker: Member
  let browser: Browser
  let context: BrowserContext
  let port: number
  const reached: Reached[] = []
  const origin = (host: string) => `https://${host}:${port}`
  const id = (path: string) => `${origin('id.example.com')}${path}`

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'].concat(
        ['-subj', '/CN=example.com', '-addext', 'subjectAltName=DNS:*.example.com,DNS:evil.test'],
        ['-keyout', key, '-out', cert],
      ),
      { stdio: 'ignore' },
    )
    const pages = new Response('<!doctype html><meta charset="utf-8"><title>page</title><body>', {
      headers: { 'content-type': 'text/html' },
    })
    server = createServer({ key: await readFile(key), cert: await readFile(cert) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    api = await openInProcess({
      issuer: origin('id.example.com'),
      allowedOrigins: [origin('app.example.com')],
      risk: { mode: 'off' },
    })
    const handle = withOrigins(api.handler, api.engine.settings)
    const listener = getRequestListener(async (request) => {
      const { hostname, pathname } = new URL(request.url)
      if (hostname !== 'id.example.com' || pathname === '/page') return pages.clone()
      const answer = await handle(request, { remoteAddress: '192.0.2.7' })
      const problem = answer.headers.get('content-type')?.startsWith('application/problem') === true
      reached.push({
        from: request.headers.get('origin') ?? request.headers.get('sec-fetch-site'),
        asked: `${request.method} ${pathname}`,
        withCookie: request.headers.get('cookie')?.includes(`${SESSION}=`) === true,
        status: answer.status,
        error: problem ? ((await answer.clone().json()) as { error: string }).error : undefined,
      })
      return answer
    })
    server.on('request', (incoming, outgoing) => void listener(incoming, outgoing))
    owner = await api.signUp()
    attacker = await api.signUp()
    browser = await startChromium([
      '--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP evil.test 127.0.0.1',
      '--ignore-certificate-errors',
    ])
    context = await browser.newContext({ ignoreHTTPSErrors: true })
    const signedIn = await pageOf('app.example.com')
    const body = { email: owner.email, password: PASSWORD, delivery: 'cookie' }
    expect(await post(signedIn, '/api/auth/login', body)).toBe(200)
  })
  afterAll(async () => {
    await browser?.close()
    server?.closeAllConnections()
    server?.close()
    await api?.close()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    // A page that was left in the middle of a visit may never say that it is closed. It asks for nothing more all the same.
    await Promise.all(
      context.pages().map((page) => Promise.race([page.close(), sleep(5000, undefined, { ref: false })])),
    )
    reached.length = 0
  })

  async function pageOf(host: string): Promise<Page> {
    const page = await context.newPage()
    await page.goto(`${origin(host)}/page`)
    return page
  }
  /** As an app of a listed origin calls. */
  function post(page: Page, path: string, body: unknown = {}): Promise<number> {
    return page.evaluate(
      `fetch(${js(id(path))}, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: ${js(js(body))} })
        .then((answer) => answer.status)`,
    )
  }
  /** What the browser holds for the service. */
  const jar = async () => (await context.cookies(id('/'))).map(({ name, value }) => `${name}=${value}`).sort()
  const state = async () => ({ jar: await jar(), written: await api.snapshot() })

  test('the cookies are kept as they were meant, and no script sees the one that matters', async () => {
    const kept = await context.cookies(id('/'))
    const table = Object.fromEntries(
      kept.map(({ name, domain, path, httpOnly, secure, sameSite }) => [
        name,
        { domain, path, httpOnly, secure, sameSite },
      ]),
    )
    const all = { domain: 'id.example.com', path: '/', secure: true, sameSite: 'Lax' }
    expect(table).toEqual({
      [SESSION]: { ...all, httpOnly: true },
      '__Host-sallyport-device': { ...all, httpOnly: true },
      iat: { ...all, httpOnly: false },
    })
    const own = await pageOf('id.example.com')
    expect(await own.evaluate('document.cookie')).toMatch(/^iat=\d{13}$/)
    expect(await (await pageOf('app.example.com')).evaluate('document.cookie')).toBe('')
  })

  const TARGETS = ['/api/auth/refresh', '/api/auth/logout', '/auth/user/refresh-session', '/auth/logout'] as const
  const STRANGERS = [
    ['another site', 'evil.test'],
    ['a sibling host', 'sibling.example.com'],
  ] as const

  describe.each(STRANGERS)('of %s', (_kind, host) => {
    test.each(Object.keys(ATTEMPTS))('by %s changes nothing and learns nothing', async (name) => {
      const stranger = await pageOf(host)
      const before = await state()
      for (const target of TARGETS) {
        const attempt = (ATTEMPTS[name] as (url: string, body: string) => string)(id(target), js({}))
        const learnt = (await stranger.evaluate(`(() => { ${attempt} })()`)) as string | undefined
        expect(learnt ?? '', target).toMatch(/^(?:unreadable: TypeError)?$/)
      }
      expect(await state()).toEqual(before)
      expect(reached.length).toBeGreaterThanOrEqual(TARGETS.length)
      // Without a cookie there is nobody to sign out, which is as good as done.
      const idle = (one: Reached) => one.status === 200 && !one.withCookie && one.asked.endsWith('logout')
      expect(reached.filter((one) => one.status < 400 && !idle(one))).toEqual([])
      // A sibling's requests bring the cookie along: there it is the service alone that refuses. A preflight brings nothing.
      const asked = reached.filter((one) => one.asked.startsWith('POST'))
      if (host === 'sibling.example.com') for (const one of asked) expect(one).toMatchObject({ withCookie: true })
      else for (const one of reached) expect(one).toMatchObject({ withCookie: false })
    })

    test('by sending the person to it, changes nothing', async () => {
      for (const target of [...TARGETS, '/api/auth/me']) {
        const stranger = await pageOf(host)
        const before = await state()
        reached.length = 0
        await Promise.all([
          stranger.waitForURL(id(target), { waitUntil: 'commit' }),
          stranger.evaluate(`location.href = ${js(id(target))}`),
        ])
        // The top-level visit brings the cookie, and finds nothing that answers to it.
        expect(reached).toMatchObject([{ asked: `GET ${target}`, withCookie: true }])
        expect([401, 405]).toContain(reached[0]?.status)
        expect(await state()).toEqual(before)
      }
    })

    test('by posting the person to it, changes nothing', async () => {
      for (const target of TARGETS) {
        const stranger = await pageOf(host)
        const before = await state()
        reached.length = 0
        const form = `<form method="post" action="${id(target)}"></form>`
        await Promise.all([
          stranger.waitForURL(id(target), { waitUntil: 'commit' }),
          stranger.evaluate(
            `(() => { document.body.insertAdjacentHTML('beforeend', ${js(form)}); document.forms[0].submit() })()`,
          ),
        ])
        expect(reached).toMatchObject([{ asked: `POST ${target}`, status: expect.toBeOneOf([403, 415]) as number }])
        expect(await state()).toEqual(before)
      }
    })

    test('does not sign the person in to an account of its own', async () => {
      const stranger = await pageOf(host)
      const before = await state()
      const body = js({ email: attacker.email, password: PASSWORD, delivery: 'cookie' })
      for (const name of [
        'a form of plain text',
        'a fetch with credentials',
        'a fetch that wants no answer',
        'a beacon',
      ]) {
        const attempt = (ATTEMPTS[name] as (url: string, body: string) => string)(id('/api/auth/login'), body)
        await stranger.evaluate(`(() => { ${attempt} })()`)
      }
      expect(await state()).toEqual(before)
    })

    test('shows none of the service’s pages in a frame of its own', async () => {
      const stranger = await pageOf(host)
      await stranger.evaluate(
        `new Promise((done) => {
          const frame = document.createElement('iframe')
          frame.onload = done
          frame.src = ${js(id('/api/docs'))}
          document.body.append(frame)
        })`,
      )
      await expect.poll(() => stranger.frames()[1]?.url()).toMatch(/^chrome-error:/)
    })
  })

  // Last: it ends the one session that all of them reach for.
  test('a page of the list can do what strangers cannot: that the attempts above reached for something', async () => {
    const app = await pageOf('app.example.com')
    const before = await state()
    expect(await post(app, '/api/auth/refresh')).toBe(200)
    const after = await state()
    expect(after.jar).not.toEqual(before.jar)
    expect(after.written).not.toEqual(before.written)
    expect(await post(app, '/api/auth/logout')).toBe(200)
    expect((await jar()).map((cookie) => cookie.split('=')[0])).toEqual(['__Host-sallyport-device'])
  })
})
