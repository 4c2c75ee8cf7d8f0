/**
 * What every implementation of the port of the overview must pass, together with the seal that it counts beside.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import type { AuditEvent } from '../../audit/record.ts'
import { auditRow } from '../../audit/record.ts'
import { sealLog } from '../../audit/seal.ts'
import type { TenantId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { EventCount, SignalCount } from '../contract/overview.ts'
import type { OpenHarness, Runner, StoreHarness } from './harness.ts'
import { breaksCleanly, DAY, later, signIn } from './harness.ts'

const HOUR = 3_600_000
const FROM = new Date('2030-05-06T00:00:00Z')
const TO = new Date(FROM.getTime() + 6 * HOUR)
const STEPS = { from: FROM, to: TO, stepMs: 2 * HOUR }

/** Registers the cases. */
export function overviewStoreContract(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('overview: an event counts once, before it is sealed and after, in its own tenant alone', async () => {
    const { store } = await open()
    const [tenantId, theirs] = [newId<TenantId>(), newId<TenantId>()]
    const write = (event: Omit<AuditEvent, 'tenantId'>, ms: number) =>
      store.audit.append([auditRow({ tenantId, ...event }, new Date(FROM.getTime() + ms))])
    await write({ action: 'AUTH_LOGIN' }, 0)
    await write({ action: 'AUTH_LOGIN' }, HOUR)
    await write({ action: 'AUTH_LOGIN_FAILED', outcome: 'FAIL', failureReason: 'INVALID_CREDENTIALS' }, 2 * HOUR - 1)
    await write({ action: 'STEP_UP_VERIFIED', metadata: { factor: 'totp' } }, 2 * HOUR)
    await write({ action: 'AUTH_LOGIN' }, 6 * HOUR - 1)
    // Outside, on either side.
    await write({ action: 'AUTH_LOGIN' }, -1)
    await write({ action: 'AUTH_LOGIN' }, 6 * HOUR)
    const expected: readonly EventCount[] = [
      counted(0, 'AUTH_LOGIN', { count: 2 }),
      counted(0, 'AUTH_LOGIN_FAILED', { outcome: 'FAIL', reason: 'INVALID_CREDENTIALS' }),
      counted(1, 'STEP_UP_VERIFIED', { detail: 'totp' }),
      counted(2, 'AUTH_LOGIN'),
    ]
    deepEqual(await eventsOf(store, tenantId), expected)
    await sealLog({ store }, tenantId)
    deepEqual(await eventsOf(store, tenantId), expected)
    await sealLog({ store }, tenantId)
    // One more of the same hour, counted beside those that are sealed.
    await write({ action: 'AUTH_LOGIN' }, 1)
    const more = [counted(0, 'AUTH_LOGIN', { count: 3 }), ...expected.slice(1)]
    deepEqual(await eventsOf(store, tenantId), more)
    await sealLog({ store }, tenantId)
    deepEqual(await eventsOf(store, tenantId), more)
    deepEqual(await eventsOf(store, theirs), [])
  })

  test('overview: a row that stands for many counts as many, and whatever else is written there as one', async () => {
    const { store } = await open()
    const tenantId = newId<TenantId>()
    const summaries = [{ summarised: 80 }, { summarised: '9' }, { summarised: -5 }, { summarised: 1.9 }, {}]
    for (const metadata of [...summaries, undefined]) {
      await store.audit.append([
        auditRow({ tenantId, action: 'AUTH_REFRESH_FAILED', outcome: 'FAIL', ...(metadata && { metadata }) }, FROM),
      ])
    }
    const expected = [counted(0, 'AUTH_REFRESH_FAILED', { outcome: 'FAIL', count: 85 })]
    deepEqual(await eventsOf(store, tenantId), expected)
    await sealLog({ store }, tenantId)
    deepEqual(await eventsOf(store, tenantId), expected)
    await store.audit.append([auditRow({ tenantId, action: 'AUTH_LOGIN', metadata: { summarised: 1e300 } }, FROM)])
    await sealLog({ store }, tenantId)
    equal((await eventsOf(store, tenantId)).length, 2)
  })

  test('overview: signals count by what was done with the request, in their own tenant alone', async () => {
    const { store } = await open()
    const [tenantId, theirs] = [newId<TenantId>(), newId<TenantId>()]
    const write = (action: AuditEvent['action'], metadata: NonNullable<AuditEvent['metadata']>) =>
      store.audit.append([auditRow({ tenantId, action, metadata }, FROM)])
    await write('AUTH_LOGIN', { reasons: ['NEW_DEVICE'] })
    await write('AUTH_TOKEN_REFRESH', { reasons: ['NEW_DEVICE', 'NEW_CITY'] })
    await write('STEP_UP_REQUIRED', { reasons: ['NEW_DEVICE'] })
    await write('STEP_UP_REQUIRED', { reasons: ['NEW_DEVICE'], waiting: true })
    await write('SUSPICIOUS_LOGIN_DETECTED', { reasons: ['NEW_DEVICE'] })
    await write('AUTH_LOGIN', { reasons: 'NEW_DEVICE' })
    await write('SESSION_REVOKED', { reasons: ['NEW_DEVICE'] })
    const expected: readonly SignalCount[] = [
      { signal: 'NEW_CITY', decision: 'pass', count: 1 },
      { signal: 'NEW_DEVICE', decision: 'block', count: 1 },
      { signal: 'NEW_DEVICE', decision: 'pass', count: 2 },
      { signal: 'NEW_DEVICE', decision: 'step_up', count: 1 },
    ]
    deepEqual(await signalsOf(store, tenantId), expected)
    await sealLog({ store }, tenantId)
    deepEqual(await signalsOf(store, tenantId), expected)
    deepEqual(await signalsOf(store, theirs), [])
    deepEqual(await store.overview.signals({ tenantId, from: TO, to: new Date(TO.getTime() + HOUR) }), [])
  })

  test('overview: whatever stands in a row, it can be counted, and so sealed', async () => {
    const { store } = await open()
    const tenantId = newId<TenantId>()
    const odd = [
      { reasons: [null, 5, {}, ['x'], 'x'.repeat(500)] },
      { reasons: {}, waiting: 'yes', purpose: 7, summarised: null },
      { purpose: 'p'.repeat(500), factor: {}, at: [], replayed: null },
    ]
    const actions = [
      'AUTH_LOGIN',
      'AUTH_TOKEN_REFRESH',
      'STEP_UP_REQUIRED',
      'STEP_UP_VERIFIED',
      'SUSPICIOUS_LOGIN_DETECTED',
    ] as const
    const rows = actions.flatMap((action) =>
      odd.map((metadata) =>
        auditRow({ tenantId, action, outcome: 'FAIL', failureReason: '\u2028'.repeat(200), metadata }, FROM),
      ),
    )
    await store.audit.append(rows)
    const before = await eventsOf(store, tenantId)
    await sealLog({ store }, tenantId)
    deepEqual(await eventsOf(store, tenantId), before)
    equal(
      before.reduce((sum, { count }) => sum + count, 0),
      rows.length,
    )
  })

  test('overview: sessions of a period, how many began, ended and were open before it, in their own tenant alone', async () => {
    const harness = await open()
    const { store, clock } = harness
    const member = await harness.member()
    const stranger = await harness.member()
    const begin = Date.now() + clock.offsetMs
    const from = new Date(Math.ceil(begin / HOUR) * HOUR + HOUR)
    const period = {
      from,
      to: new Date(from.getTime() + 6 * HOUR),
      stepMs: 2 * HOUR,
      idleMs: 3 * DAY,
      maxSessionLifeMs: 30 * DAY,
      lookBackMs: 30 * DAY,
    }
    const at = (ms: number) => from.getTime() + ms - begin
    const place = { country: 'DE', city: 'Berlin', latitude: null, longitude: null }
    // One before, that ends in the second step; one in the first, that lives on; one in the third, that ends in it.
    const early = await signIn(harness, member, { place })
    const end = (sessionId: typeof early.session.id) =>
      store.sessions.end(
        { of: 'session', tenantId: member.tenantId, sessionId },
        { reason: 'manual', bumpVersion: false },
        () => [],
      )
    const other = await later(harness, at(HOUR), () => signIn(harness, member, { userAgent: 'other/1' }))
    await later(harness, at(3 * HOUR), () => end(early.session.id))
    const late = await later(harness, at(4.5 * HOUR), () => signIn(harness, member, { place }))
    await later(harness, at(5 * HOUR), () => end(late.session.id))
    await later(harness, at(HOUR), () => signIn(harness, stranger))
    const figures = await later(harness, at(7 * HOUR), () =>
      store.overview.sessions({ tenantId: member.tenantId, ...period }),
    )
    equal(figures.openBefore, 1)
    deepEqual(figures.steps, [
      { step: 0, began: 1, ended: 0 },
      { step: 1, began: 0, ended: 1 },
      { step: 2, began: 1, ended: 1 },
    ])
    deepEqual(
      figures.places.map(({ country, city, sessions, users }) => [country, city, sessions, users]),
      [
        ['DE', 'Berlin', 2, 1],
        [null, null, 1, 1],
      ],
    )
    ok(figures.places[0]?.lastSeenAt instanceof Date)
    deepEqual(figures.agents, [
      { userAgent: 'contract/1', sessions: 2 },
      { userAgent: 'other/1', sessions: 1 },
    ])
    // In the middle of the period nothing has ended that will.
    const meanwhile = await later(harness, at(2.5 * HOUR), () =>
      store.overview.sessions({ tenantId: member.tenantId, ...period }),
    )
    equal(
      meanwhile.steps.reduce((sum, { ended }) => sum + ended, 0),
      0,
    )
    // Unused, each is over three hours after it was last seen.
    const idle = await later(harness, at(7 * HOUR), () =>
      store.overview.sessions({ tenantId: member.tenantId, ...period, idleMs: 3 * HOUR }),
    )
    deepEqual(
      idle.steps.find(({ step }) => step === 2),
      { step: 2, began: 1, ended: 2 },
    )
    // By a limit that was tightened since each is over too, but none before it was last seen.
    const tightened = await later(harness, at(7 * HOUR), async () => {
      await store.sessions.touch([
        { tenantId: member.tenantId, sessionId: other.session.id, at: new Date(from.getTime() + 5 * HOUR) },
      ])
      return store.overview.sessions({ tenantId: member.tenantId, ...period, maxSessionLifeMs: 2.5 * HOUR })
    })
    deepEqual(
      tightened.steps.find(({ step }) => step === 2),
      { step: 2, began: 1, ended: 2 },
    )
  })

  test('overview: what is live now, in its own tenant alone', async () => {
    const harness = await open()
    const { store } = harness
    const member = await harness.member()
    const colleague = await harness.member({ tenantId: member.tenantId })
    const live = (idleMs = 3 * DAY, maxSessionLifeMs = 30 * DAY) =>
      store.overview.live({ tenantId: member.tenantId, idleMs, maxSessionLifeMs })
    deepEqual(await live(), { sessions: 0, users: 0, impersonations: 0 })
    const first = await signIn(harness, member)
    await signIn(harness, member)
    await signIn(harness, colleague)
    await signIn(harness, await harness.member())
    deepEqual(await live(), { sessions: 3, users: 2, impersonations: 0 })
    await store.sessions.end(
      { of: 'session', tenantId: member.tenantId, sessionId: first.session.id },
      { reason: 'manual', bumpVersion: false },
      () => [],
    )
    deepEqual(await live(), { sessions: 2, users: 2, impersonations: 0 })
    await later(harness, HOUR, async () => deepEqual((await live(HOUR / 2)).sessions, 0))
    await later(harness, HOUR, async () => deepEqual((await live(DAY, HOUR / 2)).sessions, 0))
    await later(harness, 31 * DAY, async () => deepEqual((await live(60 * DAY)).sessions, 0))
    await harness.raiseVersion(colleague)
    deepEqual(await live(), { sessions: 1, users: 1, impersonations: 0 })
    await harness.disable('staff', member)
    deepEqual(await live(), { sessions: 0, users: 0, impersonations: 0 })
  })

  breaksCleanly(runner, open, 'seal and count', async ({ store }) => {
    const tenantId = newId<TenantId>()
    const rows = [0, 1, 2].map(() =>
      auditRow({ tenantId, action: 'AUTH_LOGIN', metadata: { reasons: ['NEW_CITY'] } }, FROM),
    )
    await store.audit.append(rows)
    return {
      write: ({ ledger }) => sealLog({ store: { ledger } }, tenantId),
      happened: async () => {
        deepEqual(await eventsOf(store, tenantId), [counted(0, 'AUTH_LOGIN', { count: 3 })])
        deepEqual(await signalsOf(store, tenantId), [{ signal: 'NEW_CITY', decision: 'pass', count: 3 }])
        const sealed = await store.ledger.sealsOf(
          tenantId,
          rows.map(({ id }) => id),
        )
        ok(sealed.size === 0 || sealed.size === 3, `${sealed.size} of 3`)
        return sealed.size === 3
      },
    }
  })
}

function counted(step: number, action: string, given: Partial<EventCount> = {}): EventCount {
  return { step, action, outcome: 'SUCCESS', reason: '', detail: '', count: 1, ...given }
}

async function eventsOf({ overview }: StoreHarness['store'], tenantId: TenantId): Promise<readonly EventCount[]> {
  const events = await overview.events({ tenantId, ...STEPS })
  return [...events].sort((a, b) => a.step - b.step || (a.action < b.action ? -1 : 1))
}

async function signalsOf({ overview }: StoreHarness['store'], tenantId: TenantId): Promise<readonly SignalCount[]> {
  const signals = await overview.signals({ tenantId, from: FROM, to: TO })
  return [...signals].sort((a, b) => (`${a.signal} ${a.decision}` < `${b.signal} ${b.decision}` ? -1 : 1))
}
