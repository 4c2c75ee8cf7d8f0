import { deepEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import type { CompiledRule } from './matcher.ts'
import { compileRules } from './matcher.ts'
import { maskWords, parseAddress, parseCidr } from './parse.ts'

const rules = (...texts: readonly string[]): CompiledRule[] =>
  texts.map((text, index) => {
    const [type, cidr] = text.split(' ') as ['ALLOW' | 'DENY', string]
    return { id: String(index), type, cidr }
  })
const verdict = (list: readonly CompiledRule[], address: string | undefined): string => {
  const answer = compileRules(list).judge(address)
  return answer.kind === 'pass' ? 'pass' : answer.code
}

describe('a request from an address', () => {
  test.each<[string, readonly string[], string | undefined, string]>([
    ['passes where there is no rule', [], '192.0.2.1', 'pass'],
    ['passes without an address where there is no rule', [], undefined, 'pass'],
    ['is blocked by a DENY', ['DENY 192.0.2.0/24'], '192.0.2.255', 'IP_BLOCKED'],
    ['passes beside a DENY', ['DENY 192.0.2.0/24'], '192.0.3.0', 'pass'],
    ['is not allowed where none of the ALLOWs matches', ['ALLOW 192.0.2.0/24'], '198.51.100.1', 'IP_NOT_ALLOWED'],
    ['is blocked by a DENY inside an ALLOW', ['ALLOW 10.0.0.0/8', 'DENY 10.1.0.0/16'], '10.1.2.3', 'IP_BLOCKED'],
    ['is blocked by a DENY around an ALLOW', ['DENY 10.0.0.0/8', 'ALLOW 10.1.0.0/16'], '10.1.2.3', 'IP_BLOCKED'],
    ['goes on passing after an inner network', ['ALLOW 10.0.0.0/8', 'DENY 10.1.0.0/16'], '10.2.0.0', 'pass'],
    ['meets the last address of all', ['DENY 255.255.255.255/32'], '255.255.255.255', 'IP_BLOCKED'],
    ['meets /0', ['DENY 0.0.0.0/0'], '203.0.113.9', 'IP_BLOCKED'],
    ['of IPv6 does not meet the /0 of IPv4', ['DENY 0.0.0.0/0'], '2001:db8::1', 'pass'],
    ['of IPv4 is not in the ::/0 that is allowed', ['ALLOW ::/0'], '192.0.2.1', 'IP_NOT_ALLOWED'],
    ['is met when it is IPv4-mapped', ['DENY 192.0.2.0/24'], '::ffff:192.0.2.9', 'IP_BLOCKED'],
    ['is met in upper case and uncompressed', ['DENY 2001:db8::/32'], '2001:0DB8:0:0:0:0:0:1', 'IP_BLOCKED'],
    ['is met at the end of IPv6', ['DENY ffff::/16'], 'ffff:ffff::1', 'IP_BLOCKED'],
    ['that is unknown does not pass', ['DENY 192.0.2.0/24'], undefined, 'IP_NOT_ALLOWED'],
    ['that is nonsense does not pass', ['DENY 192.0.2.0/24'], 'localhost', 'IP_NOT_ALLOWED'],
    ['with a zone does not pass', ['DENY 192.0.2.0/24'], 'fe80::1%eth0', 'IP_NOT_ALLOWED'],
  ])('%s', (_what, texts, address, expected) => {
    equal(verdict(rules(...texts), address), expected)
  })
})

test('the rule that blocks is named, the narrowest of several', () => {
  const matcher = compileRules(rules('DENY 10.0.0.0/8', 'ALLOW 0.0.0.0/0', 'DENY 10.1.0.0/16'))
  deepEqual(matcher.judge('10.1.2.3'), { kind: 'refused', code: 'IP_BLOCKED', ruleId: '2' })
  deepEqual(matcher.judge('10.2.2.3'), { kind: 'refused', code: 'IP_BLOCKED', ruleId: '0' })
})

test('whatever the rules, the answer is that of going through them one by one', () => {
  const octet = fc.constantFrom(0, 1, 10, 127, 128, 254, 255)
  const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'))
  const group = fc.constantFrom('0', '1', 'ffff', '8000', '2001')
  const v6 = fc.tuple(group, group, group, group).map((parts) => `${parts.join(':')}::${parts[0]}`)
  const cidr = fc.oneof(fc.tuple(v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, fc.integer({ min: 0, max: 128 })))
  const rule = fc.tuple(fc.constantFrom('ALLOW' as const, 'DENY' as const), cidr)
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 12 }), fc.oneof(v4, v6), (list, address) => {
      const given = list.map(([type, [text, prefix]], index) => ({
        id: String(index),
        type,
        cidr: network(text, prefix),
      }))
      const matching = given.filter(({ cidr: one }) => contains(one, address))
      const listsAllowed = given.some(({ type }) => type === 'ALLOW')
      const expected = matching.some(({ type }) => type === 'DENY')
        ? 'IP_BLOCKED'
        : listsAllowed && matching.length === 0
          ? 'IP_NOT_ALLOWED'
          : 'pass'
      equal(verdict(given, address), expected)
    }),
    { numRuns: 400 },
  )
})

function network(text: string, prefix: number): string {
  const words = parseAddress(text)
  if (words === undefined) throw new TypeError(text)
  const kept = [...maskWords(words, prefix)]
  const groups = kept.flatMap((word) => [word >>> 16, word & 0xffff])
  return words.length === 1
    ? `${kept.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]).join('.')}/${prefix}`
    : `${groups.map((group) => group.toString(16)).join(':')}/${prefix}`
}

function contains(cidr: string, address: string): boolean {
  const parsed = parseCidr(cidr)
  const words = parseAddress(address)
  if (parsed.kind !== 'cidr' || words === undefined || words.length !== parsed.cidr.words.length) return false
  return maskWords(words, parsed.cidr.prefix).every((word, at) => word === parsed.cidr.words[at])
}
