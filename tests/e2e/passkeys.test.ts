import { deepEqual, equal, match } from 'node:assert/strict'
import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Nodes } from '../support/nodes.ts'
import { startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const CHROMIUM = '/usr/bin/chromium'
const PASSWORD = 'violet anchors hum below'
const MINUTE = 60_000

type Json = Record<string, unknown>

/** A page of a site, with an authenticator of its own that no person has to touch. */
class Site {
  readonly #page: Page
  readonly #cdp: CDPSession
  #authenticator: string | undefined

  constructor(page: Page, cdp: CDPSession) {
    this.#page = page
    this.#cdp = cdp
  }

  /** Replaces the authenticator by an empty one. */
  async plugIn({ verifiesUser = true } = {}): Promise<void> {
    await this.#cdp.send('WebAuthn.enable')
    if (this.#authenticator !== undefined) {
      await this.#cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#authenticator })
    }
    const { authenticatorId } = await this.#cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: verifiesUser,
        isUserVerified: verifiesUser,
        automaticPresenceSimulation: true,
      },
    })
    this.#authenticator = authenticatorId
  }

  /** Runs a ceremony in the page, as a client does. The functions are texts: they run in the browser. */
  create(options: Json): Promise<Json> {
    return this.#page.evaluate(
      `navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)}),
      }).then((credential) => credential.toJSON())`,
    )
  }

  get(options: Json): Promise<Json> {
    return this.#page.evaluate(
      `navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(options)}),
      }).then((credential) => credential.toJSON())`,
    )
  }
}

