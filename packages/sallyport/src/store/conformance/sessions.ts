/**
 * What every implementation of the port of sessions must pass.
 *
 * @module
 */

import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import type { SessionId, StaffId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { EndOptions, EndScope } from '../contract/ended-sessions.ts'
import type { LiveLimits, SessionQuery } from '../contract/sessions.ts'
import type { MemberIds, OpenHarness, Runner, SignedIn, StoreHarness } from './harness.ts'
import {
  breaksCleanly,
  changesOf,
  DAY,
  factsOf,
  later,
  Marked,
  needsItsAudit,
  newSession,
  newToken,
  signIn,
} from './harness.ts'

const HOUR = 3_600_000
const FORCED: EndOptions = { reason: 'force_logout', bumpVersion: true }
const MANUAL: EndOptions = { reason: 'manual', bumpVersion: false }

/** Registers the cases. */
export function sessionStoreContract(runner: Runner, open: OpenHarness): void {
  creating(runner, open)
  readingLive(runner, open)
  tightened(runner, open)
  listing(runner, open)
  touching(runner, open)
  endingSessions(runner, open)
}

function creating(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('create: a session is stored with its family and first token, at the staff’s version', async () => {
    const harness = await open()
    const member = await harness.member()
    await harness.raiseVersion(member)
    const session = newSession(member, { delivery: 'cookie', amr: ['pwd', 'otp'] })
    const mark = new Marked(member.tenantId)
    const creation = await harness.store.sessions.create(session, mark.of)
    ok(creation.kind === 'created')
    const row = creation.session
    deepEqual([row.id, row.kind, row.delivery, row.sessionVersion], [session.id, 'login', 'cookie', 2])
    deepEqual([row.amr, row.ipAddress, row.userAgent], [['pwd', 'otp'], '192.0.2.7', 'contract/1'])
    equal(row.expiresAt.getTime() - row.createdAt.getTime(), session.lifeMs)
    deepEqual([row.lastSeenAt, row.authTime], [row.createdAt, row.createdAt])
    const { token, family } = await factsOf(harness, member.tenantId, session.token)
    deepEqual([token.generation, family.sessionStartedAt, family.id], [0, row.createdAt, session.familyId])
    equal(await mark.written(harness), 1)
  })

  for (const what of ['staff', 'user', 'tenant'] as const) {
    test(`create: undefined, and nothing written, when the ${what} is disabled`, async () => {
      const harness = await open()
      const member = await harness.member()
      await harness.disable(what, member)
      await isRefused(harness, member)
    })
  }

  test('create: undefined, and nothing written, for a member of another tenant or another user', async () => {
    const harness = await open()
    const member = await harness.member()
    const stranger = await harness.member()
    await isRefused(harness, { ...member, tenantId: stranger.tenantId })
    await isRefused(harness, { ...member, userId: stranger.userId })
    await isRefused(harness, { ...member, staffId: newId<StaffId>() })
  })

  test('create: a session that is created beside a force logout is ended by it, or refused by its version, or after it', async () => {
    const harness = await open()
    for (let round = 0; round < 10; round++) {
      const member = await harness.member()
      const session = newSession(member)
      const scope = { of: 'staff', tenantId: member.tenantId, staffId: member.staffId } as const
      const [row, ended] = await Promise.all([
        harness.store.sessions.create(session, () => []),
        harness.store.sessions.end(scope, FORCED, () => []),
      ])
      const live = await harness.store.sessions.live(member.tenantId, session.id)
      ok(row && live && ended)
      const wasEnded = ended.sessions.some(({ sessionId }) => sessionId === session.id)
      equal(live.facts.revokedAt !== null, wasEnded)
      equal(live.facts.staff.sessionVersion, 2)
      if (!wasEnded) ok(live.facts.sessionVersion === 1 || live.facts.sessionVersion === 2)
    }
  })

  breaksCleanly(runner, open, 'create', async (harness) => {
    const member = await harness.member()
    const session = newSession(member)
    const mark = new Marked(member.tenantId)
    return {
      mark,
      write: ({ sessions }) => sessions.create(session, mark.of),
      happened: async () => {
        const row = await harness.store.sessions.find(member.tenantId, session.id)
        const facts = await harness.store.tokens.facts(member.tenantId, session.token.tokenHash)
        equal(row === undefined, facts === undefined, 'a session without its token, or a token without its session')
        return row !== undefined
      },
    }
  })

  needsItsAudit(runner, open, 'create', async (harness) => {
    const member = await harness.member()
    const session = newSession(member)
    return {
      write: (audit) => harness.store.sessions.create(session, audit),
      happened: async () => (await harness.store.sessions.find(member.tenantId, session.id)) !== undefined,
    }
  })
}

function tightened({ test }: Runner, open: OpenHarness): void {
  const LIMITS = { idleMs: DAY, maxSessionLifeMs: 30 * DAY } as const
  const tighter = [
    ['older than the absolute limit', { ...LIMITS, maxSessionLifeMs: HOUR }],
    ['not seen for the idle limit', { ...LIMITS, idleMs: HOUR }],
  ] as const

  for (const [what, limits] of tighter) {
    test(`limits: a session ${what} of now takes up no place`, async () => {
      const harness = await open()
      const member = await harness.member()
      await signIn(harness, member)
      const create = async (by: LiveLimits, evict: boolean) => {
        const cap = { max: 1, evict, graceMs: 0 }
        const session = newSession(member, { limits: { ...by, rapid: undefined, cap } })
        return harness.store.sessions.create(session, () => [])
      }
      await later(harness, 2 * HOUR, async () => {
        equal((await create(LIMITS, false)).kind, 'over-cap')
        const made = await create(limits, true)
        // It is over and makes no room: there was room.
        equal(made.kind === 'created' && made.evicted.sessions.length, 0)
      })
    })
  }
}

function readingLive({ test }: Runner, open: OpenHarness): void {
  test('live: tells the staff’s current version and not the copy on the session', async () => {
    const harness = await open()
    const { tenantId, userId, staffId, session } = await signIn(harness)
    await harness.raiseVersion({ tenantId, userId, staffId })
    const live = await harness.store.sessions.live(tenantId, session.id)
    deepEqual([live?.facts.sessionVersion, live?.facts.staff.sessionVersion], [1, 2])
    deepEqual([live?.facts.staff.role, live?.facts.staff.permissions], ['owner', []])
  })

  test('live: tells of a wait, and of who was disabled', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    await harness.hold(owner.session.id)
    for (const what of ['staff', 'user', 'tenant'] as const) await harness.disable(what, owner)
    const facts = (await harness.store.sessions.live(owner.tenantId, owner.session.id))?.facts
    notEqual(facts?.stepUpRequiredAt, null)
    deepEqual([facts?.staff.status, facts?.user.disabled, facts?.tenant.disabled], ['disabled', true, true])
  })

  test('live: tells the newest generation that was confirmed', async () => {
    const harness = await open()
    const { tenantId, session, mark } = await signIn(harness)
    const confirmed = async () => (await harness.store.sessions.live(tenantId, session.id))?.facts.confirmedGeneration
    equal(await confirmed(), -1)
    await harness.store.tokens.confirm([{ tenantId, sessionId: session.id, generation: 0 }])
    equal(await confirmed(), 0)
    await harness.store.tokens.rotate({
      tenantId,
      familyId: session.familyId,
      parentId: session.token.id,
      generation: 0,
      successor: newToken(),
      ttlMs: DAY,
      audit: mark.row(),
    })
    equal(await confirmed(), 0)
    await harness.store.tokens.confirm([{ tenantId, sessionId: session.id, generation: 1 }])
    equal(await confirmed(), 1)
  })

  test('live and find: a session of another tenant is undefined, as an unknown one is', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const stranger = await harness.member()
    const { sessions } = harness.store
    equal(await sessions.live(stranger.tenantId, session.id), undefined)
    equal(await sessions.find(stranger.tenantId, session.id), undefined)
    equal(await sessions.live(tenantId, newId<SessionId>()), undefined)
    equal(await sessions.find(tenantId, newId<SessionId>()), undefined)
    equal((await sessions.find(tenantId, session.id))?.id, session.id)
  })

  test('live: now is the database clock with the shift of the test clock', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const read = async () => (await harness.store.sessions.live(tenantId, session.id))?.now.getTime() ?? 0
    const passed = -(await read()) + (await later(harness, DAY, read))
    ok(passed >= DAY && passed < DAY + 60_000)
  })
}

