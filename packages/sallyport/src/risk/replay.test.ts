import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'vitest'
import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import { replayRisk, replayRow } from './replay.ts'
import { resolveRisk } from './settings.ts'

const AT = new Date('2030-01-01T00:00:00.000Z')
const signal = (name: string, points: number, evidence: Record<string, number> = {}) => ({
  signal: name,
  points,
  evidence,
})

function row(action: AuditRow['action'], metadata: Record<string, unknown>): AuditRow {
  return auditRow({ tenantId: null, action, metadata, correlationId: 'replay' }, AT)
}

const many = row('AUTH_TOKEN_REFRESH', {
  score: 20,
  signals: [signal('MANY_ACTIVE_SESSIONS', 20, { liveSessions: 6 })],
})
const mismatch = row('STEP_UP_REQUIRED', {
  score: 60,
  purpose: 'session_risk',
  level: 'elevated',
  signals: [signal('DEVICE_MISMATCH', 60)],
})

test('the same policy decides as it did', () => {
  const policy = resolveRisk()
  deepEqual(replayRow(many, policy)?.after, { score: 20, decision: 'pass' })
  const again = replayRow(mismatch, policy)
  deepEqual([again?.what, again?.before, again?.after], ['refresh', again?.after, { score: 60, decision: 'step-up' }])
})

test('other weights and limits of the score decide anew', () => {
  equal(replayRow(many, resolveRisk({ weights: { MANY_ACTIVE_SESSIONS: 70 } }))?.after.decision, 'step-up')
  equal(replayRow(mismatch, resolveRisk({ weights: { DEVICE_MISMATCH: 0 } }))?.after.decision, 'pass')
  equal(replayRow(mismatch, resolveRisk({ stepUpAt: 50, blockAt: 60 }))?.after.decision, 'block')
})

test('a higher threshold takes back what was seen below it', () => {
  deepEqual(replayRow(many, resolveRisk({ thresholds: { manySessions: 7 } }))?.reasons, [])
  const rapid = row('SUSPICIOUS_LOGIN_DETECTED', {
    score: 0,
    reason: 'rapid_token_creation',
    signals: [signal('RAPID_TOKEN_CREATION', 0, { sessions: 4 })],
  })
  deepEqual(
    [3, 4].map((rapidSessions) => replayRow(rapid, resolveRisk({ thresholds: { rapidSessions } }))?.after.decision),
    ['rapid', 'pass'],
  )
})

test('a host’s signal keeps its points, and what no score decided is passed over', () => {
  equal(
    replayRow(row('AUTH_LOGIN', { score: 95, signals: [signal('OURS', 95)] }), resolveRisk())?.after.decision,
    'block',
  )
  equal(replayRow(row('SUSPICIOUS_LOGIN_DETECTED', { reason: 'reuse_detected' }), resolveRisk()), undefined)
  equal(replayRow(row('STEP_UP_REQUIRED', { score: 60, waiting: true }), resolveRisk()), undefined)
})

test('what mfa.atSignIn or the cap of sessions asked for is nothing that the score decided', () => {
  const decided = (metadata: Record<string, unknown>) =>
    replayRow(row('STEP_UP_REQUIRED', { purpose: 'sign_in', ...metadata }), resolveRisk())?.before.decision
  const mild = [signal('NEW_DEVICE', 30)]
  equal(decided({ score: 30, reasons: ['NEW_DEVICE'], signals: mild }), 'pass')
  equal(decided({ score: 30, reasons: ['SESSION_LIMIT', 'NEW_DEVICE'], signals: mild, level: 'elevated' }), 'pass')
  equal(decided({ score: 95, signals: [signal('OURS', 95)], wouldBe: 'block' }), 'block')
})

test('pages are read to the end', async () => {
  const pages = [Array.from({ length: 1000 }, () => many), [mismatch]]
  const risk = { scored: () => Promise.resolve(pages.shift() ?? []) }
  let count = 0
  for await (const one of replayRisk({ risk }, { from: AT, to: AT })) count += one.reasons.length
  equal(count, 1001)
})
