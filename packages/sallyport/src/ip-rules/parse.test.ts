import { deepEqual, equal, ok } from 'node:assert/strict'
import { isIP } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { test } from 'vitest'
import { normalAddress, parseAddress, parseCidr } from './parse.ts'

test.each([
  ['192.0.2.0/24', '192.0.2.0/24'],
  ['192.0.2.7', '192.0.2.7/32'],
  [' 192.0.2.7/32 ', '192.0.2.7/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['::/0', '::/0'],
  ['2001:DB8::/32', '2001:db8::/32'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1/128'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::FFFF:192.0.2.7', '192.0.2.7/32'],
  ['::ffff:0:0/96', '0.0.0.0/0'],
])('%j is kept as %j', (typed, kept) => {
  const parsed = parseCidr(typed)
  deepEqual(parsed.kind === 'cidr' ? parsed.cidr.text : parsed.rule, kept)
})

test.each([
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['2001:db8::1/32', '2001:db8::/32'],
  ['::ffff:10.1.0.0/104', '10.0.0.0/8'],
  ['255.255.255.255/0', '0.0.0.0/0'],
])('%j has bits beyond its prefix: refused, and the network is told', (typed, network) => {
  const parsed = parseCidr(typed)
  ok(parsed.kind === 'invalid' && parsed.rule.includes(`the network is ${network}`), JSON.stringify(parsed))
})

test.each([
  '',
  '/',
  '10',
  '10.0.0/8',
  '010.0.0.1',
  '0x0a.0.0.1',
  '167772161',
  '10.0.0.1/33',
  '10.0.0.1/-1',
  '10.0.0.1/08',
  '10.0.0.1/',
  '10.0.0.1/8/8',
  '10.0.0.256',
  '::1/129',
  'fe80::1%eth0',
  'fe80::%1/64',
  '::ffff:0:0/90',
  'example.com',
  '*',
  '10.0.0.1 or 1=1',
])('%j is no network', (typed) => {
  equal(parseCidr(typed).kind, 'invalid')
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['0:0:0:0:0:FFFF:C000:0201', '192.0.2.1'],
  ['::192.0.2.1', '::c000:201'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['01.2.3.4', undefined],
  ['1.2.3.4.', undefined],
  ['1.2.3', undefined],
  ['fe80::1%eth0', undefined],
])('the address %j reads %j', (typed, read) => {
  equal(normalAddress(typed), read)
})

test('an address reads as the system and a maintained library read it, whatever the text', () => {
  const words = (text: string): readonly number[] | undefined => {
    if (isIP(text) === 0 || text.includes('%')) return undefined
    // In the one form of URLs: the library takes ::1.2.3.4 for IPv4, and ::102:304, which is the same, for none.
    const plain = isIP(text) === 4 ? text : new URL(`http://[${text}]`).hostname.slice(1, -1)
    const bytes = ipaddr.process(plain).toByteArray()
    return Array.from({ length: bytes.length / 4 }, (_, at) => Buffer.from(bytes).readUInt32BE(4 * at))
  }
  const group = fc.constantFrom(
    '0',
    '1',
    'ffff',
    'FFFF',
    '0db8',
    'a',
    '00000',
    'g',
    '',
    '255.0.0.1',
    '1.2.3',
    '01.2.3.4',
  )
  const scraps = fc
    .array(fc.tuple(group, fc.constantFrom(':', '::', ':', '.', '', '%', ' ')), { maxLength: 10 })
    .map((parts) => parts.flat().join(''))
  const texts = fc.oneof(
    fc.ipV6(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((text) => text.toUpperCase()),
    fc.ipV4().map((text) => `::ffff:${text}`),
    fc
      .tuple(fc.ipV6(), fc.nat(40), fc.constantFrom('', ':', '0', '.', 'f'))
      .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1)),
    scraps,
    fc.string({ maxLength: 20 }),
  )
  fc.assert(
    fc.property(texts, (text) => deepEqual(parseAddress(text), words(text))),
    { numRuns: 5000 },
  )
})
