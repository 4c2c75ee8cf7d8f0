import { expect, test } from 'vitest'
import { compileRules } from '../ip-rules/matcher.ts'
import type { TrustedProxies } from '../options.ts'
import { clientAddress } from './client-address.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::1', '::1'],
  ['nonsense', undefined],
  ['', undefined],
])('the peer %j is held to be %j', (remoteAddress, expected) => {
  expect(clientAddress({ remoteAddress })).toBe(expected)
})

test('without a connection there is no address', () => {
  expect(clientAddress(undefined)).toBeUndefined()
})

const proxies = (...networks: readonly string[]): TrustedProxies => ({
  kind: 'networks',
  matcher: compileRules(networks.map((cidr) => ({ id: cidr, type: 'ALLOW', cidr }))),
})
const hops = (count: number): TrustedProxies => ({ kind: 'hops', count })
const OURS = proxies('10.0.0.0/8', '2001:db8:1::/48')

test.each<[string, TrustedProxies | undefined, string, Readonly<Record<string, string>>, string | undefined]>([
  [
    'no proxy is trusted: the header is nothing',
    undefined,
    '203.0.113.9',
    { 'x-forwarded-for': '192.0.2.1' },
    '203.0.113.9',
  ],
  ['a stranger forges the header', OURS, '203.0.113.9', { 'x-forwarded-for': '192.0.2.1' }, '203.0.113.9'],
  ['one proxy of ours', OURS, '10.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1'],
  ['what the client wrote stands left', OURS, '10.0.0.1', { 'x-forwarded-for': '127.0.0.1, 192.0.2.1' }, '192.0.2.1'],
  ['two of ours', OURS, '10.0.0.1', { 'x-forwarded-for': '6.6.6.6, 192.0.2.1, 10.0.0.2' }, '192.0.2.1'],
  ['nothing but ours', OURS, '10.0.0.1', { 'x-forwarded-for': '10.0.0.3, 10.0.0.2' }, '10.0.0.3'],
  [
    'a client that claims to be a proxy',
    OURS,
    '10.0.0.1',
    { 'x-forwarded-for': '6.6.6.6, 10.9.9.9, 192.0.2.1' },
    '192.0.2.1',
  ],
  ['no header', OURS, '10.0.0.1', {}, '10.0.0.1'],
  ['nonsense where the client should stand', OURS, '10.0.0.1', { 'x-forwarded-for': '192.0.2.1, unknown' }, undefined],
  ['ports', OURS, '10.0.0.1', { 'x-forwarded-for': '192.0.2.1:4711' }, '192.0.2.1'],
  ['ports of IPv6', OURS, '2001:db8:1::1', { 'x-forwarded-for': '[2001:DB8::9]:4711' }, '2001:db8::9'],
  ['IPv4-mapped', OURS, '::ffff:10.0.0.1', { 'x-forwarded-for': '::ffff:192.0.2.1' }, '192.0.2.1'],
  ['Forwarded', OURS, '10.0.0.1', { forwarded: 'for=6.6.6.6, for=192.0.2.1;proto=https' }, '192.0.2.1'],
  ['Forwarded, quoted IPv6', OURS, '10.0.0.1', { forwarded: 'For="[2001:db8::9]:4711";by=10.0.0.1' }, '2001:db8::9'],
  [
    'Forwarded, quoted commas',
    OURS,
    '10.0.0.1',
    { forwarded: 'for=6.6.6.6;host="a,for=7.7.7.7", for=192.0.2.1' },
    '192.0.2.1',
  ],
  ['Forwarded, hidden', OURS, '10.0.0.1', { forwarded: 'for=192.0.2.1, for=_hidden' }, undefined],
  ['Forwarded, malformed', OURS, '10.0.0.1', { forwarded: 'for=192.0.2.1, for=" ' }, undefined],
  ['both, in agreement', OURS, '10.0.0.1', { forwarded: 'for=192.0.2.1', 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1'],
  [
    'both, of which one is forged',
    OURS,
    '10.0.0.1',
    { forwarded: 'for=6.6.6.6', 'x-forwarded-for': '192.0.2.1' },
    undefined,
  ],
  ['one hop', hops(1), '203.0.113.9', { 'x-forwarded-for': '6.6.6.6, 192.0.2.1' }, '192.0.2.1'],
  ['two hops', hops(2), '203.0.113.9', { 'x-forwarded-for': '6.6.6.6, 192.0.2.1, 203.0.113.1' }, '192.0.2.1'],
  ['fewer hops than said', hops(2), '203.0.113.9', { 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1'],
])('%s', (_what, trusted, remoteAddress, headers, expected) => {
  expect(clientAddress({ remoteAddress }, new Headers(headers), trusted)).toBe(expected)
})
