import { deepEqual, equal } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Nodes } from '../support/nodes.ts'
import { App, startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'

describe.skipIf(!hasPostgres)('another email address', () => {
  let nodes: Nodes
  beforeAll(async () => {
    nodes = await startNodes(2)
  })
  afterAll(() => nodes?.close())

  /** Signed up, with an authenticator app, and stepped up for the settings. */
  const ready = async (email: string) => {
    const { body } = await nodes.send('POST', '/auth/sign-up', {
      email,
      password: PASSWORD,
      name: 'Ada',
      tenantName: 'Engines',
    })
    const token = body.accessToken as string
    const begun = await nodes.send('POST', '/security/mfa/totp', {}, { token })
    const app = new App(begun.body.secret, nodes.clock)
    await nodes.send('POST', '/security/mfa/totp/confirm', { factorId: begun.body.factorId, code: app.code }, { token })
    const verified = await nodes.send(
      'POST',
      '/security/step-up/verify',
      { purpose: 'security_settings', code: app.next() },
      { token },
    )
    equal(verified.status, 200)
    return { token, app }
  }
  const ask = (token: string, email: string) => nodes.send('POST', '/auth/email', { email }, { token })
  const follow = (link: string | undefined) => nodes.send('POST', '/auth/email/verify', { token: link })
  const mailsTo = (address: string) => nodes.mails.filter(({ to }) => to === address)
  const login = (email: string) => nodes.send('POST', '/auth/login', { email, password: PASSWORD })

  test('counts from its confirmation on, and both addresses are told', async () => {
    const { token } = await ready('old@example.com')
    equal((await ask(token, 'new@example.com')).status, 202)
    equal(mailsTo('old@example.com').at(-1)?.kind, 'email_changed')
    equal((await login('new@example.com')).status, 401)
    const link = mailsTo('new@example.com').find(({ kind }) => kind === 'email_change')?.token
    const answers = await Promise.all(Array.from({ length: 50 }, () => follow(link)))
    equal(answers.filter(({ status }) => status === 200).length, 1)
    equal(answers.filter(({ body }) => body.error === 'LINK_INVALID').length, 49)
    deepEqual([(await login('old@example.com')).status, (await login('new@example.com')).status], [401, 428])
    equal(mailsTo('old@example.com').filter(({ kind }) => kind === 'email_changed').length, 2)
    equal(mailsTo('new@example.com').at(-1)?.kind, 'email_changed')
  })

  test('needs the step-up, and an address that somebody has is answered like any other', async () => {
    const other = await nodes.send('POST', '/auth/sign-up', {
      email: 'taken@example.com',
      password: PASSWORD,
      name: 'Eve',
      tenantName: 'Others',
    })
    equal((await ask(other.body.accessToken, 'free@example.com')).status, 428)
    const { token } = await ready('asks@example.com')
    const [free, taken] = [await ask(token, 'free@example.com'), await ask(token, 'TAKEN@example.com')]
    deepEqual([free.status, free.body], [taken.status, taken.body])
    equal(mailsTo('TAKEN@example.com').at(-1)?.kind, 'sign_up_known_address')
    // The later wish takes the place of the earlier one, whatever became of it.
    const link = mailsTo('free@example.com').find(({ kind }) => kind === 'email_change')?.token
    equal((await follow(link)).body.error, 'LINK_INVALID')
  })

  test('of two who ask for one address, one gets it', async () => {
    const [one, two] = [await ready('one@example.com'), await ready('two@example.com')]
    await ask(one.token, 'both@example.com')
    await ask(two.token, 'both@example.com')
    const links = mailsTo('both@example.com').flatMap(({ token }) => token ?? [])
    const answers = await Promise.all(links.map((link) => follow(link)))
    deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 400]))
  })
})