function listing({ test }: Runner, open: OpenHarness): void {
  test('list: newest seen first, a page at a time, without gaps or repeats', async () => {
    const harness = await open()
    const member = await harness.member()
    const people: SignedIn[] = []
    for (let index = 0; index < 5; index++) people.push(await signIn(harness, member))
    const { tenantId, userId } = member
    const [first] = people
    ok(first)
    await later(harness, HOUR, async () => {
      const now = (await harness.store.sessions.live(tenantId, first.session.id))?.now
      ok(now)
      await harness.store.sessions.touch([{ tenantId, sessionId: first.session.id, at: now }])
      const query = { tenantId, userId, state: 'active', idleMs: DAY, maxSessionLifeMs: 30 * DAY, limit: 2 } as const
      const seen: SessionId[] = []
      let after: SessionQuery['after']
      for (;;) {
        const rows = await harness.store.sessions.list({ ...query, after })
        ok(rows.length <= 2)
        seen.push(...rows.map(({ id }) => id))
        after = rows.at(-1)
        if (after === undefined) break
      }
      equal(seen[0], first.session.id)
      deepEqual([...seen].sort(), people.map(({ session }) => session.id).sort())
    })
  })

  test('list: what is over is not active: revoked, past its end, and beyond either limit, whatever it was made with', async () => {
    const harness = await open()
    const member = await harness.member()
    const live = await signIn(harness, member)
    const revoked = await signIn(harness, member)
    const short = await signIn(harness, member, { lifeMs: HOUR })
    const { tenantId, userId } = member
    await harness.store.sessions.end({ of: 'session', tenantId, sessionId: revoked.session.id }, MANUAL, () => [])
    const ids = async (state: SessionQuery['state'], idleMs = DAY, maxSessionLifeMs = 30 * DAY) =>
      (await harness.store.sessions.list({ tenantId, userId, state, idleMs, maxSessionLifeMs, limit: 50 }))
        .map(({ id }) => id)
        .sort()
    await later(harness, 2 * HOUR, async () => {
      deepEqual(await ids('active'), [live.session.id])
      deepEqual(await ids('ended'), [revoked.session.id, short.session.id].sort())
      equal((await ids('all')).length, 3)
      deepEqual(await ids('active', HOUR), [])
      equal((await ids('ended', HOUR)).length, 3)
      deepEqual(await ids('active', DAY, HOUR), [])
      equal((await ids('ended', DAY, HOUR)).length, 3)
    })
  })

  test('list: another tenant lists none of them, nor does another user', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    const query = { state: 'all', idleMs: DAY, maxSessionLifeMs: 30 * DAY, limit: 50 } as const
    const { list } = harness.store.sessions
    deepEqual(await list({ ...query, tenantId: stranger.tenantId, userId: owner.userId }), [])
    deepEqual(await list({ ...query, tenantId: owner.tenantId, userId: stranger.userId }), [])
  })
}

