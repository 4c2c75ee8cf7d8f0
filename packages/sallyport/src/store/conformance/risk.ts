/**
 * What every implementation of the port of risk must pass.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { AuditRow } from '../../audit/record.ts'
import { auditRow } from '../../audit/record.ts'
import type { SessionId, TenantId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { WaitReason } from '../contract/risk.ts'
import { FAILURES_WITHIN_MS, HISTORY_SESSIONS } from '../contract/risk.ts'
import type { MemberIds, OpenHarness, Runner, SignedIn, StoreHarness } from './harness.ts'
import { breaksCleanly, changesOf, DAY, factsOf, later, needsItsAudit, signIn } from './harness.ts'

const MINUTE = 60_000
type Metadata = Readonly<Record<string, unknown>>
const REASON: WaitReason = { score: 60, reasons: ['DEVICE_MISMATCH'] }

/** Registers the cases. */
export function riskStoreContract(runner: Runner, open: OpenHarness): void {
  signInFacts(runner, open)
  refreshHistory(runner, open)
  waiting(runner, open)
  proofs(runner, open)
  whatTheLogSays(runner, open)
}

const windows = { device: undefined, idleMs: DAY, maxSessionLifeMs: 30 * DAY, rapidWindowMs: 10 * MINUTE }

function signInFacts({ test }: Runner, open: OpenHarness): void {
  test('signInFacts: somebody without a past has none', async () => {
    const { store, member } = await open()
    const { now, ...facts } = await store.risk.signInFacts({ ...(await member()), ...windows })
    ok(now instanceof Date)
    deepEqual(facts, {
      history: [],
      liveSessions: 0,
      youngSessions: 0,
      recentFailures: 0,
      lastMfaAt: null,
      deviceTrusted: false,
    })
  })

  test('signInFacts: the history is what sessions were seen with, newest first, and no more than are looked at', async () => {
    const harness = await open()
    const member = await harness.member()
    const vienna = { country: 'AT', city: 'Vienna', latitude: 48.2, longitude: 16.37 }
    const made: SignedIn[] = []
    for (let count = 0; count < HISTORY_SESSIONS + 2; count++) {
      const given = { place: vienna, deviceFingerprint: `device ${count}`, deviceCookieHash: 'ab'.repeat(32) }
      made.push(await later(harness, count * MINUTE, () => signIn(harness, member, given)))
    }
    const { history } = await harness.store.risk.signInFacts({ ...member, ...windows })
    deepEqual(
      history.map(({ fingerprint }) => fingerprint),
      Array.from({ length: HISTORY_SESSIONS }, (_, at) => `device ${made.length - 1 - at}`),
    )
    const { lastSeenAt, ...newest } = history[0] ?? { lastSeenAt: undefined }
    ok(lastSeenAt instanceof Date)
    deepEqual(newest, {
      ...vienna,
      ipAddress: '192.0.2.7',
      userAgent: 'contract/1',
      fingerprint: `device ${made.length - 1}`,
      cookieHash: 'ab'.repeat(32),
    })
  })

  test('signInFacts: live are those that have not ended, not run out and not lain idle; young those made within the window', async () => {
    const harness = await open()
    const member = await harness.member()
    const facts = async (more: Partial<typeof windows> = {}) => {
      const { liveSessions, youngSessions } = await harness.store.risk.signInFacts({ ...member, ...windows, ...more })
      return [liveSessions, youngSessions]
    }
    const ended = await signIn(harness, member)
    await signIn(harness, member, { lifeMs: 5 * MINUTE })
    await signIn(harness, member)
    deepEqual(await facts(), [3, 3])
    const scope = { of: 'session', tenantId: member.tenantId, sessionId: ended.session.id } as const
    await harness.store.sessions.end(scope, { reason: 'manual', bumpVersion: false }, () => [])
    deepEqual(await facts(), [2, 2])
    await later(harness, 6 * MINUTE, async () => deepEqual(await facts(), [1, 1]))
    await later(harness, 11 * MINUTE, async () => {
      deepEqual(await facts(), [1, 0])
      deepEqual(await facts({ idleMs: 10 * MINUTE }), [0, 0])
      // However long it was made for.
      deepEqual(await facts({ maxSessionLifeMs: 10 * MINUTE }), [0, 0])
    })
  })

  test('signInFacts: failures on the account count for as long as they are looked at, whichever tenant they are filed under', async () => {
    const harness = await open()
    const [member, other] = [await harness.member(), await harness.member()]
    const failed = (about: MemberIds, failureReason: string, now: Date): AuditRow =>
      auditRow(
        {
          tenantId: about.tenantId,
          action: 'AUTH_LOGIN_FAILED',
          outcome: 'FAIL',
          failureReason,
          resource: 'user',
          resourceId: about.userId,
        },
        now,
      )
    const { now } = await harness.store.risk.signInFacts({ ...member, ...windows })
    await harness.store.audit.append([
      failed(member, 'INVALID_CREDENTIALS', now),
      failed({ ...member, tenantId: other.tenantId }, 'INVALID_CREDENTIALS', now),
      failed(other, 'INVALID_CREDENTIALS', now),
      // Asks for no guess: the person is in several tenants, or has too many sessions.
      failed(member, 'TENANT_REQUIRED', now),
      failed(member, 'INVALID_CREDENTIALS', new Date(now.getTime() - FAILURES_WITHIN_MS - MINUTE)),
    ])
    equal((await harness.store.risk.signInFacts({ ...member, ...windows })).recentFailures, 2)
  })

  test('signInFacts: a device is trusted by its member alone, and for its time', async () => {
    const harness = await open()
    const [member, colleague] = [await harness.member(), await harness.member()]
    const device = newId()
    await harness.trust(member, device, 10 * MINUTE)
    const trusted = async (who: MemberIds, of: string | undefined) =>
      (await harness.store.risk.signInFacts({ ...who, ...windows, device: of })).deviceTrusted
    deepEqual(
      [
        await trusted(member, device),
        await trusted(member, newId()),
        await trusted(member, undefined),
        await trusted(colleague, device),
        await trusted({ ...member, staffId: colleague.staffId }, device),
        await trusted({ ...member, tenantId: colleague.tenantId }, device),
      ],
      [true, false, false, false, false, false],
    )
    await later(harness, 11 * MINUTE, async () => equal(await trusted(member, device), false))
  })

  test('signInFacts: what the same person did in another tenant is not seen', async () => {
    const harness = await open()
    const there = await signIn(harness, undefined, { deviceFingerprint: 'theirs' })
    const here = await harness.member({ userId: there.userId })
    const { history, liveSessions, youngSessions } = await harness.store.risk.signInFacts({ ...here, ...windows })
    deepEqual([history, liveSessions, youngSessions], [[], 0, 0])
    // Nor by naming one tenant and the place of the other.
    const mixed = await harness.store.risk.signInFacts({ ...there, ...windows, tenantId: here.tenantId })
    deepEqual([mixed.history, mixed.liveSessions], [[], 0])
  })
}

