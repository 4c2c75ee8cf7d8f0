import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import type { Layer, Limited } from '../rate-limits/rules.ts'
import { LIMITED } from '../rate-limits/rules.ts'

const LIMIT = 2

/** Every limit at two a minute, by one layer alone. */
function limitsOf(layer: Layer) {
  const rule = { address: 0, subject: 0, both: 0, [layer]: LIMIT }
  return { store: 'memory', ...Object.fromEntries(LIMITED.map((what) => [what, rule])) } as const
}

describe.each(['subject', 'address'] as const)('what can be done too often, by %s', (layer) => {
  let api: InProcess
  let member: Member
  beforeAll(async () => {
    api = await openInProcess({ rateLimits: limitsOf(layer) })
    member = await api.signUp()
  })
  afterAll(() => api?.close())

  /** One more of what is limited, of the same account, token or session each time. */
  const ATTEMPTS: Readonly<Record<Limited, () => readonly [path: string, body: unknown]>> = {
    signUp: () => ['/api/auth/sign-up', { email: 'taken@example.com', password: PASSWORD, name: 'A', tenantName: 'T' }],
    signIn: () => ['/api/auth/login', { email: member.email, password: 'wrong wrong wrong' }],
    refresh: () => ['/api/auth/refresh', { refreshToken: `${member.refreshToken.slice(0, -6)}AAAAAA` }],
    stepUp: () => ['/api/security/step-up/verify', { purpose: 'data_export', factor: 'totp', code: '000000' }],
    reset: () => ['/api/auth/password/reset-request', { email: member.email }],
    emailCode: () => ['/api/security/step-up/email-code', { purpose: 'data_export' }],
  }
  let sent = 0
  const attempt = (what: Limited, address: string): Promise<Sent> => {
    const [path, body] = ATTEMPTS[what]()
    // Nobody says that a proxy stands in front, so that whoever writes this header writes it in vain.
    const headers = { 'x-forwarded-for': `198.51.100.${++sent}`, forwarded: `for=198.51.100.${sent}` }
    return api.send('POST', path, { body, token: member.accessToken, address, headers })
  }

  test.each(LIMITED)('%s is refused from then on, and told when to come back', async (what) => {
    const from = (at: number): string => (layer === 'address' ? '203.0.113.66' : `203.0.113.${at}`)
    for (let at = 0; at < LIMIT; at++) expect((await attempt(what, from(at))).status).not.toBe(429)
    const refused = await attempt(what, from(LIMIT))
    expect([refused.status, refused.body.error], refused.text).toEqual([429, 'RATE_LIMITED'])
    expect(refused.headers.get('ratelimit-policy')).toBe(`"${what}-${layer}";q=${LIMIT};w=60`)
    const wait = Number(refused.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
    expect(refused.headers.get('ratelimit')).toBe(`"${what}-${layer}";r=0;t=${wait}`)
  })
})