function touching({ test }: Runner, open: OpenHarness): void {
  test('touch: moves forward and never backwards, in one batch', async () => {
    const harness = await open()
    const [one, two] = [await signIn(harness), await signIn(harness)]
    const at = async ({ tenantId, session }: SignedIn) =>
      (await harness.store.sessions.find(tenantId, session.id))?.lastSeenAt.getTime() ?? 0
    const started = [await at(one), await at(two)]
    const seen = (who: SignedIn, ms: number) => ({
      tenantId: who.tenantId,
      sessionId: who.session.id,
      at: new Date(ms),
    })
    const [first = 0, second = 0] = started
    await harness.store.sessions.touch([seen(one, first + HOUR), seen(two, second - HOUR)])
    deepEqual([await at(one), await at(two)], [first + HOUR, second])
    await harness.store.sessions.touch([seen(one, first + 1)])
    equal(await at(one), first + HOUR)
    await harness.store.sessions.touch([])
  })

  test('touch: another tenant’s session, and one that has ended, stay as they are', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const stranger = await harness.member()
    const { sessions } = harness.store
    const before = await sessions.find(tenantId, session.id)
    const at = new Date((before?.lastSeenAt.getTime() ?? 0) + HOUR)
    await sessions.touch([{ tenantId: stranger.tenantId, sessionId: session.id, at }])
    deepEqual(await sessions.find(tenantId, session.id), before)
    await sessions.end({ of: 'session', tenantId, sessionId: session.id }, MANUAL, () => [])
    await sessions.touch([{ tenantId, sessionId: session.id, at }])
    deepEqual((await sessions.find(tenantId, session.id))?.lastSeenAt, before?.lastSeenAt)
  })

  test('touch: writes nothing to the feed', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    await harness.store.sessions.touch([{ tenantId, sessionId: session.id, at: new Date(Date.now() + HOUR) }])
    deepEqual(await changesOf(harness, session.id), [])
  })
}

