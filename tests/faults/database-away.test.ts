/**
 * What a node answers while its database is away: 503 or a refusal, never a pass without its check.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../processes/support.ts'
import type { SignedInClient } from '../support/client.ts'
import { me, refresh, send, signInAgain, signUp } from '../support/client.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import { hasPostgres } from '../support/postgres.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startProxy } from '../support/tcp-proxy.ts'

const MAX_STALENESS_MS = 5000
const RECOVERY_MS = 10_000

describe.skipIf(!hasPostgres)('the database goes away', () => {
  let cluster: Cluster
  let proxy: TcpProxy
  /** Reaches the database directly. */
  let healthy: Running
  /** Reaches it through the proxy. */
  let cutOff: Running

  beforeAll(async () => {
    cluster = await startCluster(1)
    healthy = cluster.nodes[0] as Running
    const url = new URL(cluster.databaseUrl)
    proxy = await startProxy({ host: url.hostname, port: Number(url.port || 5432) })
    url.hostname = '127.0.0.1'
    url.port = String(proxy.port)
    cutOff = await cluster.startNode({ DATABASE_URL: url.href })
  })
  afterAll(async () => {
    await cluster?.close()
    await proxy?.close()
  })

  async function known(): Promise<SignedInClient> {
    const client = await signUp(healthy.url)
    expect((await me(cutOff.url, client.accessToken)).status).toBe(200)
    return client
  }

  async function recovered(): Promise<void> {
    const since = performance.now()
    while ((await fetch(`${cutOff.url}/readyz`)).status !== 200) {
      expect(performance.now() - since).toBeLessThan(RECOVERY_MS)
      await sleep(50)
    }
  }

  for (const fault of ['cut', 'stall'] as const) {
    test(`${fault}: a session revoked elsewhere is let in no longer than maxStaleness; then 503; then it recovers by itself`, async () => {
      const revoked = await known()
      const kept = await known()
      proxy[fault]()
      expect((await send(healthy.url, '/api/auth/logout', { body: {}, token: revoked.accessToken })).status).toBe(200)
      const ended = performance.now()
      let last200 = 0
      while (performance.now() - ended < MAX_STALENESS_MS + 1500) {
        const { status, body } = await me(cutOff.url, revoked.accessToken)
        if (status === 200) last200 = performance.now() - ended
        else expect([503, 401]).toContain(status)
        if (status === 503) expect(body.error).toBe('UNAVAILABLE')
        await sleep(100)
      }
      expect(last200).toBeLessThanOrEqual(MAX_STALENESS_MS + 250)
      const unsure = await me(cutOff.url, kept.accessToken)
      expect([unsure.status, unsure.headers['retry-after']]).toEqual([503, '1'])
      expect((await fetch(`${cutOff.url}/readyz`)).status).toBe(503)
      expect((await fetch(`${cutOff.url}/healthz`)).status).toBe(200)
      proxy.restore()
      await recovered()
      expect((await me(cutOff.url, kept.accessToken)).status).toBe(200)
      expect((await me(cutOff.url, revoked.accessToken)).status).toBe(401)
    }, 60_000)

    test(`${fault}: a refresh and a sign-in are 503, consume nothing, and go through when sent again`, async () => {
      const client = await known()
      proxy[fault]()
      const answers = await Promise.all([
        refresh(cutOff.url, client.refreshToken),
        send(cutOff.url, '/api/auth/login', { body: { email: client.email, password: client.password } }),
        send(cutOff.url, '/api/auth/logout', { body: { refreshToken: client.refreshToken } }),
      ])
      expect(answers.map(({ status, body }) => [status, body.error])).toEqual([
        [503, 'UNAVAILABLE'],
        [503, 'UNAVAILABLE'],
        [503, 'UNAVAILABLE'],
      ])
      proxy.restore()
      await recovered()
      expect((await refresh(cutOff.url, client.refreshToken)).status).toBe(200)
      expect((await signInAgain(cutOff.url, client)).sessionId).not.toBe(client.sessionId)
    }, 60_000)
  }
})
