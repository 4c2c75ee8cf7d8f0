import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Answer, Nodes } from '../support/nodes.ts'
import { startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'

describe.skipIf(!hasPostgres)('rate limits on two nodes', () => {
  let nodes: Nodes
  let hosts = 0
  /** Each from an address of its own, so that what is counted is the subject. */
  const elsewhere = () => `198.51.${Math.floor(hosts / 250)}.${hosts++ % 250}`
  const login = (email: string, password: string, address = elsewhere(), node?: number): Promise<Answer> =>
    nodes.send('POST', '/auth/login', { email, password }, { address, ...(node !== undefined && { node }) })
  const signUp = async (email: string) => {
    const { status, body } = await nodes.send(
      'POST',
      '/auth/sign-up',
      { email, password: PASSWORD, name: 'A', tenantName: 'T' },
      { address: elsewhere() },
    )
    equal(status, 201)
    return body
  }

  beforeAll(async () => {
    nodes = await startNodes(2, { rateLimits: { refresh: { subject: 10 } } })
  })
  afterAll(() => nodes?.close())

  test('ten wrong passwords for an account, over nodes and addresses: then 429, the right one included', async () => {
    await signUp('victim@example.com')
    for (let attempt = 0; attempt < 10; attempt++) {
      equal((await login('victim@example.com', 'wrong wrong wrong', elsewhere(), attempt % 2)).status, 401)
    }
    for (const node of [0, 1]) {
      const blocked = await login('VICTIM@example.com', PASSWORD, elsewhere(), node)
      deepEqual([blocked.status, blocked.body.error], [429, 'RATE_LIMITED'])
      const retryAfter = Number(blocked.headers.get('retry-after'))
      ok(retryAfter > 0 && retryAfter <= 60)
      match(blocked.headers.get('ratelimit-policy') ?? '', /^"signIn-subject";q=10;w=60$/)
      match(blocked.headers.get('ratelimit') ?? '', /^"signIn-subject";r=0;t=\d+$/)
    }
    const rows = await nodes.rows('select key from rate_limits')
    equal(JSON.stringify(rows).includes('victim'), false)
  })

  test('an unknown account is limited like a known one', async () => {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 11; attempt++) {
      statuses.push((await login('nobody@example.com', 'wrong wrong wrong')).status)
    }
    deepEqual(statuses, [...Array<number>(10).fill(401), 429])
  })

  test('a success forgives: honest typos never add up', async () => {
    await signUp('typos@example.com')
    for (let round = 0; round < 2; round++) {
      for (let attempt = 0; attempt < 4; attempt++)
        await login('typos@example.com', 'wrong wrong wrong', elsewhere(), 0)
      equal((await login('typos@example.com', PASSWORD, elsewhere(), 0)).status, 200)
    }
    const left = await nodes.rows("select key from rate_limits where key like 'fails:signIn:subject%' and points < 10")
    equal(left.length, 0)
  })

  test('an address is limited whatever accounts it tries, by its /64', async () => {
    const statuses: number[] = []
    for (let attempt = 0; attempt < 60; attempt++) {
      const address = `2001:db8:7:7::${attempt.toString(16)}`
      statuses.push((await login(`guess${attempt}@example.com`, 'wrong wrong wrong', address, 0)).status)
    }
    deepEqual([statuses.indexOf(429), statuses.filter((status) => status === 401).length], [50, 50])
    equal((await login('guess@example.com', 'wrong wrong wrong', '2001:db8:7:8::1', 0)).status, 401)
  })

  test('a replayed refresh token reaches the containment however often it was sent before', async () => {
    const { refreshToken } = await signUp('replayed@example.com')
    const refresh = (token: string) =>
      nodes.send('POST', '/auth/refresh', { refreshToken: token }, { node: 0, address: elsewhere() })
    const first = await refresh(refreshToken)
    equal(first.status, 200)
    const second = await refresh(first.body.refreshToken)
    equal(second.status, 200)
    // The burst of a thief: answered 409 at first, and then stopped by the limit.
    const burst = await Promise.all(Array.from({ length: 12 }, () => refresh(refreshToken)))
    ok(burst.some(({ status }) => status === 429))
    nodes.clock.offsetMs += 60_000
    const replay = await refresh(refreshToken)
    deepEqual([replay.status, replay.body.error], [401, 'REFRESH_TOKEN_REUSED'])
    equal((await refresh(second.body.refreshToken)).body.error, 'REFRESH_TOKEN_REVOKED')
    // After the containment it is refused early.
    equal((await refresh(refreshToken)).status, 429)
  })

  test('a wrong password takes as long for an account that is there as for one that is not', async () => {
    const quiet = await startNodes(1)
    try {
      const email = 'there@example.com'
      await quiet.send('POST', '/auth/sign-up', { email, password: PASSWORD, name: 'A', tenantName: 'T' })
      const timed = async (address: string): Promise<number> => {
        const begun = performance.now()
        const { status, body } = await quiet.send('POST', '/auth/login', {
          email: address,
          password: 'wrong wrong wrong',
        })
        const took = performance.now() - begun
        deepEqual([status, body.error, body.detail], [401, 'INVALID_CREDENTIALS', 'email or password is wrong'])
        return took
      }
      // In pairs, each way round in turn, so that whatever else the machine does falls on both.
      const differences: number[] = []
      for (let round = 0; round < 60; round++) {
        const unknown = `none${round}@example.com`
        const [one, other] = round % 2 === 0 ? [email, unknown] : [unknown, email]
        const [first, second] = [await timed(one), await timed(other)]
        differences.push(round % 2 === 0 ? first - second : second - first)
      }
      const median = differences.sort((a, b) => a - b)[30] as number
      // A hash that is left out is worth some 40 ms; the bound is as wide as a busy machine asks for.
      ok(Math.abs(median) < 10, `the median of the differences is ${median.toFixed(1)} ms`)
    } finally {
      await quiet.close()
    }
  })
})