function endingSessions(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('end: a session ends with its family and tokens, and the feed tells it', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const sibling = await signIn(harness, owner)
    const ended = await endOne(harness, owner, MANUAL)
    const { tenantId, userId, staffId, session } = owner
    deepEqual(ended, {
      sessions: [{ tenantId, sessionId: session.id, userId, staffId, kind: 'login', realUserId: null }],
      versions: [],
    })
    equal(await isEnded(harness, owner), 'manual')
    equal(await isEnded(harness, sibling), undefined)
    deepEqual(await changesOf(harness, session.id), ['session'])
    equal(await owner.mark.written(harness), 1)
  })

  test('end: what had ended stays as it was, and is not in the result', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    await endOne(harness, owner, MANUAL)
    const again = await endOne(harness, owner, { reason: 'logout', bumpVersion: false })
    deepEqual(again, { sessions: [], versions: [] })
    equal(await isEnded(harness, owner), 'manual')
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('end: undefined, and nothing recorded, for what is not in the tenant', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    const { tenantId } = stranger
    const { session, staffId, mark } = owner
    const scopes: EndScope[] = [
      { of: 'session', tenantId, sessionId: session.id },
      { of: 'session', tenantId: owner.tenantId, sessionId: newId<SessionId>() },
      { of: 'staff', tenantId, staffId },
      { of: 'staff', tenantId: owner.tenantId, staffId: newId<StaffId>() },
    ]
    for (const scope of scopes) equal(await harness.store.sessions.end(scope, FORCED, mark.of), undefined)
    equal(await isEnded(harness, owner), undefined)
    equal(await mark.written(harness), 0)
  })

  test('end: of a staff member all sessions end, of the others none', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const sibling = await signIn(harness, owner)
    const colleague = await signIn(harness, await harness.member({ tenantId: owner.tenantId }))
    const elsewhere = await signIn(harness, await harness.member({ userId: owner.userId }))
    const ended = await endStaff(harness, owner, FORCED)
    equal(ended?.sessions.length, 2)
    deepEqual(ended?.versions, [{ tenantId: owner.tenantId, staffId: owner.staffId, sessionVersion: 2 }])
    deepEqual(await Promise.all([owner, sibling, colleague, elsewhere].map((who) => isEnded(harness, who))), [
      'force_logout',
      'force_logout',
      undefined,
      undefined,
    ])
    deepEqual(await changesOf(harness, owner.staffId), ['staff'])
  })

  test('end: of a user the sessions of every tenant end, each version raised', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const elsewhere = await signIn(harness, await harness.member({ userId: owner.userId }))
    const other = await signIn(harness)
    const ended = await harness.store.sessions.end({ of: 'user', userId: owner.userId }, FORCED, owner.mark.of)
    equal(ended?.sessions.length, 2)
    deepEqual(ended?.versions.map(({ staffId }) => staffId).sort(), [owner.staffId, elsewhere.staffId].sort())
    deepEqual(await Promise.all([owner, elsewhere, other].map((who) => isEnded(harness, who))), [
      'force_logout',
      'force_logout',
      undefined,
    ])
  })

  test('end: the version is raised even when no session was live', async () => {
    const harness = await open()
    const member = await harness.member()
    const mark = new Marked(member.tenantId)
    const scope = { of: 'staff', tenantId: member.tenantId, staffId: member.staffId } as const
    deepEqual((await harness.store.sessions.end(scope, FORCED, mark.of))?.versions[0]?.sessionVersion, 2)
    deepEqual((await harness.store.sessions.end(scope, FORCED, mark.of))?.versions[0]?.sessionVersion, 3)
    equal(await mark.written(harness), 2)
  })

  test('end: of twenty concurrent force logouts each raises the version by one', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const all = await Promise.all(Array.from({ length: 20 }, () => endStaff(harness, owner, FORCED)))
    const versions = all.map((ended) => ended?.versions[0]?.sessionVersion ?? 0).sort((a, b) => a - b)
    deepEqual(
      versions,
      Array.from({ length: 20 }, (_, index) => index + 2),
    )
    equal(all.filter((ended) => (ended?.sessions.length ?? 0) > 0).length, 1)
  })

  test('end: the excepted session stays, with its family, and keeps up with its staff’s version', async () => {
    const harness = await open()
    const current = await signIn(harness)
    const other = await signIn(harness, current)
    const exceptSessionId = current.session.id
    const others = await endStaff(harness, current, { reason: 'revoke_others', bumpVersion: false, exceptSessionId })
    deepEqual(
      others?.sessions.map(({ sessionId }) => sessionId),
      [other.session.id],
    )
    equal(await isEnded(harness, current), undefined)
    const changed = { reason: 'password_changed', bumpVersion: true, exceptSessionId } as const
    await harness.store.sessions.end({ of: 'user', userId: current.userId }, changed, () => [])
    const live = await harness.store.sessions.live(current.tenantId, current.session.id)
    deepEqual([live?.facts.sessionVersion, live?.facts.staff.sessionVersion], [2, 2])
    equal(await isEnded(harness, current), undefined)
  })

  test('end: who ended it is kept, and no successor survives it', async () => {
    const harness = await open()
    for (let round = 0; round < 10; round++) {
      const owner = await signIn(harness)
      const { tenantId, session, mark } = owner
      const successor = newToken()
      await Promise.all([
        harness.store.tokens.rotate({
          tenantId,
          familyId: session.familyId,
          parentId: session.token.id,
          generation: 0,
          successor,
          ttlMs: DAY,
          audit: mark.row(),
        }),
        endStaff(harness, owner, { ...FORCED, revokedBy: owner.userId }),
      ])
      const next = await harness.store.tokens.facts(tenantId, successor.tokenHash)
      if (next !== undefined) equal(next.token.isRevoked, true)
      notEqual((await factsOf(harness, tenantId, session.token)).family.revokedAt, null)
    }
  })

  breaksCleanly(runner, open, 'end', async (harness) => {
    const owner = await signIn(harness)
    return {
      mark: owner.mark,
      write: (store) => endStaff({ store }, owner, FORCED),
      happened: async () => {
        const live = await harness.store.sessions.live(owner.tenantId, owner.session.id)
        const reason = await isEnded(harness, owner)
        equal(live?.facts.staff.sessionVersion === 2, reason !== undefined, 'a version without its sessions')
        equal((await changesOf(harness, owner.staffId)).length, reason === undefined ? 0 : 1)
        return reason !== undefined
      },
    }
  })

  needsItsAudit(runner, open, 'end', async (harness) => {
    const owner = await signIn(harness)
    const { tenantId, staffId } = owner
    return {
      write: (audit) => harness.store.sessions.end({ of: 'staff', tenantId, staffId }, FORCED, audit),
      happened: async () => (await isEnded(harness, owner)) !== undefined,
    }
  })
}

