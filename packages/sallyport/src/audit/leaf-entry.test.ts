import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { AuditId } from '../ids.ts'
import { canonicalJson } from './canonical-json.ts'
import { leafEntry, leafHash } from './leaf.ts'
import type { AuditRow } from './record.ts'
import { fullRow } from './testing/ledger-bench.ts'

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The entry by its definition: every column through the general serialiser. */
function byDefinition(row: AuditRow): string {
  const { actorName, city, country, ipAddress, metadata, newValue, oldValue, userAgent, ...stable } = row
  const { salt, leafHash: _, createdAt, ...rest } = stable
  const columns = { actorName, city, country, ipAddress, metadata, newValue, oldValue, userAgent }
  const personal = Object.fromEntries(
    Object.entries(columns)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, sha(`${salt.toString('hex')}:${name}:${canonicalJson(value)}`)]),
  )
  const none = { none: sha(`${salt.toString('hex')}:none:null`) }
  return canonicalJson({
    ...rest,
    createdAt: createdAt.toISOString(),
    personal: Object.keys(personal).length === 0 ? none : personal,
    v: 1,
  })
}

test.each<[string, Partial<AuditRow>]>([
  ['every column', {}],
  [
    'nothing that is optional',
    {
      failureReason: null,
      userId: null,
      staffId: null,
      sessionId: null,
      realUserId: null,
      resource: null,
      resourceId: null,
      tenantId: null,
    },
  ],
  [
    'no personal data',
    {
      actorName: null,
      city: null,
      country: null,
      ipAddress: null,
      metadata: null,
      newValue: null,
      oldValue: null,
      userAgent: null,
    },
  ],
  [
    'text that must be escaped',
    { resourceId: 'a"b\\c\n\u2028é😀', correlationId: '</script>\u007f', failureReason: '' },
  ],
  ['impersonation off', { isImpersonating: false }],
])('the entry of a row with %s is the canonical JSON of its columns', (_, more) => {
  const row = { ...fullRow('0198c0de-0000-7000-8000-000000000001'), ...more }
  expect(leafEntry(row)).toBe(byDefinition(row))
  expect(leafHash(row).toString('hex')).toBe(sha(`\u0000${byDefinition(row)}`))
})

test('the vector: one row, its entry and its hash', () => {
  const row: AuditRow = {
    ...fullRow(null),
    id: '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe' as AuditId,
    createdAt: new Date('2026-01-31T12:00:00.000Z'),
    action: 'AUTH_LOGIN',
    outcome: 'SUCCESS',
    failureReason: null,
    userId: null,
    staffId: null,
    sessionId: null,
    realUserId: null,
    isImpersonating: false,
    resource: 'user',
    resourceId: '7',
    correlationId: 'c-1',
    actorName: 'Ada',
    city: null,
    country: null,
    ipAddress: '192.0.2.1',
    metadata: null,
    newValue: null,
    oldValue: null,
    userAgent: null,
    salt: Buffer.alloc(16, 1),
  }
  const salt = '01010101010101010101010101010101'
  const entry = `{"action":"AUTH_LOGIN","correlationId":"c-1","createdAt":"2026-01-31T12:00:00.000Z","failureReason":null,"id":"0198c0de-7a11-7c3e-9f00-3c0ffee0cafe","isImpersonating":false,"outcome":"SUCCESS","personal":{"actorName":"${sha(`${salt}:actorName:"Ada"`)}","ipAddress":"${sha(`${salt}:ipAddress:"192.0.2.1"`)}"},"realUserId":null,"resource":"user","resourceId":"7","sessionId":null,"staffId":null,"tenantId":null,"userId":null,"v":1}`
  expect(leafEntry(row)).toBe(entry)
  expect(leafHash(row).toString('hex')).toBe(sha(`\u0000${entry}`))
})

test('an entry that no tile could hold, or that has no canonical form, is refused', () => {
  const row = fullRow(null)
  expect(leafHash({ ...row, resourceId: 'a'.repeat(60_000) })).toHaveLength(32)
  expect(() => leafHash({ ...row, resourceId: 'a'.repeat(65_536) })).toThrow(TypeError)
  expect(() => leafHash({ ...row, resourceId: 'é'.repeat(40_000) })).toThrow(TypeError)
  expect(() => leafHash({ ...row, resourceId: '\ud800' })).toThrow(TypeError)
  expect(() => leafHash({ ...row, correlationId: 'a\u0000' })).toThrow(TypeError)
  expect(() => leafHash({ ...row, metadata: { at: Number.NaN } })).toThrow(TypeError)
})