function refreshHistory({ test }: Runner, open: OpenHarness): void {
  const asked = async (harness: StoreHarness) => {
    const owner = await signIn(harness, undefined, { deviceFingerprint: 'phone' })
    const { tenantId, userId, staffId, session } = owner
    const of = { tenantId, userId, staffId, sessionId: session.id, presented: newId(), boundTo: newId() }
    return { owner, of, passed: await harness.passRiskStepUp(of) }
  }

  test('refreshHistory: it has the history, and the step-up that was passed for this session, token and device', async () => {
    const harness = await open()
    const { of, passed } = await asked(harness)
    const { history, stepUp } = await harness.store.risk.refreshHistory(of)
    deepEqual([history.map(({ fingerprint }) => fingerprint), stepUp], [['phone'], passed])
  })

  test('refreshHistory: a step-up of another token, device or session is not it, nor one that is over', async () => {
    const harness = await open()
    const { owner, of } = await asked(harness)
    const { session } = await signIn(harness, owner)
    const stepUpOf = async (more: object) => (await harness.store.risk.refreshHistory({ ...of, ...more })).stepUp
    for (const more of [
      { presented: newId() },
      { boundTo: newId() },
      { boundTo: undefined },
      { sessionId: session.id },
    ]) {
      equal(await stepUpOf(more), null)
    }
    await later(harness, 11 * MINUTE, async () => equal(await stepUpOf({}), null))
  })

  test('refreshHistory: another tenant gets neither history nor step-up', async () => {
    const harness = await open()
    const { of } = await asked(harness)
    const { tenantId } = await harness.member()
    deepEqual(await harness.store.risk.refreshHistory({ ...of, tenantId }), { history: [], stepUp: null })
  })
}

