import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Answer, Nodes } from '../support/nodes.ts'
import { App, startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'
const MANY = 50
const MINUTE = 60_000

describe.skipIf(!hasPostgres)('a sign-in with a second factor', () => {
  let nodes: Nodes
  let people = 0
  beforeAll(async () => {
    nodes = await startNodes(2)
  })
  afterAll(() => nodes?.close())

  interface Person {
    readonly email: string
    readonly accessToken: string
    readonly refreshToken: string
    readonly userId: string
    readonly app: App
    readonly recoveryCodes: readonly string[]
  }
  const signUp = async (): Promise<Omit<Person, 'app' | 'recoveryCodes'>> => {
    const email = `person${people++}@example.com`
    const { status, body } = await nodes.send('POST', '/auth/sign-up', {
      email,
      password: PASSWORD,
      name: 'Ada',
      tenantName: `Engines ${people}`,
    })
    equal(status, 201)
    return { email, accessToken: body.accessToken, refreshToken: body.refreshToken, userId: body.user.id }
  }
  const enrolled = async (): Promise<Person> => {
    const person = await signUp()
    const begun = await nodes.send('POST', '/security/mfa/totp', {}, { token: person.accessToken })
    equal(begun.status, 200)
    const app = new App(begun.body.secret, nodes.clock)
    const confirmed = await nodes.send(
      'POST',
      '/security/mfa/totp/confirm',
      { factorId: begun.body.factorId, code: app.code },
      { token: person.accessToken },
    )
    equal(confirmed.status, 200)
    return { ...person, app, recoveryCodes: confirmed.body.recoveryCodes }
  }
  const login = ({ email }: { readonly email: string }, more = {}): Promise<Answer> =>
    nodes.send('POST', '/auth/login', { email, password: PASSWORD, ...more })
  const complete = (stepUpToken: string, given: Record<string, unknown>): Promise<Answer> =>
    nodes.send('POST', '/auth/login/step-up', { stepUpToken, ...given })
  const sessionsOf = async (person: { readonly userId: string }) =>
    (
      await nodes.rows('select id from user_sessions where user_id = $1 and revoked_at is null', [
        person.userId as never,
      ])
    ).length

  test('is answered 428 before any token, and goes on by the factor to the answer of a sign-in', async () => {
    const person = await enrolled()
    const before = await sessionsOf(person)
    const held = await login(person)
    deepEqual([held.status, held.body.error, held.body.purpose], [428, 'STEP_UP_REQUIRED', 'sign_in'])
    deepEqual(held.body.factors, ['totp', 'recovery_code'])
    deepEqual([held.body.score, held.body.reasons], [0, []])
    match(held.headers.get('www-authenticate') ?? '', /insufficient_user_authentication", max_age=600/)
    equal('accessToken' in held.body, false)
    equal(await sessionsOf(person), before)

    const done = await complete(held.body.stepUpToken, { factor: 'totp', code: person.app.next() })
    equal(done.status, 200)
    const shape = ['accessToken', 'expiresIn', 'refreshToken', 'session', 'staff', 'tenant', 'user']
    deepEqual(Object.keys(done.body).sort(), shape)
    const claims = JSON.parse(Buffer.from(done.body.accessToken.split('.')[1], 'base64url').toString())
    deepEqual([claims.amr, claims.acr], [['pwd', 'otp'], 'aal2'])
    equal(await sessionsOf(person), before + 1)
    equal((await nodes.send('GET', '/auth/me', undefined, { token: done.body.accessToken })).status, 200)
  })

  test('trusts the device that completed it, and no other', async () => {
    const person = await enrolled()
    const from = (deviceFingerprint: string) => login(person, { deviceFingerprint })
    const { stepUpToken } = (await from('laptop')).body
    equal((await complete(stepUpToken, { code: person.app.next() })).status, 200)
    deepEqual(
      [(await from('laptop')).status, (await from('another')).status, (await login(person)).status],
      [200, 428, 428],
    )
  })

  test('is completed once: of many recovery codes at once one starts a session, and the others stay unspent', async () => {
    const person = await enrolled()
    const before = await sessionsOf(person)
    const { stepUpToken } = (await login(person)).body
    const codes = Array.from({ length: MANY }, (_, index) => person.recoveryCodes[index % 10])
    const answers = await Promise.all(codes.map((code) => complete(stepUpToken, { factor: 'recovery_code', code })))
    equal(answers.filter(({ status }) => status === 200).length, 1)
    equal(answers.filter(({ status, body }) => status === 401 && body.error === 'INVALID_TOKEN').length, MANY - 1)
    equal(await sessionsOf(person), before + 1)
    const used = await nodes.rows('select code_hash from recovery_codes where user_id = $1 and used_at is not null', [
      person.userId as never,
    ])
    equal(used.length, 1)
  })

  test('one code given for many sign-ins at once completes one of them', async () => {
    const person = await enrolled()
    const held = await Promise.all(Array.from({ length: 10 }, () => login(person)))
    const code = person.app.next()
    const answers = await Promise.all(held.map(({ body }) => complete(body.stepUpToken, { factor: 'totp', code })))
    equal(answers.filter(({ status }) => status === 200).length, 1)
  })

  test('six wrong codes over sign-ins, sessions and nodes: blocked for all, right codes included', async () => {
    const person = await enrolled()
    for (let attempt = 0; attempt < 3; attempt++) {
      const { stepUpToken } = (await login(person)).body
      const { body } = await complete(stepUpToken, { factor: 'totp', code: person.app.wrong() })
      equal(body.error, 'INVALID_OTP')
    }
    const inSession = (code: string, node: number) =>
      nodes.send(
        'POST',
        '/security/step-up/verify',
        { purpose: 'revoke_session', code },
        { token: person.accessToken, node },
      )
    equal((await inSession(person.app.wrong(), 0)).body.error, 'INVALID_OTP')
    equal((await inSession(person.app.wrong(), 1)).body.error, 'INVALID_OTP')
    equal((await inSession(person.app.wrong(), 0)).body.error, 'RATE_LIMITED')
    const { stepUpToken } = (await login(person)).body
    const blocked = await complete(stepUpToken, { factor: 'totp', code: person.app.next() })
    deepEqual([blocked.status, blocked.body.error], [429, 'RATE_LIMITED'])
    ok(Number(blocked.headers.get('retry-after')) > 600)
  })

  test('its token opens nothing else, is over after ten minutes, and another kind of token does not complete it', async () => {
    const person = await enrolled()
    const { stepUpToken } = (await login(person)).body
    const verify = (purpose: string) =>
      nodes.send('POST', '/security/step-up/verify', { purpose, code: person.app.code }, { token: stepUpToken })
    for (const purpose of ['sign_in', 'session_risk', 'revoke_session']) {
      const { status } = await verify(purpose)
      ok(status === 400 || status === 401, purpose)
    }
    equal((await nodes.send('GET', '/auth/me', undefined, { token: stepUpToken })).status, 401)
    equal((await complete(person.accessToken, { code: person.app.next() })).body.error, 'INVALID_TOKEN')
    nodes.clock.offsetMs += 11 * MINUTE
    equal((await complete(stepUpToken, { code: person.app.next() })).body.error, 'INVALID_TOKEN')
  })

  test('a code by mail is no way round an enrolled factor, and is one for those with none', async () => {
    const person = await enrolled()
    const { stepUpToken } = (await login(person)).body
    const mail = (token: string, purpose: string) =>
      nodes.send('POST', '/security/step-up/email-code', { purpose }, { token })
    deepEqual((await mail(stepUpToken, 'sign_in')).body.error, 'NO_FACTOR')
    equal((await mail(person.accessToken, 'security_settings')).body.error, 'NO_FACTOR')
    // What a mailbox may open stays open to it.
    equal((await mail(person.accessToken, 'revoke_session')).status, 202)

    const other = await signUp()
    const codeOf = () =>
      nodes.mails.filter(({ kind, to }) => kind === 'step_up_code' && to === other.email).at(-1)?.code
    equal((await mail(other.accessToken, 'security_settings')).status, 202)
    const first = codeOf()
    equal((await mail(other.accessToken, 'security_settings')).status, 202)
    const second = codeOf()
    match(String(second), /^\d{8}$/)
    notEqual(first, second)
    const verify = (code: unknown, purpose = 'security_settings') =>
      nodes.send(
        'POST',
        '/security/step-up/verify',
        { purpose, factor: 'email_code', code },
        { token: other.accessToken },
      )
    // One live code a purpose; and for one purpose alone.
    equal((await verify(first)).body.error, 'INVALID_OTP')
    equal((await verify(second, 'revoke_session')).body.error, 'INVALID_OTP')
    const answers = await Promise.all(Array.from({ length: MANY }, () => verify(second)))
    equal(answers.filter(({ status }) => status === 200).length, 1)
    // Two so far; the fourth within a quarter of an hour is one too many.
    equal((await mail(other.accessToken, 'revoke_session')).status, 202)
    const tooMany = await mail(other.accessToken, 'team_change')
    deepEqual([tooMany.status, tooMany.body.error], [429, 'RATE_LIMITED'])
    const stored = await nodes.rows(
      'select code_hash::text as hash from step_up_challenges where code_hash is not null',
    )
    equal(JSON.stringify(stored).includes(String(second)), false)
  })

  test('a code by mail is over after ten minutes, and after five wrong tries', async () => {
    const person = await signUp()
    const ask = () =>
      nodes.send('POST', '/security/step-up/email-code', { purpose: 'team_change' }, { token: person.accessToken })
    const verify = (code: unknown) =>
      nodes.send(
        'POST',
        '/security/step-up/verify',
        { purpose: 'team_change', factor: 'email_code', code },
        { token: person.accessToken },
      )
    const code = () => nodes.mails.filter(({ to, kind }) => to === person.email && kind === 'step_up_code').at(-1)?.code
    await ask()
    nodes.clock.offsetMs += 8 * MINUTE
    // The access token lives by the node's clock, the code by the database's.
    equal((await verify('00000000')).body.error, 'INVALID_OTP')
    nodes.clock.offsetMs += 3 * MINUTE
    equal((await verify(code())).body.error, 'INVALID_OTP')
    nodes.clock.offsetMs += 20 * MINUTE
    await ask()
    for (let attempt = 0; attempt < 5; attempt++) equal((await verify('00000000')).body.error, 'INVALID_OTP')
    nodes.clock.offsetMs += 1000
    equal((await verify(code())).status, 429)
  })

  test('every mode asks as it says', async () => {
    const always = await startNodes(1, { mfa: { atSignIn: 'always' } })
    const risk = await startNodes(1, { mfa: { atSignIn: 'risk' } })
    try {
      for (const [mode, expected] of [
        [always, 428],
        [risk, 200],
      ] as const) {
        const email = 'one@example.com'
        await mode.send('POST', '/auth/sign-up', { email, password: PASSWORD, name: 'A', tenantName: 'T' })
        const held = await mode.send('POST', '/auth/login', { email, password: PASSWORD })
        equal(held.status, expected)
        if (expected !== 428) continue
        deepEqual(held.body.factors, ['email_code'])
        const { stepUpToken } = held.body
        const sent = await mode.send(
          'POST',
          '/security/step-up/email-code',
          { purpose: 'sign_in' },
          { token: stepUpToken },
        )
        equal(sent.status, 202)
        const code = mode.mails.find(({ kind }) => kind === 'step_up_code')?.code
        const done = await mode.send('POST', '/auth/login/step-up', { stepUpToken, factor: 'email_code', code })
        equal(done.status, 200)
        const claims = JSON.parse(Buffer.from(done.body.accessToken.split('.')[1], 'base64url').toString())
        // Of low assurance: a mailbox is no second factor.
        deepEqual([claims.amr, claims.acr], [['pwd', 'email'], 'aal1'])
      }
    } finally {
      await always.close()
      await risk.close()
    }
  })
})
