import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { leafEntry, leafHash } from './leaf.ts'
import type { AuditRow } from './record.ts'
import { auditRow } from './record.ts'

const id = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`

const ROW: Omit<AuditRow, 'leafHash'> = {
  id: id(1) as AuditRow['id'],
  tenantId: id(2),
  createdAt: new Date('2030-01-02T03:04:05.678Z'),
  action: 'SESSION_REVOKED',
  outcome: 'SUCCESS',
  failureReason: null,
  userId: id(3),
  actorName: 'Ada Lovelace',
  staffId: id(4),
  sessionId: id(5),
  realUserId: null,
  isImpersonating: false,
  resource: 'session',
  resourceId: id(5),
  oldValue: null,
  newValue: { b: 1, a: 'x' },
  metadata: { reason: 'manual' },
  ipAddress: '192.0.2.7',
  country: null,
  city: null,
  userAgent: 'curl/8.5.0',
  correlationId: 'c-1',
  salt: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const SALT = '000102030405060708090a0b0c0d0e0f'

describe('the leaf of an audit row', () => {
  test('is what the documented format says, computed by other means', () => {
    // Written out by hand, so that a change of the format cannot pass unseen: every tree that was sealed rests on it.
    const commit = (column: string, json: string) => sha256(`${SALT}:${column}:${json}`)
    const entry =
      `{"action":"SESSION_REVOKED","correlationId":"c-1","createdAt":"2030-01-02T03:04:05.678Z","failureReason":null,` +
      `"id":"${id(1)}","isImpersonating":false,"outcome":"SUCCESS","personal":{` +
      `"actorName":"${commit('actorName', '"Ada Lovelace"')}","ipAddress":"${commit('ipAddress', '"192.0.2.7"')}",` +
      `"metadata":"${commit('metadata', '{"reason":"manual"}')}","newValue":"${commit('newValue', '{"a":"x","b":1}')}",` +
      `"userAgent":"${commit('userAgent', '"curl/8.5.0"')}"},"realUserId":null,"resource":"session",` +
      `"resourceId":"${id(5)}","sessionId":"${id(5)}","staffId":"${id(4)}","tenantId":"${id(2)}","userId":"${id(3)}","v":1}`
    expect(leafEntry(ROW)).toBe(entry)
    expect(leafHash(ROW).toString('hex')).toBe(sha256(Buffer.concat([Buffer.from([0]), Buffer.from(entry)])))
  })

  test('is the same today as it was', () => {
    expect(leafHash(ROW).toString('hex')).toBe('fa7087b8c53d12833b685b8b6c5f213f8b6588764d4ed43167b4e123e45ef2a2')
  })

  test('holds no personal value, so that erasing them and the salt leaves the entry that was proved', () => {
    const entry = leafEntry(ROW)
    for (const personal of ['Ada', '192.0.2.7', 'curl', 'manual', SALT]) expect(entry).not.toContain(personal)
    // After an erasure the entry is all there is: it alone recomputes the leaf.
    expect(sha256(Buffer.concat([Buffer.from([0]), Buffer.from(entry)]))).toBe(leafHash(ROW).toString('hex'))
  })

  test('changes with every column', () => {
    const leaf = leafHash(ROW).toString('hex')
    const changes: Partial<Omit<AuditRow, 'leafHash'>> = {
      id: id(9) as AuditRow['id'],
      tenantId: null,
      createdAt: new Date('2030-01-02T03:04:05.679Z'),
      action: 'SESSION_CREATED',
      outcome: 'FAIL',
      failureReason: 'FORBIDDEN',
      userId: null,
      actorName: 'Ada',
      staffId: null,
      sessionId: null,
      realUserId: id(8),
      isImpersonating: true,
      resource: null,
      resourceId: null,
      oldValue: {},
      newValue: null,
      metadata: { reason: 'manual', more: 1 },
      ipAddress: null,
      country: 'DE',
      city: 'Köln',
      userAgent: null,
      correlationId: 'c-2',
      salt: Buffer.alloc(16),
    }
    expect(Object.keys(changes).sort()).toEqual(Object.keys(ROW).sort())
    for (const [column, value] of Object.entries(changes)) {
      expect(leafHash({ ...ROW, [column]: value }).toString('hex'), column).not.toBe(leaf)
    }
  })

  test('a value that moves from one personal column to another is another leaf', () => {
    const [one, two] = [
      { ...ROW, country: 'X', city: null },
      { ...ROW, country: null, city: 'X' },
    ]
    expect(leafHash(one)).not.toEqual(leafHash(two))
  })

  test('rows are salted each for itself', () => {
    const rows = Array.from({ length: 600 }, () => auditRow({ tenantId: null, action: 'AUTH_LOGIN' }, new Date()))
    expect(new Set(rows.map(({ salt }) => salt.toString('hex'))).size).toBe(600)
    for (const { salt } of rows) expect(salt).toHaveLength(16)
  })

  test('what cannot be hashed makes no row', () => {
    for (const bad of [Number.NaN, '\ud800', 'a\u0000b', () => 1]) {
      expect(() => auditRow({ tenantId: null, action: 'AUTH_LOGIN', metadata: { bad } }, new Date())).toThrow(TypeError)
    }
  })
})