async function isRefused(harness: StoreHarness, member: MemberIds): Promise<void> {
  const session = newSession(member)
  const mark = new Marked(member.tenantId)
  deepEqual(await harness.store.sessions.create(session, mark.of), { kind: 'not-enabled' })
  equal(await harness.store.sessions.find(member.tenantId, session.id), undefined)
  equal(await harness.store.tokens.facts(member.tenantId, session.token.tokenHash), undefined)
  equal(await mark.written(harness), 0)
}

function endOne({ store }: StoreHarness, { tenantId, session, mark }: SignedIn, options: EndOptions) {
  return store.sessions.end({ of: 'session', tenantId, sessionId: session.id }, options, mark.of)
}

function endStaff({ store }: Pick<StoreHarness, 'store'>, { tenantId, staffId, mark }: SignedIn, options: EndOptions) {
  return store.sessions.end({ of: 'staff', tenantId, staffId }, options, mark.of)
}

/** Why a session has ended, `undefined` while it lives; its family and token MUST say the same. */
async function isEnded(harness: StoreHarness, { tenantId, session }: SignedIn): Promise<string | undefined> {
  const { family, token, session: behind } = await factsOf(harness, tenantId, session.token)
  deepEqual([family.revokeReason, token.revokeReason], [behind?.revokeReason, behind?.revokeReason])
  return behind?.revokeReason ?? undefined
}
