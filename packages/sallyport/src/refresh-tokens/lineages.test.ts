import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { FamilyId, SessionId, StaffId, TenantId, TokenId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { NewToken, RefreshSession } from '../store/contract/tokens.ts'
import type { Lineage } from './lineages.ts'
import { Lineages, sessionSince } from './lineages.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')
const LATER = new Date('2030-01-01T00:00:10.000Z')

function lineage(): Lineage {
  const family = { id: newId<FamilyId>(), generation: 4 }
  const token = { id: newId<TokenId>(), generation: 4, consumedAt: null }
  const facts = { now: NOW, token, family, successor: null, session: { userAgent: 'before' } }
  return { device: 'a device', facts: facts as unknown as Lineage['facts'] }
}

function successor(): NewToken {
  return {
    id: newId<TokenId>(),
    tokenHash: randomBytes(32),
    nonce: randomBytes(16),
    secretId: '0123456789',
    ipAddress: '192.0.2.7',
    userAgent: 'test/1',
    deviceFingerprint: null,
    deviceInfo: null,
  }
}

function presented({ facts }: Lineage, { tokenHash }: NewToken) {
  const hash = Buffer.from(tokenHash)
  return { raw: '', hash, tenantId: newId<TenantId>(), familyId: facts.family.id, generation: 5 }
}

test('what was handed out is known by exactly its token, with what the rotation made of it', () => {
  const lineages = new Lineages()
  const before = lineage()
  const next = successor()
  const since = { ...before.facts.session, userAgent: 'since' }
  lineages.rotated(before, next, 60_000, since)
  expect(lineages.take(presented(before, successor()), LATER)).toBeUndefined()
  const known = lineages.take(presented(before, next), LATER)
  expect(known?.device).toBe('a device')
  expect(known?.facts.now).toBe(LATER)
  expect(known?.facts.family.generation).toBe(5)
  expect(known?.facts.session.userAgent).toBe('since')
  expect(known?.facts.token).toMatchObject({ id: next.id, generation: 5, expiresAt: new Date(NOW.getTime() + 60_000) })
  expect(before.facts.family.generation).toBe(4)
})

test('it is known once: whoever comes again reads', () => {
  const lineages = new Lineages()
  const before = lineage()
  const next = successor()
  lineages.rotated(before, next, 60_000, before.facts.session)
  expect(lineages.take(presented(before, next), LATER)).toBeDefined()
  expect(lineages.take(presented(before, next), LATER)).toBeUndefined()
})

test('there is a bound, and the longest unused go first', () => {
  const lineages = new Lineages(2)
  const all = Array.from({ length: 3 }, () => ({ before: lineage(), next: successor() }))
  for (const { before, next } of all) lineages.rotated(before, next, 60_000, before.facts.session)
  expect(all.map(({ before, next }) => lineages.take(presented(before, next), LATER) !== undefined)).toEqual([
    false,
    true,
    true,
  ])
})

describe('a session since its refresh', () => {
  const session: RefreshSession = {
    id: newId<SessionId>(),
    staffId: newId<StaffId>(),
    kind: 'login',
    delivery: 'cookie',
    sessionVersion: 3,
    createdAt: new Date(1),
    lastSeenAt: new Date(2),
    expiresAt: new Date(3),
    ipAddress: '192.0.2.1',
    country: 'AT',
    city: 'Vienna',
    latitude: 48.2,
    longitude: 16.4,
    userAgent: 'before',
    deviceFingerprint: 'a fingerprint',
    deviceCookieHash: 'a cookie',
    amr: ['pwd'],
    authTime: new Date(4),
    stepUpRequiredAt: new Date(5),
    stepUpRisk: { score: 60, reasons: ['NEW_DEVICE'] },
    revokedAt: new Date(6),
    revokeReason: 'manual',
    staff: { role: 'admin', sessionVersion: 3, status: 'active' },
    user: { name: 'Ann', disabled: false, lastMfaAt: new Date(7) },
    tenant: { disabled: false },
    liveSessions: 2,
    youngSessions: 1,
    recentFailures: 4,
    deviceTrusted: true,
  }
  const mark = {
    ipAddress: '198.51.100.1',
    country: null,
    city: null,
    latitude: null,
    longitude: null,
    userAgent: 'since',
    deviceFingerprint: null,
    deviceCookieHash: 'another',
  }

  test('is the very same where nothing is new', () => {
    expect(sessionSince(session, undefined, session.lastSeenAt)).toBe(session)
  })

  test('has what is new, and everything else as it was', () => {
    expect(sessionSince(session, undefined, NOW)).toStrictEqual({ ...session, lastSeenAt: NOW })
    expect(sessionSince(session, mark, NOW)).toStrictEqual({ ...session, ...mark, lastSeenAt: NOW })
    expect(session.userAgent).toBe('before')
  })
})
