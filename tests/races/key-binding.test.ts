import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { ClientKey } from '../support/dpop.ts'
import { clientKey } from '../support/dpop.ts'
import type { Answer, Nodes } from '../support/nodes.ts'
import { ISSUER, startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'
const urlOf = (path: string) => `${ISSUER}/api${path}`
const ME = urlOf('/auth/me')

interface Bound {
  readonly key: ClientKey
  readonly email: string
  readonly accessToken: string
  readonly refreshToken: string
}

let people = 0

async function signUp(nodes: Nodes, key = clientKey(), nonce?: string): Promise<Bound> {
  const email = `key${people++}@example.com`
  const body = { email, password: PASSWORD, name: 'Ada', tenantName: `Keys ${people}` }
  const headers = { dpop: key.proof({ htu: urlOf('/auth/sign-up'), nonce }) }
  const answer = await nodes.send('POST', '/auth/sign-up', body, { headers })
  equal(answer.status, 201)
  return { key, email, accessToken: answer.body.accessToken, refreshToken: answer.body.refreshToken }
}

async function signUpUnbound(nodes: Nodes): Promise<string> {
  const email = `key${people++}@example.com`
  const body = { email, password: PASSWORD, name: 'Ada', tenantName: `Keys ${people}` }
  return (await nodes.send('POST', '/auth/sign-up', body)).body.accessToken
}

const me = (nodes: Nodes, headers: Readonly<Record<string, string>>, node?: number): Promise<Answer> =>
  nodes.send('GET', '/auth/me', undefined, { headers, ...(node !== undefined && { node }) })
const said = ({ status, body }: Answer) => [status, body.error]
const REFUSED = [401, 'INVALID_DPOP_PROOF']

describe.skipIf(!hasPostgres)('with dpop.requireOnRequests', () => {
  let nodes: Nodes
  beforeAll(async () => {
    nodes = await startNodes(2, { dpop: { requireOnRequests: true } })
  })
  afterAll(() => nodes?.close())

  test('a bound access token is good beside a proof by its key, on every node, at first sight and after', async () => {
    const { key, accessToken } = await signUp(nodes)
    for (const node of [0, 1, 0, 1]) {
      equal((await me(nodes, key.headers(accessToken, { htu: ME, htm: 'GET' }), node)).status, 200)
    }
  })

  test('a stolen one is worth nothing: not as Bearer, not with a proof beside it, not by another key', async () => {
    const { key, accessToken } = await signUp(nodes)
    const of = { htu: ME, htm: 'GET', accessToken }
    const known = () => me(nodes, key.headers(accessToken, of), 0)
    // At first sight on the one node, from memory on the other.
    equal((await known()).status, 200)
    for (const node of [0, 1]) {
      const bare = await me(nodes, { authorization: `Bearer ${accessToken}` }, node)
      deepEqual(said(bare), REFUSED)
      match(bare.headers.get('www-authenticate') ?? '', /^DPoP error="invalid_dpop_proof", algs="ES256/)
      deepEqual(said(await me(nodes, { authorization: `Bearer ${accessToken}`, dpop: key.proof(of) }, node)), REFUSED)
      deepEqual(said(await me(nodes, { authorization: `DPoP ${accessToken}` }, node)), REFUSED)
      deepEqual(said(await me(nodes, clientKey().headers(accessToken, of), node)), REFUSED)
    }
    equal((await known()).status, 200)
  })

  test('a proof is of its request and its token alone', async () => {
    const { key, accessToken } = await signUp(nodes)
    const other = await signUp(nodes, key)
    const authorization = `DPoP ${accessToken}`
    const of = { htu: ME, htm: 'GET', accessToken }
    for (const wrong of [
      { ...of, htm: 'POST' },
      { ...of, htu: urlOf('/auth/memberships') },
      { ...of, htu: ME.replace('localhost', 'evil.example') },
      { ...of, accessToken: other.accessToken },
      { htu: ME, htm: 'GET' },
    ]) {
      deepEqual(said(await me(nodes, { authorization, dpop: key.proof(wrong) })), REFUSED)
    }
    const two = [key.proof(of), key.proof(of)].join(', ')
    deepEqual(said(await me(nodes, { authorization, dpop: two })), REFUSED)
    const withQuery = { ...of, htu: urlOf('/security/sessions') }
    const headers = key.headers(accessToken, withQuery)
    equal((await nodes.send('GET', '/security/sessions?limit=1', undefined, { headers })).status, 200)
  })

  test('a proof is good once: of twenty requests on two nodes that send the same one, one passes', async () => {
    const { key, accessToken } = await signUp(nodes)
    const headers = key.headers(accessToken, { htu: ME, htm: 'GET' })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => me(nodes, headers, at % 2)))
    equal(answers.filter(({ status }) => status === 200).length, 1)
  })

  test('a token that is bound to nothing goes as Bearer, and cannot pretend to be bound', async () => {
    const accessToken = await signUpUnbound(nodes)
    equal((await me(nodes, { authorization: `Bearer ${accessToken}` })).status, 200)
    deepEqual(said(await me(nodes, clientKey().headers(accessToken, { htu: ME, htm: 'GET' }))), REFUSED)
  })

  test('step-up asks for the proof as well, and a logout without one ends nothing', async () => {
    const { key, accessToken, refreshToken } = await signUp(nodes)
    const purpose = { purpose: 'revoke_session' }
    const htu = urlOf('/security/step-up/email-code')
    deepEqual(said(await nodes.send('POST', '/security/step-up/email-code', purpose, { token: accessToken })), REFUSED)
    const asked = await nodes.send('POST', '/security/step-up/email-code', purpose, {
      headers: key.headers(accessToken, { htu }),
    })
    equal(asked.status, 202)
    // On the node that made the change, where it holds at once.
    const live = () => me(nodes, key.headers(accessToken, { htu: ME, htm: 'GET' }), 0)
    equal((await nodes.send('POST', '/auth/logout', {}, { token: accessToken })).status, 200)
    equal((await live()).status, 200)
    const leaving = { headers: key.headers(accessToken, { htu: urlOf('/auth/logout') }), node: 0 }
    equal((await nodes.send('POST', '/auth/logout', {}, leaving)).status, 200)
    equal((await live()).status, 401)
    const dead = { headers: { dpop: key.proof({ htu: urlOf('/auth/refresh') }) } }
    deepEqual(said(await nodes.send('POST', '/auth/refresh', { refreshToken }, dead)), [401, 'REFRESH_TOKEN_REVOKED'])
  })

  test('the refresh keeps the binding', async () => {
    const { key, refreshToken } = await signUp(nodes)
    const headers = { dpop: key.proof({ htu: urlOf('/auth/refresh') }) }
    const { body } = await nodes.send('POST', '/auth/refresh', { refreshToken }, { headers })
    equal((await me(nodes, key.headers(body.accessToken, { htu: ME, htm: 'GET' }))).status, 200)
    deepEqual(said(await me(nodes, { authorization: `Bearer ${body.accessToken}` })), REFUSED)
  })
})