function waiting(runner: Runner, open: OpenHarness): void {
  const { test } = runner
  const waitsFor = async (harness: StoreHarness, { tenantId, session }: SignedIn) =>
    (await factsOf(harness, tenantId, session.token)).session?.stepUpRisk ?? null

  test('wait: the session waits with its reason, the feed tells, and the audit row is there', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session, mark } = owner
    equal(await harness.store.risk.wait({ tenantId, sessionId: session.id, reason: REASON, audit: mark.of }), true)
    deepEqual(await waitsFor(harness, owner), REASON)
    deepEqual((await harness.store.sessions.live(tenantId, session.id))?.facts.stepUpRisk, REASON)
    ok((await factsOf(harness, tenantId, session.token)).session?.stepUpRequiredAt instanceof Date)
    deepEqual(await changesOf(harness, session.id), ['session'])
    equal(await mark.written(harness), 1)
  })

  test('wait: one that waits already keeps its reason, and each asking is recorded', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session, mark } = owner
    const wait = (score: number) =>
      harness.store.risk.wait({ tenantId, sessionId: session.id, reason: { ...REASON, score }, audit: mark.of })
    deepEqual([await wait(60), await wait(75)], [true, true])
    deepEqual(await waitsFor(harness, owner), REASON)
    deepEqual(await changesOf(harness, session.id), ['session'])
    equal(await mark.written(harness), 2)
  })

  test('wait: another tenant’s session, an unknown one and one that has ended do not wait', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session } = owner
    const other = await harness.member()
    const wait = (of: TenantId, sessionId: SessionId) =>
      harness.store.risk.wait({ tenantId: of, sessionId, reason: REASON, audit: () => [] })
    equal(await wait(other.tenantId, session.id), false)
    equal(await wait(tenantId, newId<SessionId>()), false)
    deepEqual([await waitsFor(harness, owner), await changesOf(harness, session.id)], [null, []])
    const scope = { of: 'session', tenantId, sessionId: session.id } as const
    await harness.store.sessions.end(scope, { reason: 'manual', bumpVersion: false }, () => [])
    equal(await wait(tenantId, session.id), false)
  })

  const prepared = async (harness: StoreHarness) => {
    const owner = await signIn(harness)
    const { tenantId, session, mark } = owner
    return { of: { tenantId, sessionId: session.id, reason: REASON }, owner, mark }
  }
  breaksCleanly(runner, open, 'wait', async (harness) => {
    const { of, owner, mark } = await prepared(harness)
    return {
      mark,
      write: (store) => store.risk.wait({ ...of, audit: mark.of }),
      happened: async (seen) => (await waitsFor(seen, owner)) !== null,
    }
  })
  needsItsAudit(runner, open, 'wait', async (harness) => {
    const { of, owner } = await prepared(harness)
    return {
      write: (audit) => harness.store.risk.wait({ ...of, audit }),
      happened: async () => (await waitsFor(harness, owner)) !== null,
    }
  })
}

