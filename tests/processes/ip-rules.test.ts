/**
 * IP rules on two nodes behind a proxy, each a process: what a client can claim of its address, and the way back in for a tenant
 * that has locked itself out.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Answer, SignedInClient } from '../support/client.ts'
import { send, signUp } from '../support/client.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import { hasPostgres } from '../support/postgres.ts'
import { earlierTotpCode } from '../support/totp.ts'

/** The proxy of the service is on this machine, as far as the nodes can tell. */
const PROXY = '127.0.0.1/32'
const OFFICE = '198.51.100.7'
const ELSEWHERE = '203.0.113.9'

describe.skipIf(!hasPostgres)('IP rules on two nodes', () => {
  let cluster: Cluster
  let here: string
  let there: string
  let owner: SignedInClient
  let tenant: string
  let secret: string

  const from = (address: string) => ({ 'x-forwarded-for': address })
  const me = (url: string, headers: Record<string, string>): Promise<Answer> =>
    send(url, '/api/auth/me', { token: owner.accessToken, headers })
  const rules = (body: unknown, address = OFFICE) =>
    send(here, '/api/security/ip-rules', { body, token: owner.accessToken, headers: from(address) })
  /** Until the node answers so; the promise of a bound is another test's. */
  async function answers(url: string, headers: Record<string, string>, status: number): Promise<Answer> {
    for (let tries = 0; tries < 100; tries++) {
      const answer = await me(url, headers)
      if (answer.status === status) return answer
      await sleep(20)
    }
    return me(url, headers)
  }
  async function stepUp(purpose: string): Promise<void> {
    const code = totpCode(secret, new Date())
    const body = { purpose, factor: 'totp', code }
    const headers = from(OFFICE)
    const answer = await send(here, '/api/security/step-up/verify', { body, token: owner.accessToken, headers })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  }

  beforeAll(async () => {
    cluster = await startCluster(2, { trustedProxies: [PROXY] })
    ;[here, there] = cluster.nodes.map(({ url }) => url) as [string, string]
    owner = await signUp(here)
    tenant = (await me(here, from(OFFICE))).body.tenant.slug
    const token = owner.accessToken
    const begun = await send(here, '/api/security/mfa/totp', { body: {}, token, headers: from(OFFICE) })
    secret = begun.body.secret
    const confirmation = {
      factorId: begun.body.factorId,
      // Each code is good once, and the step-up needs the one of now.
      code: await earlierTotpCode(secret),
    }
    const confirmed = await send(here, '/api/security/mfa/totp/confirm', {
      body: confirmation,
      token,
      headers: from(OFFICE),
    })
    expect(confirmed.status, JSON.stringify(confirmed.body)).toBe(200)
    await stepUp('ip_rule_change')
  })
  afterAll(() => cluster?.close())

  test('a change shuts out whom it names from their next request, here and there; no header but the proxy’s last word counts', async () => {
    expect((await rules({ type: 'ALLOW', cidr: '198.51.100.0/24', label: 'Office' })).status).toBe(201)
    expect((await me(here, from(ELSEWHERE))).body.error).toBe('IP_NOT_ALLOWED')
    expect((await answers(there, from(ELSEWHERE), 403)).body.error).toBe('IP_NOT_ALLOWED')
    for (const url of [here, there]) {
      expect((await me(url, from(OFFICE))).status).toBe(200)
      // Whatever a client writes stands left of what the proxy saw.
      for (const forged of [
        { 'x-forwarded-for': `${OFFICE}, ${ELSEWHERE}` },
        { 'x-forwarded-for': `127.0.0.1, ${OFFICE}, ${ELSEWHERE}` },
        { 'x-forwarded-for': ELSEWHERE, 'x-real-ip': OFFICE, 'cf-connecting-ip': OFFICE, 'true-client-ip': OFFICE },
        { 'x-forwarded-for': ELSEWHERE, forwarded: `for=${OFFICE}` },
        { forwarded: `for=${OFFICE}, for=${ELSEWHERE}` },
        { 'x-forwarded-for': `${OFFICE}, nonsense` },
        { 'x-forwarded-for': '' },
      ]) {
        const answer = await me(url, forged)
        expect([answer.status, answer.body.error], JSON.stringify(forged)).toEqual([403, 'IP_NOT_ALLOWED'])
      }
    }
    // They are not ended: back at the office they go on, the refresh token included.
    const { body } = await send(there, '/api/auth/refresh', {
      body: { refreshToken: owner.refreshToken },
      headers: from(ELSEWHERE),
    })
    expect(body.error).toBe('IP_NOT_ALLOWED')
    const renewed = await send(there, '/api/auth/refresh', {
      body: { refreshToken: owner.refreshToken },
      headers: from(OFFICE),
    })
    expect([renewed.status, renewed.headers['sallyport-refresh']]).toEqual([200, 'rotated'])
    owner.accessToken = renewed.body.accessToken
  })

  test('a node that trusts no proxy believes none of it', async () => {
    const bare = await cluster.startNode({ SALLYPORT_TRUSTED_PROXIES: '192.0.2.1/32' })
    for (const headers of [from(OFFICE), { forwarded: `for=${OFFICE}` }, {}]) {
      const answer = await me(bare.url, headers)
      expect([answer.status, answer.body.error]).toEqual([403, 'IP_NOT_ALLOWED'])
    }
    await bare.end('SIGTERM')
  })

  test('the lock-out guard speaks up, force locks out, and the command of the operator opens again, on every node', async () => {
    const blocked = await rules({ type: 'DENY', cidr: `${OFFICE}/32` })
    expect([blocked.status, blocked.body.error]).toEqual([409, 'WOULD_LOCK_OUT'])
    expect((await rules({ type: 'DENY', cidr: `${OFFICE}/32`, force: true })).status).toBe(201)
    expect((await me(here, from(OFFICE))).body.error).toBe('IP_BLOCKED')
    expect((await answers(there, from(OFFICE), 403)).body.error).toBe('IP_BLOCKED')
    const login = { email: owner.email, password: owner.password, tenant }
    for (const address of [OFFICE, ELSEWHERE]) {
      expect((await send(there, '/api/auth/login', { body: login, headers: from(address) })).status).toBe(403)
    }

    const nobody = await cluster.command('ip-rules', 'clear', '--tenant', 'no-such-tenant')
    expect([nobody.code, nobody.stdout]).toEqual([1, ''])
    expect(nobody.stderr).toContain('no-such-tenant')
    expect((await cluster.command('ip-rules', 'clear')).code).toBe(2)

    const cleared = await cluster.command('--json', 'ip-rules', 'clear', '--tenant', tenant)
    expect([cleared.code, JSON.parse(cleared.stdout)]).toEqual([0, { tenant, removed: 2 }])
    for (const url of [here, there]) {
      expect((await answers(url, from(OFFICE), 200)).status).toBe(200)
      expect((await answers(url, from(ELSEWHERE), 200)).status).toBe(200)
    }
    const again = await cluster.command('ip-rules', 'clear', '--tenant', tenant)
    expect([again.code, again.stdout]).toEqual([0, '0 rules removed: the tenant can be reached from everywhere\n'])

    const log = await send(here, '/api/audit/events?action=IP_RULE_DELETED', {
      token: owner.accessToken,
      headers: from(OFFICE),
    })
    expect(log.body.events).toMatchObject([
      { userId: null, resource: 'ip_rule', metadata: { actor: 'cli', reason: 'break_glass' } },
      { userId: null, resource: 'ip_rule', metadata: { actor: 'cli', reason: 'break_glass' } },
    ])
  })
})