describe.skipIf(!hasPostgres)('without it', () => {
  let nodes: Nodes
  beforeAll(async () => {
    nodes = await startNodes(2, { dpop: { nonce: true } })
  })
  afterAll(() => nodes?.close())

  test('a bound token goes as Bearer, a proof that comes must be good all the same, and the nonce is handed on', async () => {
    const key = clientKey()
    const refused = await nodes.send(
      'POST',
      '/auth/login',
      { email: 'nobody@example.com', password: PASSWORD },
      {
        headers: { dpop: key.proof({ htu: urlOf('/auth/login') }) },
      },
    )
    deepEqual([...said(refused), refused.body.reason], [...REFUSED, 'use_dpop_nonce'])
    const nonce = refused.headers.get('dpop-nonce') ?? undefined
    ok(nonce !== undefined && !nonce.includes(','))
    const { accessToken } = await signUp(nodes, key, nonce)
    equal((await me(nodes, { authorization: `Bearer ${accessToken}` })).status, 200)
    const of = { htu: ME, htm: 'GET' }
    const without = await me(nodes, key.headers(accessToken, of))
    deepEqual([...said(without), without.body.reason], [...REFUSED, 'use_dpop_nonce'])
    match(without.headers.get('www-authenticate') ?? '', /^DPoP error="use_dpop_nonce"/)
    const told = without.headers.get('dpop-nonce') ?? undefined
    equal((await me(nodes, key.headers(accessToken, { ...of, nonce: told }))).status, 200)
    deepEqual(said(await me(nodes, clientKey().headers(accessToken, { ...of, nonce: told }))), REFUSED)
  })
})
