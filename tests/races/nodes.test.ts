/**
 * Races over three nodes, each a process of its own, on one PostgreSQL.
 *
 * `SALLYPORT_ROUNDS` sets how often each race is run (10,000 in the long run).
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSession } from '../../packages/sallyport/src/sessions/create.ts'
import type { Answer } from '../support/client.ts'
import { me, refresh, send, signInAgain, signUp } from '../support/client.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import { Delays, KNOWN_WITHIN_MS } from '../support/delays.ts'
import { hasPostgres } from '../support/postgres.ts'

const ROUNDS = Number(process.env['SALLYPORT_ROUNDS'] ?? 200)
/** Each ends in ninety-nine verdicts, one after the other: four times the work of a round above. */
const STRICT_ROUNDS = Math.ceil(ROUNDS / 2)
/** Meanwhile another person's race goes on. */
const LANES = 2
const RACERS = 100
/** 1,000 in the long run. */
const REVOCATIONS = Math.min(1000, Math.max(60, ROUNDS / 4))

/** One token, sent a hundred times at once, spread over the nodes. */
function race({ nodes }: Cluster, token: string): Promise<Answer[]> {
  return Promise.all(
    Array.from({ length: RACERS }, (_, index) => refresh(nodes[index % nodes.length]?.url ?? '', token)),
  )
}

const successorsOf = (answers: readonly Answer[]): Set<string> =>
  new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.refreshToken as string))

describe.skipIf(!hasPostgres)('three nodes', () => {
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster(3)
  })
  afterAll(() => cluster?.close())

  test(`refresh: of ${RACERS} concurrent requests with one token all get the same successor, in ${ROUNDS} rounds`, async () => {
    let { refreshToken } = await signUp(cluster.nodes[0]?.url ?? '')
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await race(cluster, refreshToken)
      const statuses = [...new Set(answers.map(({ status }) => status))]
      expect(statuses, `round ${round}: ${JSON.stringify(answers.find(({ status }) => status !== 200)?.body)}`).toEqual(
        [200],
      )
      const successors = successorsOf(answers)
      expect(successors.size).toBe(1)
      const rotated = answers.filter(({ headers }) => headers['sallyport-refresh'] === 'rotated')
      expect(rotated).toHaveLength(1)
      refreshToken = [...successors][0] ?? ''
    }
  }, 600_000)

  test('a lost response, asked for again on another node, gets the same successor and raises no alarm', async () => {
    const [first, second] = cluster.nodes.map(({ url }) => url) as [string, string]
    const client = await signUp(first)
    const lost = await refresh(first, client.refreshToken)
    await sleep(1000)
    const again = await refresh(second, client.refreshToken)
    expect(again.status).toBe(200)
    expect(again.body.refreshToken).toBe(lost.body.refreshToken)
    expect(again.headers['sallyport-refresh']).toBe('replayed; cause=lost-response')
    expect((await me(first, lost.body.accessToken)).status).toBe(200)
  })

  test('a thief is contained on every node, though the access tokens are young', async () => {
    const [first, second, third] = cluster.nodes.map(({ url }) => url) as [string, string, string]
    const laptop = await signUp(first)
    const phone = await signInAgain(second, laptop)
    for (const url of [first, second, third]) {
      expect((await me(url, laptop.accessToken)).status).toBe(200)
      expect((await me(url, phone.accessToken)).status).toBe(200)
    }
    const stolen = phone.refreshToken
    const next = await refresh(second, stolen)
    await refresh(second, next.body.refreshToken)
    // Past the overlap for racing tabs, the token two generations back accuses whoever holds it.
    await sleep(10_500)
    const thief = await refresh(third, stolen)
    expect([thief.status, thief.body.error]).toEqual([401, 'REFRESH_TOKEN_REUSED'])
    const contained = performance.now()
    for (const url of [third, first, second]) {
      for (const token of [laptop.accessToken, phone.accessToken, next.body.accessToken]) {
        let answer = await me(url, token)
        // The node that contained it knows at once; the others within the time that is promised.
        while (url !== third && answer.status === 200 && performance.now() - contained < KNOWN_WITHIN_MS.max) {
          answer = await me(url, token)
        }
        expect([answer.status, answer.body.error]).toEqual([401, 'SESSION_INVALIDATED'])
      }
    }
    expect((await refresh(first, laptop.refreshToken)).body.error).toBe('REFRESH_TOKEN_REVOKED')
    expect((await refresh(third, stolen)).body.error).toBe('REFRESH_TOKEN_REVOKED')
  })

  test('a revoked session is refused by its own node at the next request, by the others in the time that is promised, and never let in again', async () => {
    const [first] = cluster.nodes.map(({ url }) => url) as [string]
    const delays = new Delays()
    while (delays.size < REVOCATIONS * 2) {
      const client = await signUp(first)
      for (const { url } of cluster.nodes) expect((await me(url, client.accessToken)).status).toBe(200)
      const revoke = async () => {
        expect((await send(first, '/api/auth/logout', { body: {}, token: client.accessToken })).status).toBe(200)
        expect((await me(first, client.accessToken)).status).toBe(401)
      }
      const probes = cluster.nodes.slice(1).map(({ url }) => ({
        unaware: async () => (await me(url, client.accessToken)).status === 200,
      }))
      await delays.take(revoke, probes)
    }
    delays.expectKept('a revocation is seen on other nodes', REVOCATIONS * 2)
  }, 600_000)
})

describe.skipIf(!hasPostgres)('three nodes, retry: "strict"', () => {
  let cluster: Cluster
  /** Of a person each. Each round needs a family of its own, since its losers end all that the person has. */
  let lanes: readonly (() => Promise<string>)[]

  beforeAll(async () => {
    cluster = await startCluster(3, { retry: 'strict' })
    const { engine } = await cluster.engine({ retry: 'strict' })
    lanes = await Promise.all(
      Array.from({ length: LANES }, async () => {
        const url = cluster.nodes[0]?.url ?? ''
        const { body: person } = await me(url, (await signUp(url)).accessToken)
        return async () => {
          const issued = await createSession(engine, {
            tenantId: person.tenant.id,
            userId: person.user.id,
            staffId: person.staff.id,
            userName: person.user.name,
            amr: ['pwd'],
            request: { correlationId: 'race', ipAddress: '127.0.0.1', userAgent: 'race' },
            cause: { action: 'AUTH_LOGIN' },
          })
          return issued?.refreshToken ?? ''
        }
      }),
    )
  })
  afterAll(() => cluster?.close())

  test(`refresh: of ${RACERS} concurrent requests exactly one is answered 200, in ${STRICT_ROUNDS} rounds`, async () => {
    const round = async (token: string): Promise<void> => {
      const answers = await race(cluster, token)
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      // One of the others ended the family; all were told so, or, of a node with more waiting than it can serve, to come back.
      const codes = new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => body.error as string))
      expect(
        [...codes].filter((code) => !['REFRESH_TOKEN_REUSED', 'REFRESH_TOKEN_REVOKED', 'UNAVAILABLE'].includes(code)),
      ).toEqual([])
      const [successor = ''] = successorsOf(answers)
      expect((await refresh(cluster.nodes[0]?.url ?? '', successor)).status).toBe(401)
    }
    let left = STRICT_ROUNDS
    await Promise.all(
      lanes.map(async (newFamily) => {
        while (left-- > 0) await round(await newFamily())
      }),
    )
  }, 600_000)
})