function proofs({ test }: Runner, open: OpenHarness): void {
  test('useProof: of 20 concurrent calls with one proof exactly one is the first, and another proof is another', async () => {
    const { store } = await open()
    const proof = randomBytes(32)
    const used = await Promise.all(Array.from({ length: 20 }, () => store.risk.useProof(proof, 2 * MINUTE)))
    equal(used.filter(Boolean).length, 1)
    deepEqual(
      [await store.risk.useProof(proof, 2 * MINUTE), await store.risk.useProof(randomBytes(32), MINUTE)],
      [false, true],
    )
  })

  test('useProof: it is remembered for its time, whatever is used meanwhile', async () => {
    const harness = await open()
    const proof = randomBytes(32)
    equal(await harness.store.risk.useProof(proof, 2 * MINUTE), true)
    await later(harness, 2 * MINUTE - 1000, async () => {
      for (let count = 0; count < 10; count++) await harness.store.risk.useProof(randomBytes(32), 1)
      equal(await harness.store.risk.useProof(proof, 2 * MINUTE), false)
    })
  })
}

function whatTheLogSays({ test }: Runner, open: OpenHarness): void {
  const NOW = new Date('2031-02-03T04:05:06.000Z')
  const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000)
  const detected = (tenantId: string, seconds: number, metadata: Metadata = { score: 90, reasons: [] }) =>
    auditRow(
      { tenantId, action: 'SUSPICIOUS_LOGIN_DETECTED', outcome: 'FAIL', failureReason: 'SESSION_BLOCKED', metadata },
      at(seconds),
    )

  test('incidents: those of the tenant, newest first, page by page, and nothing else', async () => {
    const { store, member } = await open()
    const [{ tenantId }, other] = [await member(), await member()]
    const mine = [detected(tenantId, 0), detected(tenantId, 1), detected(tenantId, 1), detected(tenantId, 2)]
    await store.audit.append([
      ...mine,
      detected(other.tenantId, 1),
      auditRow({ tenantId, action: 'AUTH_LOGIN', metadata: { score: 0, reasons: [] } }, at(1)),
    ])
    const newestFirst = [...mine].sort(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1),
    )
    const first = await store.risk.incidents({ tenantId, limit: 2 })
    const rest = await store.risk.incidents({ tenantId, limit: 10, after: first[1] })
    deepEqual(
      [...first, ...rest].map(({ id }) => id),
      newestFirst.map(({ id }) => id),
    )
    const theirs = await store.risk.incidents({ tenantId: other.tenantId, limit: 10 })
    equal(theirs.length, 1)
  })

  test('scored: what carries a score, of the period, oldest first, page by page', async () => {
    const { store, member } = await open()
    const { tenantId } = await member()
    const of = (action: 'AUTH_LOGIN' | 'AUTH_TOKEN_REFRESH', seconds: number, metadata: Metadata) =>
      auditRow({ tenantId, action, metadata }, at(seconds))
    const scored = [
      of('AUTH_LOGIN', 100, { score: 0, reasons: [] }),
      of('AUTH_TOKEN_REFRESH', 101, { score: 10, reasons: ['ADDRESS_CHANGED'] }),
      detected(tenantId, 102),
    ]
    await store.audit.append([
      ...scored,
      of('AUTH_LOGIN', 101, { method: 'password' }),
      of('AUTH_LOGIN', 99, { score: 0, reasons: [] }),
      of('AUTH_LOGIN', 200, { score: 0, reasons: [] }),
    ])
    const period = { from: at(100), to: at(200) }
    const ours = (rows: readonly AuditRow[]) => rows.filter((row) => row.tenantId === tenantId)
    const first = ours(await store.risk.scored({ ...period, limit: 1000 }))
    deepEqual(
      first.map(({ id }) => id),
      scored.map(({ id }) => id),
    )
    const rest = ours(await store.risk.scored({ ...period, limit: 1000, after: first[0] }))
    deepEqual(
      rest.map(({ id }) => id),
      scored.slice(1).map(({ id }) => id),
    )
  })
}
