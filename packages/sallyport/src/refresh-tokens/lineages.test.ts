import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { FamilyId, TenantId, TokenId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { NewToken } from '../store/contract/tokens.ts'
import type { Lineage } from './lineages.ts'
import { Lineages } from './lineages.ts'

const NOW = new Date('2030-01-01T00:00:00.000Z')

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
  lineages.rotated(before, next, 60_000, { userAgent: 'since' })
  expect(lineages.take(presented(before, successor()))).toBeUndefined()
  const known = lineages.take(presented(before, next))
  expect(known?.device).toBe('a device')
  expect(known?.facts.family.generation).toBe(5)
  expect(known?.facts.session.userAgent).toBe('since')
  expect(known?.facts.token).toMatchObject({ id: next.id, generation: 5, expiresAt: new Date(NOW.getTime() + 60_000) })
  expect(before.facts.family.generation).toBe(4)
})

test('it is known once: whoever comes again reads', () => {
  const lineages = new Lineages()
  const before = lineage()
  const next = successor()
  lineages.rotated(before, next, 60_000, {})
  expect(lineages.take(presented(before, next))).toBeDefined()
  expect(lineages.take(presented(before, next))).toBeUndefined()
})

test('there is a bound, and the longest unused go first', () => {
  const lineages = new Lineages(2)
  const all = Array.from({ length: 3 }, () => ({ before: lineage(), next: successor() }))
  for (const { before, next } of all) lineages.rotated(before, next, 60_000, {})
  expect(all.map(({ before, next }) => lineages.take(presented(before, next)) !== undefined)).toEqual([
    false,
    true,
    true,
  ])
})