describe.skipIf(!hasPostgres || !existsSync(CHROMIUM))('passkeys in a browser', () => {
  let nodes: Nodes
  let browser: Browser
  let site: Site
  let otherSite: Site
  const servers: Server[] = []
  let people = 0

  const serve = async (): Promise<string> => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>site</title>')
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    return `http://localhost:${(server.address() as AddressInfo).port}`
  }
  const visit = async (origin: string): Promise<Site> => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(origin)
    const visited = new Site(page, await page.context().newCDPSession(page))
    await visited.plugIn()
    return visited
  }

  beforeAll(async () => {
    const [issuer, elsewhere] = [await serve(), await serve()]
    nodes = await startNodes(2, { issuer })
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    })
    site = await visit(issuer)
    otherSite = await visit(elsewhere)
  })
  afterAll(async () => {
    await browser?.close()
    await nodes?.close()
    for (const server of servers) server.close()
  })

  const signUp = async () => {
    const email = `holder${people++}@example.com`
    const { body } = await nodes.send('POST', '/auth/sign-up', {
      email,
      password: PASSWORD,
      name: 'Ada',
      tenantName: `Engines ${people}`,
    })
    return { email, token: body.accessToken as string, userId: body.user.id as string }
  }
  type Person = Awaited<ReturnType<typeof signUp>>
  const enrol = async ({ token }: Person, on = site, change: Json = {}) => {
    const begun = await nodes.send('POST', '/security/mfa/passkeys/options', {}, { token })
    equal(begun.status, 200)
    const response = await on.create({ ...begun.body, ...change })
    return nodes.send('POST', '/security/mfa/passkeys', { response, label: 'Laptop' }, { token })
  }
  const options = async (token: string, purpose: string): Promise<Json> => {
    const { status, body } = await nodes.send('POST', '/security/step-up/passkey-options', { purpose }, { token })
    equal(status, 200)
    return body
  }
  const verify = (token: string, purpose: string, assertion: Json) =>
    nodes.send('POST', '/security/step-up/verify', { purpose, factor: 'passkey', assertion }, { token })
  const isOpen = async ({ token }: Person) =>
    (await nodes.send('POST', '/security/sessions/revoke-others', {}, { token })).status === 200

  test('a passkey is enrolled, and completes a sign-in', async () => {
    await site.plugIn()
    const person = await signUp()
    const enrolled = await enrol(person)
    equal(enrolled.status, 200)
    equal(enrolled.body.recoveryCodes.length, 10)
    equal(
      nodes.mails.some(({ to, kind }) => to === person.email && kind === 'factor_enrolled'),
      true,
    )
    const listed = await nodes.send('GET', '/security/mfa', undefined, { token: person.token })
    deepEqual(
      listed.body.factors.map(({ type, label }: Json) => [type, label]),
      [['passkey', 'Laptop']],
    )

    const held = await nodes.send('POST', '/auth/login', { email: person.email, password: PASSWORD })
    deepEqual([held.status, held.body.factors], [428, ['passkey', 'recovery_code']])
    const { stepUpToken } = held.body
    const assertion = await site.get(await options(stepUpToken, 'sign_in'))
    const done = await nodes.send('POST', '/auth/login/step-up', { stepUpToken, assertion })
    equal(done.status, 200)
    const claims = JSON.parse(Buffer.from(done.body.accessToken.split('.')[1], 'base64url').toString())
    deepEqual([claims.amr, claims.acr], [['pwd', 'hwk'], 'aal2'])
  })

  test('an assertion opens its purpose to its session, once', async () => {
    await site.plugIn()
    const person = await signUp()
    await enrol(person)
    equal(await isOpen(person), false)
    const assertion = await site.get(await options(person.token, 'revoke_other_sessions'))
    equal((await verify(person.token, 'revoke_session', assertion)).body.error, 'INVALID_OTP')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => verify(person.token, 'revoke_other_sessions', assertion)),
    )
    equal(answers.filter(({ status }) => status === 200).length, 1)
    equal(answers.filter(({ body }) => body.error === 'INVALID_OTP').length, 19)
    equal(await isOpen(person), true)
  })

  test('a stale assertion, one of another purpose, and one of another person open nothing', async () => {
    await site.plugIn()
    const [ada, eve] = [await signUp(), await signUp()]
    await enrol(ada)
    await site.plugIn()
    await enrol(eve)
    const hers = await site.get(await options(eve.token, 'revoke_other_sessions'))
    await options(ada.token, 'revoke_other_sessions')
    equal((await verify(ada.token, 'revoke_other_sessions', hers)).body.error, 'INVALID_OTP')

    const stale = await site.get(await options(eve.token, 'revoke_other_sessions'))
    nodes.clock.offsetMs += 5 * MINUTE + 1000
    equal((await verify(eve.token, 'revoke_other_sessions', stale)).body.error, 'INVALID_OTP')

    const older = await site.get(await options(eve.token, 'revoke_other_sessions'))
    await options(eve.token, 'revoke_other_sessions')
    equal((await verify(eve.token, 'revoke_other_sessions', older)).body.error, 'INVALID_OTP')
    deepEqual([await isOpen(ada), await isOpen(eve)], [false, false])
  })

  test('another origin, a user who was not verified, and a counter that went back are refused', async () => {
    await site.plugIn()
    const person = await signUp()
    await enrol(person)
    const unverified = async (change: Json) => site.get({ ...(await options(person.token, 'data_export')), ...change })

    await nodes.rows('update mfa_factors set sign_count = 1000 where user_id = $1', [person.userId as never])
    equal((await verify(person.token, 'data_export', await unverified({}))).body.error, 'INVALID_OTP')
    await nodes.rows('update mfa_factors set sign_count = 0 where user_id = $1', [person.userId as never])
    equal((await verify(person.token, 'data_export', await unverified({}))).status, 200)

    await site.plugIn({ verifiesUser: false })
    const second = await signUp()
    const weak = { authenticatorSelection: { userVerification: 'discouraged' } }
    equal((await enrol(second, site, weak)).body.error, 'INVALID_REQUEST')

    await otherSite.plugIn()
    const third = await signUp()
    equal((await enrol(third, otherSite)).body.error, 'INVALID_REQUEST')
  })

  test('a registration is good for one enrolment of the session that began it', async () => {
    await site.plugIn()
    const [ada, eve] = [await signUp(), await signUp()]
    const begun = await nodes.send('POST', '/security/mfa/passkeys/options', {}, { token: ada.token })
    const response = await site.create(begun.body)
    const send = (token: string) => nodes.send('POST', '/security/mfa/passkeys', { response }, { token })
    equal((await send(eve.token)).body.error, 'INVALID_REQUEST')
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(ada.token)))
    equal(answers.filter(({ status }) => status === 200).length, 1)
    // A further one asks for the step-up first.
    const further = await nodes.send('POST', '/security/mfa/passkeys/options', {}, { token: ada.token })
    deepEqual([further.status, further.body.purpose], [428, 'security_settings'])
    match(further.body.factors.join(), /^passkey,recovery_code$/)
  })

  test('a key that was swapped in the database opens nothing', async () => {
    await site.plugIn()
    const [ada, eve] = [await signUp(), await signUp()]
    await enrol(ada)
    await site.plugIn()
    await enrol(eve)
    const [hers] = await nodes.rows('delete from mfa_factors where user_id = $1 returning secret, credential_id', [
      eve.userId as never,
    ])
    await nodes.rows('update mfa_factors set secret = $2, credential_id = $3 where user_id = $1', [
      ada.userId as never,
      hers?.['secret'] as never,
      hers?.['credential_id'] as never,
    ])
    const forged = await site.get(await options(ada.token, 'data_export'))
    const { userHandle: _, ...response } = forged['response'] as Json
    const answer = await verify(ada.token, 'data_export', { ...forged, response })
    equal(answer.status, 500)
  })
})
