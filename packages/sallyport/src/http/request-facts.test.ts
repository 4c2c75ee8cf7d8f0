import { expect, test } from 'vitest'
import { compileRules } from '../ip-rules/matcher.ts'
import type { TrustedProxies } from '../options.ts'
import { requestFacts } from './request-facts.ts'

const OURS: TrustedProxies = {
  kind: 'networks',
  matcher: compileRules([{ id: 'proxy', type: 'ALLOW', cidr: '10.0.0.0/8' }]),
}
const geo = { headers: { country: 'cf-ipcountry', city: 'cf-ipcity' } }
const headers = new Headers({ 'cf-ipcountry': 'DE', 'cf-ipcity': 'Berlin', 'x-forwarded-for': '198.51.100.7' })

test.each<[string, TrustedProxies | undefined, string | undefined, boolean]>([
  ['a proxy of ours', OURS, '10.1.2.3', true],
  ['a proxy of ours, IPv4-mapped', OURS, '::ffff:10.1.2.3', true],
  ['a stranger', OURS, '203.0.113.9', false],
  ['a stranger that names a proxy of ours', OURS, '198.51.100.7', false],
  ['a peer that is not known', OURS, undefined, false],
  ['the proxy that stands in front of all', { kind: 'hops', count: 1 }, '203.0.113.9', true],
  ['anybody where no proxy is trusted', { kind: 'none' }, '10.1.2.3', false],
  ['anybody where nothing is said of proxies', undefined, '10.1.2.3', false],
])('the place that %s tells is believed where that one is trusted', (_who, trustedProxies, remoteAddress, isRead) => {
  const { placeHeaders } = requestFacts({ headers }, { remoteAddress }, { trustedProxies, geo })
  expect(placeHeaders).toEqual(isRead ? { country: 'DE', city: 'Berlin' } : undefined)
})
