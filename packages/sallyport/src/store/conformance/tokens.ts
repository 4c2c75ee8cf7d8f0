/**
 * What every implementation of the port of refresh tokens must pass.
 *
 * @module
 */

import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { auditRow } from '../../audit/record.ts'
import type { FamilyId, SessionId, TenantId, TokenId, UserId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import type { EndedSessions } from '../contract/ended-sessions.ts'
import type { NewFamily, NewToken, ReliedFacts, Rotation } from '../contract/tokens.ts'
import type { MemberIds, OpenHarness, Runner, SignedIn, StoreHarness } from './harness.ts'
import { breaksCleanly, changesOf, DAY, factsOf, later, Marked, needsItsAudit, newToken, signIn } from './harness.ts'

const TTL_MS = 3 * DAY
const GRACE_MS = DAY
const MANY = 20

/** Registers the cases. */
export function tokenStoreContract(runner: Runner, open: OpenHarness): void {
  readingFacts(runner, open)
  rotating(runner, open)
  containing(runner, open)
  ending(runner, open)
  expiring(runner, open)
  confirming(runner, open)
  outsideSessions(runner, open)
  replacingExpired(runner, open)
}

function readingFacts({ test }: Runner, open: OpenHarness): void {
  test('facts: an unknown token is undefined', async () => {
    const harness = await open()
    const { tenantId } = await harness.member()
    equal(await harness.store.tokens.facts(tenantId, randomBytes(32)), undefined)
  })

  test('facts: a token of another tenant is undefined', async () => {
    const harness = await open()
    const { session } = await signIn(harness)
    const stranger = await harness.member()
    equal(await harness.store.tokens.facts(stranger.tenantId, session.token.tokenHash), undefined)
  })

  test('facts: a first token is told with its family, its session and those behind it', async () => {
    const harness = await open()
    const { tenantId, userId, staffId, session } = await signIn(harness, undefined, {
      binding: { type: 'key', value: 'thumbprint' },
      delivery: 'cookie',
    })
    const facts = await factsOf(harness, tenantId, session.token)
    deepEqual([facts.tenantId, facts.userId], [tenantId, userId])
    const { token, family, successor } = facts
    deepEqual([token.id, token.generation, token.consumedAt, token.isRevoked], [session.token.id, 0, null, false])
    equal(token.expiresAt.getTime() - token.issuedAt.getTime(), session.tokenTtlMs)
    deepEqual(family.binding, { type: 'key', value: 'thumbprint' })
    deepEqual([family.id, family.generation, family.revokedAt], [session.familyId, 0, null])
    equal(successor, null)
    const { session: behind } = facts
    deepEqual([behind?.id, behind?.staffId, behind?.delivery, behind?.amr], [session.id, staffId, 'cookie', ['pwd']])
    deepEqual(behind?.staff, { role: 'owner', sessionVersion: 1, status: 'active' })
    equal(behind?.sessionVersion, 1)
    deepEqual([behind?.user.disabled, behind?.tenant.disabled], [false, false])
  })

  test('facts: many asked for at once are each answered for their own token and tenant', async () => {
    const harness = await open()
    const people = await Promise.all(Array.from({ length: MANY }, () => signIn(harness)))
    const answers = await Promise.all(
      people.map(({ tenantId, session }) => harness.store.tokens.facts(tenantId, session.token.tokenHash)),
    )
    deepEqual(
      answers.map((facts) => facts?.token.id),
      people.map(({ session }) => session.token.id),
    )
  })

  test('facts: now is the database clock with the shift of the test clock', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const before = await factsOf(harness, tenantId, session.token)
    const after = await later(harness, DAY, () => factsOf(harness, tenantId, session.token))
    const passed = after.now.getTime() - before.now.getTime()
    ok(passed >= DAY && passed < DAY + 60_000, `${passed}`)
  })
}

function rotating(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('rotate: the winner consumes the parent, and its successor is the newest of the family', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const rotation = rotationOf(owner)
    equal(await harness.store.tokens.rotate(rotation), 'won')
    const { token, family, successor } = await factsOf(harness, owner.tenantId, owner.session.token)
    notEqual(token.consumedAt, null)
    equal(token.isRevoked, false)
    equal(family.generation, 1)
    deepEqual([successor?.id, successor?.generation, successor?.confirmedAt], [rotation.successor.id, 1, null])
    deepEqual(Buffer.from(successor?.nonce ?? []), Buffer.from(rotation.successor.nonce ?? []))
    deepEqual(Buffer.from(successor?.tokenHash ?? []), Buffer.from(rotation.successor.tokenHash))
    const next = await factsOf(harness, owner.tenantId, rotation.successor)
    equal(next.token.expiresAt.getTime() - next.token.issuedAt.getTime(), TTL_MS)
    deepEqual(next.token.issuedAt, token.consumedAt)
    equal(next.session?.id, owner.session.id)
    deepEqual(next.family.sessionStartedAt, family.sessionStartedAt)
    equal((await harness.token(owner.session.token.id)).replacedByTokenId, rotation.successor.id)
    equal(await owner.mark.written(harness), 1)
  })

  test('rotate: consuming confirms the parent and erases its nonce', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const first = rotationOf(owner)
    await harness.store.tokens.rotate(first)
    const second = { ...rotationOf(owner), parentId: first.successor.id, generation: 1 }
    equal(await harness.store.tokens.rotate(second), 'won')
    const consumed = await harness.token(first.successor.id)
    equal(consumed.nonce, null)
    notEqual(consumed.confirmedAt, null)
  })

  test(`rotate: of ${MANY} concurrent calls for one generation exactly one wins`, async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const rotations = Array.from({ length: MANY }, () => rotationOf(owner))
    const claims = await Promise.all(rotations.map((rotation) => harness.store.tokens.rotate(rotation)))
    equal(claims.filter((claim) => claim === 'won').length, 1)
    equal(claims.filter((claim) => claim === 'lost').length, MANY - 1)
    const { family, successor } = await factsOf(harness, owner.tenantId, owner.session.token)
    equal(family.generation, 1)
    equal(successor?.id, rotations[claims.indexOf('won')]?.successor.id)
    equal(await harness.familySize(owner.session.familyId), 2)
    equal(await owner.mark.written(harness), 1)
  })

  test('rotate: many families at once each get their own successor and audit row', async () => {
    const harness = await open()
    const owners = await Promise.all(Array.from({ length: 2 * MANY }, () => signIn(harness)))
    const rotations = owners.map(rotationOf)
    const claims = await Promise.all(rotations.map((rotation) => harness.store.tokens.rotate(rotation)))
    deepEqual(
      claims,
      owners.map(() => 'won'),
    )
    for (const [index, { tenantId, session, mark }] of owners.entries()) {
      const { successor } = await factsOf(harness, tenantId, session.token)
      equal(successor?.id, rotations[index]?.successor.id)
      equal(await mark.written(harness), 1)
    }
  })

  test('rotate: one that the database refuses takes none of those beside it along', async () => {
    const harness = await open()
    const [owner, other] = [await signIn(harness), await signIn(harness)]
    const rotation = rotationOf(owner)
    const taken = rotationOf(other)
    const outcomes = await Promise.allSettled([
      harness.store.tokens.rotate({ ...rotation, audit: owner.mark.row() }),
      // An id that is taken cannot be written again.
      harness.store.tokens.rotate({ ...taken, successor: { ...taken.successor, id: owner.session.token.id } }),
    ])
    deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'rejected')),
      ['won', 'rejected'],
    )
    equal((await factsOf(harness, other.tenantId, other.session.token)).token.consumedAt, null)
    equal(await other.mark.written(harness), 0)
  })

  test('rotate: the audit row is read back as it was given, to the leaf', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId } = owner
    const row = auditRow(
      {
        tenantId,
        action: 'AUTH_TOKEN_REFRESH',
        userId: owner.userId,
        actorName: 'Ada',
        staffId: owner.staffId,
        sessionId: owner.session.id,
        realUserId: newId(),
        resource: 'auth_refresh',
        resourceId: owner.session.id,
        metadata: { generation: 1, ünïcode: ['"'] },
        country: 'DE',
        city: 'Köln',
        request: { correlationId: 'c-1', ipAddress: '2001:db8::1', userAgent: 'it’s' },
      },
      new Date('2030-01-02T03:04:05.678Z'),
    )
    equal(await harness.store.tokens.rotate({ ...rotationOf(owner), audit: row }), 'won')
    const [read] = await harness.store.audit.page({ tenantId, limit: 1 })
    deepEqual(read, row)
  })

  test('rotate: a repeat of the rotation that won is lost', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    equal(await harness.store.tokens.rotate(rotationOf(owner)), 'won')
    equal(await harness.store.tokens.rotate(rotationOf(owner)), 'lost')
    equal(await harness.familySize(owner.session.familyId), 2)
  })

  test('rotate: another tenant cannot spend the token', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    const mark = new Marked(stranger.tenantId)
    const theirs = { ...rotationOf(owner), tenantId: stranger.tenantId, audit: mark.row() }
    equal(await harness.store.tokens.rotate(theirs), 'lost')
    equal(await mark.written(harness), 0)
    equal(await harness.store.tokens.rotate(rotationOf(owner)), 'won')
  })

  const LOSING: Readonly<Record<string, (harness: StoreHarness, owner: SignedIn) => Promise<unknown>>> = {
    'the family has ended': ({ store }, { tenantId, session }) =>
      store.tokens.endFamily({ tenantId, familyId: session.familyId, reason: 'logout', audit: () => [] }),
    'the token was revoked': ({ store }, { tenantId, session }) =>
      store.tokens.revokeToken({ tenantId, tokenHash: session.token.tokenHash, reason: 'manual', audit: () => [] }),
    'the session was revoked': ({ store }, { tenantId, session }) =>
      store.sessions.end(
        { of: 'session', tenantId, sessionId: session.id },
        { reason: 'manual', bumpVersion: false },
        () => [],
      ),
    'the session waits for a step-up': ({ hold }, { session }) => hold(session.id),
    'the session is of an older version than its staff': ({ raiseVersion }, owner) => raiseVersion(owner),
    'the staff member is disabled': ({ disable }, owner) => disable('staff', owner),
    'the user is disabled': ({ disable }, owner) => disable('user', owner),
    'the tenant is disabled': ({ disable }, owner) => disable('tenant', owner),
  }
  for (const [why, happen] of Object.entries(LOSING)) {
    test(`rotate: lost, and nothing changed, when ${why}`, async () => {
      const harness = await open()
      const owner = await signIn(harness)
      await happen(harness, owner)
      await loses(harness, owner)
    })
  }

  test('rotate: lost, and nothing changed, when the token has expired', async () => {
    const harness = await open()
    const owner = await signIn(harness, undefined, { tokenTtlMs: DAY })
    await later(harness, DAY, () => loses(harness, owner))
  })

  test('rotate: lost, and nothing changed, when the session is past its end', async () => {
    const harness = await open()
    const owner = await signIn(harness, undefined, { lifeMs: DAY, tokenTtlMs: 2 * DAY })
    await later(harness, DAY, () => loses(harness, owner))
  })

  test('rotate: lost when the named parent is not the token of that generation', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    await loses(harness, owner, { parentId: newId<TokenId>() })
    await loses(harness, owner, { generation: 1 })
    const other = await signIn(harness, owner)
    await loses(harness, owner, { parentId: other.session.token.id })
  })

  test('rotate: no successor survives a containment that runs beside it', async () => {
    const harness = await open()
    for (let round = 0; round < 10; round++) {
      const owner = await signIn(harness)
      const rotation = rotationOf(owner)
      await Promise.all([harness.store.tokens.rotate(rotation), containOf(harness, owner, 'family')])
      const next = await harness.store.tokens.facts(owner.tenantId, rotation.successor.tokenHash)
      if (next !== undefined) {
        equal(next.token.isRevoked, true)
        notEqual(next.family.revokedAt, null)
      }
      const parent = next === undefined ? owner.session.token.id : rotation.successor.id
      const generation = next === undefined ? 0 : 1
      equal(await harness.store.tokens.rotate({ ...rotationOf(owner), parentId: parent, generation }), 'lost')
    }
  })

  test('rotate: what it relies on is as it was: it wins', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    equal(await harness.store.tokens.rotate({ ...rotationOf(owner), relied: await reliedOf(harness, owner) }), 'won')
  })

  const OTHERWISE: Readonly<Record<string, Partial<ReliedFacts>>> = {
    'more sessions are live': { liveSessions: 0 },
    'fewer of them are young': { youngSessions: 2 },
    'a sign-in has failed': { recentFailures: 1 },
    'the device is no longer trusted': { deviceTrusted: true },
    'a second factor was given': { lastMfaAt: new Date(0) },
    'the user has another name': { userName: 'Somebody else' },
    'a generation was shared': { sharedGeneration: -2 },
    'a row of generations was shared': { sharedRun: 1 },
  }
  for (const [why, before] of Object.entries(OTHERWISE)) {
    test(`rotate: lost, and nothing changed, when it relies on what is no more: ${why}`, async () => {
      const harness = await open()
      const owner = await signIn(harness)
      await loses(harness, owner, { relied: { ...(await reliedOf(harness, owner)), ...before } })
    })
  }

  test('rotate: lost when a session was begun since what it relies on was read', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const relied = await reliedOf(harness, owner)
    await signIn(harness, owner)
    await loses(harness, owner, { relied })
  })

  test('rotate: one that relies on what is no more takes none of those beside it along', async () => {
    const harness = await open()
    const [owner, other, third] = [await signIn(harness), await signIn(harness), await signIn(harness)]
    const [relied, stale] = [await reliedOf(harness, owner), await reliedOf(harness, other)]
    const claims = await Promise.all([
      harness.store.tokens.rotate({ ...rotationOf(owner), relied }),
      harness.store.tokens.rotate({ ...rotationOf(other), relied: { ...stale, liveSessions: 7 } }),
      harness.store.tokens.rotate(rotationOf(third)),
    ])
    deepEqual(claims, ['won', 'lost', 'won'])
    equal(await other.mark.written(harness), 0)
  })

  breaksCleanly(runner, open, 'rotate', async (harness) => {
    const owner = await signIn(harness)
    const rotation = rotationOf(owner)
    return {
      mark: owner.mark,
      write: ({ tokens }) => tokens.rotate(rotation),
      happened: async () => {
        const { token, family, successor } = await factsOf(harness, owner.tenantId, owner.session.token)
        return whole([token.consumedAt !== null, family.generation === 1, successor?.id === rotation.successor.id])
      },
    }
  })
}

/** What a refresh is told now, as something to rely on. */
async function reliedOf({ store }: StoreHarness, { tenantId, session }: SignedIn): Promise<ReliedFacts> {
  const windows = { device: undefined, idleMs: DAY, maxSessionLifeMs: 30 * DAY, rapidWindowMs: DAY }
  const facts = await store.tokens.facts(tenantId, session.token.tokenHash, windows)
  ok(facts?.session, 'the token has no session')
  const { liveSessions, youngSessions, recentFailures, deviceTrusted, user } = facts.session
  const { sharedGeneration, sharedRun } = facts.family
  const counted = { liveSessions, youngSessions, recentFailures, deviceTrusted }
  return { windows, ...counted, lastMfaAt: user.lastMfaAt, userName: user.name, sharedGeneration, sharedRun }
}

function containing(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('contain: ends the family, every token of it and its session, and marks the replayed token', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const rotation = rotationOf(owner)
    await harness.store.tokens.rotate(rotation)
    const ended = await containOf(harness, owner, 'family')
    deepEqual(
      ended?.sessions.map(({ sessionId }) => sessionId),
      [owner.session.id],
    )
    const { family, token } = await factsOf(harness, owner.tenantId, owner.session.token)
    equal(family.revokeReason, 'reuse_detected')
    // Revoked and consumed are told apart: the replayed one is both.
    deepEqual([token.isRevoked, token.revokeReason, token.consumedAt !== null], [true, 'reuse_detected', true])
    const next = await factsOf(harness, owner.tenantId, rotation.successor)
    deepEqual([next.token.isRevoked, next.session?.revokeReason], [true, 'reuse_detected'])
    notEqual((await harness.token(owner.session.token.id)).suspiciousReuseAt, null)
    equal((await harness.token(rotation.successor.id)).suspiciousReuseAt, null)
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('family: it is kept with its generations, from one on and no more than asked for, to its own tenant alone', async () => {
    const harness = await open()
    const { store } = harness
    const owner = await signIn(harness)
    const { tenantId, userId, staffId, session } = owner
    const rotation = rotationOf(owner)
    await store.tokens.rotate(rotation)
    const of = { tenantId, familyId: session.familyId, fromGeneration: 0, limit: 10 }
    const whole = await store.tokens.family(of)
    deepEqual(
      [whole?.sessionId, whole?.userId, whole?.staffId, whole?.generation, whole?.revokedAt],
      [session.id, userId, staffId, 1, null],
    )
    deepEqual(
      whole?.tokens.map((token) => [token.generation, token.consumedAt !== null, token.ipAddress]),
      [
        [0, true, session.token.ipAddress],
        [1, false, rotation.successor.ipAddress],
      ],
    )
    const generations = async (given: Partial<typeof of>) =>
      (await store.tokens.family({ ...of, ...given }))?.tokens.map(({ generation }) => generation)
    deepEqual(await generations({ fromGeneration: 1 }), [1])
    deepEqual(await generations({ limit: 1 }), [0])
    deepEqual(await generations({ fromGeneration: 9 }), [])
    const stranger = await signIn(harness)
    equal(await store.tokens.family({ ...of, tenantId: stranger.tenantId }), undefined)
    equal(await store.tokens.family({ ...of, familyId: newId() }), undefined)

    deepEqual(await store.tokens.endedFamilies(tenantId, [session.id]), 0)
    await containOf(harness, owner, 'family')
    deepEqual(await store.tokens.endedFamilies(tenantId, [session.id, stranger.session.id]), 1)
    deepEqual(await store.tokens.endedFamilies(stranger.tenantId, [session.id]), 0)
    equal((await store.tokens.family(of))?.revokeReason, 'reuse_detected')
    notEqual((await store.tokens.family(of))?.tokens[0]?.suspiciousReuseAt, null)
  })

  test('contain: a family is contained once, and whoever comes later changes and records nothing', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    equal((await containOf(harness, owner, 'staff'))?.versions[0]?.sessionVersion, 2)
    const again = await signIn(harness, owner)
    equal(await containOf(harness, owner, 'staff'), undefined)
    const { session } = await factsOf(harness, again.tenantId, again.session.token)
    deepEqual([session?.revokedAt, session?.staff.sessionVersion], [null, 2])
    equal(await owner.mark.written(harness), 1)
  })

  test('contain: a family that was logged out is not contained', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session } = owner
    await harness.store.tokens.endFamily({
      tenantId,
      familyId: session.familyId,
      reason: 'logout',
      audit: () => [],
    })
    equal(await containOf(harness, owner, 'user'), undefined)
    const { family, session: behind } = await factsOf(harness, tenantId, session.token)
    deepEqual([family.revokeReason, behind?.staff.sessionVersion], ['logout', 1])
    equal(await owner.mark.written(harness), 0)
  })

  test('contain: of ten concurrent containments of one family one takes effect', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const all = await Promise.all(Array.from({ length: 10 }, () => containOf(harness, owner, 'staff')))
    equal(all.filter((ended) => ended !== undefined).length, 1)
    equal((await factsOf(harness, owner.tenantId, owner.session.token)).session?.staff.sessionVersion, 2)
    equal(await owner.mark.written(harness), 1)
  })

  test('contain: concurrent containments of two families of one member both take effect', async () => {
    const harness = await open()
    const one = await signIn(harness)
    const two = await signIn(harness, one)
    await Promise.all([containOf(harness, one, 'family'), containOf(harness, two, 'family')])
    for (const { tenantId, session } of [one, two]) {
      equal((await factsOf(harness, tenantId, session.token)).family.revokeReason, 'reuse_detected')
    }
  })

  const REACHES: readonly {
    readonly reach: 'family' | 'staff' | 'user'
    readonly ends: readonly ('own' | 'sibling' | 'elsewhere')[]
  }[] = [
    { reach: 'family', ends: ['own'] },
    { reach: 'staff', ends: ['own', 'sibling'] },
    { reach: 'user', ends: ['own', 'sibling', 'elsewhere'] },
  ]
  for (const { reach, ends } of REACHES) {
    test(`contain: at reach "${reach}" these end and no others: ${ends.join(', ')}`, async () => {
      const harness = await open()
      const own = await signIn(harness)
      const people = {
        own,
        sibling: await signIn(harness, own),
        elsewhere: await signIn(harness, await harness.member({ userId: own.userId })),
        colleague: await signIn(harness, await harness.member({ tenantId: own.tenantId })),
      }
      const ended = await containOf(harness, own, reach)
      const names = Object.entries(people)
      const dead = await Promise.all(
        names.map(async ([name, { tenantId, session }]) => {
          const { family, token, session: behind } = await factsOf(harness, tenantId, session.token)
          return whole([family.revokedAt !== null, token.isRevoked, behind?.revokedAt !== null]) ? name : undefined
        }),
      )
      deepEqual(dead.filter(Boolean), ends)
      deepEqual(
        ended?.sessions.map(({ sessionId }) => sessionId).sort(),
        names
          .filter(([name]) => ends.includes(name as 'own'))
          .map(([, { session }]) => session.id)
          .sort(),
      )
      const raised = await Promise.all(
        names.map(async ([, { tenantId, session }]) => {
          const { session: behind } = await factsOf(harness, tenantId, session.token)
          return behind?.staff.sessionVersion
        }),
      )
      const [ownVersion, elsewhereVersion] = reach === 'family' ? [1, 1] : reach === 'staff' ? [2, 1] : [2, 2]
      deepEqual(raised, [ownVersion, ownVersion, elsewhereVersion, 1])
      deepEqual(await changesOf(harness, own.staffId), reach === 'family' ? [] : ['staff'])
    })
  }

  test('contain: another tenant cannot contain the family', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    equal(await containOf(harness, { ...owner, tenantId: stranger.tenantId }, 'user'), undefined)
    equal((await factsOf(harness, owner.tenantId, owner.session.token)).family.revokedAt, null)
    equal(await owner.mark.written(harness), 0)
  })

  breaksCleanly(runner, open, 'contain', async (harness) => {
    const owner = await signIn(harness)
    const sibling = await signIn(harness, owner)
    return {
      mark: owner.mark,
      write: (store) => containOf({ store }, owner, 'staff'),
      happened: async () => {
        const own = await factsOf(harness, owner.tenantId, owner.session.token)
        const other = await factsOf(harness, owner.tenantId, sibling.session.token)
        return whole([
          own.family.revokedAt !== null,
          own.token.isRevoked,
          own.session?.revokedAt !== null,
          own.session?.staff.sessionVersion === 2,
          other.family.revokedAt !== null,
          other.session?.revokedAt !== null,
          (await changesOf(harness, owner.session.id)).length === 1,
          (await changesOf(harness, owner.staffId)).length === 1,
        ])
      },
    }
  })

  needsItsAudit(runner, open, 'contain', async (harness) => {
    const owner = await signIn(harness)
    const { tenantId, session } = owner
    const input = { tenantId, familyId: session.familyId, tokenId: session.token.id, reach: 'staff' } as const
    return {
      write: (audit) => harness.store.tokens.contain({ ...input, reason: 'reuse_detected', audit }),
      happened: async () => (await factsOf(harness, tenantId, session.token)).family.revokedAt !== null,
    }
  })
}

function ending(runner: Runner, open: OpenHarness): void {
  const { test } = runner
  const endOf = (store: Pick<StoreHarness['store'], 'tokens'>, { tenantId, session, mark }: SignedIn) =>
    store.tokens.endFamily({ tenantId, familyId: session.familyId, reason: 'max_session_life', audit: mark.of })

  test('endFamily: ends family, tokens and session, and no other session of the member', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const sibling = await signIn(harness, owner)
    equal(await endOf(harness.store, owner), true)
    const { family, token, session } = await factsOf(harness, owner.tenantId, owner.session.token)
    deepEqual(
      [family.revokeReason, token.revokeReason, session?.revokeReason],
      ['max_session_life', 'max_session_life', 'max_session_life'],
    )
    equal(session?.staff.sessionVersion, 1)
    equal((await factsOf(harness, owner.tenantId, sibling.session.token)).session?.revokedAt, null)
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('endFamily: a repeat resolves to false and changes and records nothing', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const calls = await Promise.all(Array.from({ length: 10 }, () => endOf(harness.store, owner)))
    equal(calls.filter(Boolean).length, 1)
    equal(await owner.mark.written(harness), 1)
  })

  test('endFamily: another tenant cannot end the family', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    equal(await endOf(harness.store, { ...owner, tenantId: stranger.tenantId }), false)
    equal((await factsOf(harness, owner.tenantId, owner.session.token)).family.revokedAt, null)
  })

  breaksCleanly(runner, open, 'endFamily', async (harness) => {
    const owner = await signIn(harness)
    return { mark: owner.mark, write: (store) => endOf(store, owner), happened: () => isOver(harness, owner) }
  })
}

function expiring(runner: Runner, open: OpenHarness): void {
  const { test } = runner
  const expireOf = (store: Pick<StoreHarness['store'], 'tokens'>, { tenantId, session, mark }: SignedIn) =>
    store.tokens.expire({ tenantId, familyId: session.familyId, tokenId: session.token.id, audit: mark.of })
  const endedOf = async (work: Promise<EndedSessions | undefined>) =>
    (await work)?.sessions.map(({ sessionId }) => sessionId)

  test('expire: ends the family of an expired token, every token of it and its session', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    deepEqual(await later(harness, TTL_MS, () => endedOf(expireOf(harness.store, owner))), [owner.session.id])
    const { token, family, session } = await factsOf(harness, owner.tenantId, owner.session.token)
    deepEqual(
      [token.revokeReason, family.revokeReason, session?.revokeReason],
      ['session_expired', 'session_expired', 'session_expired'],
    )
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('expire: of ten concurrent calls one ends the family', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const ended = await later(harness, TTL_MS, () =>
      Promise.all(Array.from({ length: 10 }, () => endedOf(expireOf(harness.store, owner)))),
    )
    deepEqual(
      ended.filter((sessions) => sessions !== undefined),
      [[owner.session.id]],
    )
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('expire: a repeat changes nothing', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    await later(harness, TTL_MS, () => expireOf(harness.store, owner))
    equal(await later(harness, TTL_MS, () => expireOf(harness.store, owner)), undefined)
    deepEqual(await changesOf(harness, owner.session.id), ['session'])
  })

  test('expire: a token that has not expired, and one that was consumed, stay as they are', async () => {
    const harness = await open()
    const fresh = await signIn(harness)
    equal(await later(harness, TTL_MS - 60_000, () => expireOf(harness.store, fresh)), undefined)
    const spent = await signIn(harness)
    await harness.store.tokens.rotate(rotationOf(spent))
    equal(await later(harness, TTL_MS, () => expireOf(harness.store, spent)), undefined)
    for (const { tenantId, session } of [fresh, spent]) {
      const facts = await factsOf(harness, tenantId, session.token)
      deepEqual([facts.token.isRevoked, facts.family.revokedAt, facts.session?.revokedAt], [false, null, null])
    }
  })

  test('expire: another tenant cannot expire the token', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const stranger = await harness.member()
    const theirs = { ...owner, tenantId: stranger.tenantId, mark: new Marked(stranger.tenantId) }
    equal(await later(harness, TTL_MS, () => expireOf(harness.store, theirs)), undefined)
    equal((await factsOf(harness, owner.tenantId, owner.session.token)).token.isRevoked, false)
  })

  breaksCleanly(runner, open, 'expire', async (harness) => {
    const owner = await signIn(harness, undefined, { tokenTtlMs: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    return {
      mark: owner.mark,
      write: (store) => expireOf(store, owner),
      happened: async () => {
        const { token, family, session } = await factsOf(harness, owner.tenantId, owner.session.token)
        const told = (await changesOf(harness, owner.session.id)).length === 1
        return whole([token.isRevoked, family.revokedAt !== null, session?.revokedAt !== null, told])
      },
    }
  })
}

function confirming({ test }: Runner, open: OpenHarness): void {
  test('confirm: marks the token of that generation, once', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const seen = [{ tenantId, sessionId: session.id, generation: 0 }]
    await harness.store.tokens.confirm(seen)
    const { confirmedAt } = await harness.token(session.token.id)
    notEqual(confirmedAt, null)
    await later(harness, DAY, () => harness.store.tokens.confirm(seen))
    deepEqual((await harness.token(session.token.id)).confirmedAt, confirmedAt)
  })

  test('confirm: a generation that is not there, another tenant, and an empty batch change nothing', async () => {
    const harness = await open()
    const { tenantId, session } = await signIn(harness)
    const stranger = await harness.member()
    await harness.store.tokens.confirm([])
    await harness.store.tokens.confirm([
      { tenantId, sessionId: session.id, generation: 1 },
      { tenantId, sessionId: newId<SessionId>(), generation: 0 },
      { tenantId: stranger.tenantId, sessionId: session.id, generation: 0 },
    ])
    equal((await harness.token(session.token.id)).confirmedAt, null)
  })
}

function outsideSessions(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('insertFamily: a family of a host’s own session has no session, and rotates', async () => {
    const harness = await open()
    const startedAt = new Date('2030-01-02T03:04:05.678Z')
    const family = familyOf(await harness.member(), { sessionStartedAt: startedAt })
    const { issuedAt, expiresAt } = await harness.store.tokens.insertFamily(family)
    equal(expiresAt.getTime() - issuedAt.getTime(), family.ttlMs)
    const facts = await factsOf(harness, family.tenantId, family.token)
    deepEqual([facts.session, facts.family.sessionStartedAt], [null, startedAt])
    deepEqual([facts.token.issuedAt, facts.token.expiresAt], [issuedAt, expiresAt])
    const mark = new Marked(family.tenantId)
    equal(await harness.store.tokens.rotate(rotationOfFamily(family, mark)), 'won')
  })

  test('revokeToken: revokes that token once, and leaves its family and its row', async () => {
    const harness = await open()
    const { tenantId, session, mark } = await signIn(harness)
    const input = { tenantId, tokenHash: session.token.tokenHash, reason: 'manual', audit: mark.of } as const
    const calls = await Promise.all(Array.from({ length: 10 }, () => harness.store.tokens.revokeToken(input)))
    equal(calls.filter(Boolean).length, 1)
    const { token, family } = await factsOf(harness, tenantId, session.token)
    deepEqual([token.isRevoked, token.revokeReason, token.consumedAt], [true, 'manual', null])
    equal(family.revokedAt, null)
    equal(await mark.written(harness), 1)
  })

  test('revokeToken: a consumed token stays one, so that its replay is recognised', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session, mark } = owner
    await harness.store.tokens.rotate({ ...rotationOf(owner), audit: new Marked(tenantId).row() })
    await harness.store.tokens.revokeToken({
      tenantId,
      tokenHash: session.token.tokenHash,
      reason: 'manual',
      audit: mark.of,
    })
    notEqual((await factsOf(harness, tenantId, session.token)).token.consumedAt, null)
  })

  test('revokeToken: another tenant cannot revoke the token', async () => {
    const harness = await open()
    const { tenantId, session, mark } = await signIn(harness)
    const stranger = await harness.member()
    const input = { tenantId: stranger.tenantId, tokenHash: session.token.tokenHash } as const
    equal(await harness.store.tokens.revokeToken({ ...input, reason: 'manual', audit: mark.of }), false)
    equal((await factsOf(harness, tenantId, session.token)).token.isRevoked, false)
  })

  test('revokeAllOfUser: ends every family of the user in every tenant, with the sessions behind them', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const elsewhere = await signIn(harness, await harness.member({ userId: owner.userId }))
    const hosted = familyOf(owner)
    await harness.store.tokens.insertFamily(hosted)
    const colleague = await signIn(harness, await harness.member({ tenantId: owner.tenantId }))
    const ended = await revokeAll(harness.store, owner.userId, new Marked(null))
    equal(ended.families, 3)
    equal(ended.sessions.length, 2)
    equal(await isOver(harness, owner), true)
    equal(await isOver(harness, elsewhere), true)
    notEqual((await factsOf(harness, hosted.tenantId, hosted.token)).family.revokedAt, null)
    equal(await isOver(harness, colleague), false)
    equal((await revokeAll(harness.store, owner.userId, new Marked(null))).families, 0)
  })

  test('revokeAllOfUser: a host’s user who is no member of the directory loses their families too', async () => {
    const harness = await open()
    const { tenantId, staffId } = await harness.member()
    const family = familyOf({ tenantId, staffId, userId: newId<UserId>() })
    await harness.store.tokens.insertFamily(family)
    equal((await revokeAll(harness.store, family.userId, new Marked(null))).families, 1)
    notEqual((await factsOf(harness, tenantId, family.token)).family.revokedAt, null)
  })

  breaksCleanly(runner, open, 'insertFamily', async (harness) => {
    const family = familyOf(await harness.member())
    return {
      write: ({ tokens }) => tokens.insertFamily(family),
      happened: async () => (await harness.store.tokens.facts(family.tenantId, family.token.tokenHash)) !== undefined,
    }
  })

  breaksCleanly(runner, open, 'revokeToken', async (harness) => {
    const { tenantId, session, mark } = await signIn(harness)
    const input = { tenantId, tokenHash: session.token.tokenHash, reason: 'manual', audit: mark.of } as const
    return {
      mark,
      write: ({ tokens }) => tokens.revokeToken(input),
      happened: async () => (await factsOf(harness, tenantId, session.token)).token.isRevoked,
    }
  })

  breaksCleanly(runner, open, 'revokeAllOfUser', async (harness) => {
    const owner = await signIn(harness)
    return {
      mark: owner.mark,
      write: (store) => revokeAll(store, owner.userId, owner.mark),
      happened: () => isOver(harness, owner),
    }
  })
}

function replacingExpired(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('replaceExpired: of ten concurrent calls one replaces the token, as the next generation', async () => {
    const harness = await open()
    const { family, replace, mark } = await ranOut(harness)
    const results = await later(harness, TTL_MS, () =>
      Promise.all(Array.from({ length: 10 }, () => replace(harness.store))),
    )
    equal(results.filter((result) => result !== undefined).length, 1)
    const { token, family: after, successor } = await factsOf(harness, family.tenantId, family.token)
    notEqual(token.consumedAt, null)
    deepEqual([after.generation, successor?.generation, successor?.consumedAt], [1, 1, null])
    equal(await harness.familySize(family.familyId), 2)
    equal((await harness.token(family.token.id)).nonce, null)
    equal(await mark.written(harness), 1)
  })

  test('replaceExpired: not before its expiry, and not when the grace is over', async () => {
    const harness = await open()
    const { family, replace } = await ranOut(harness)
    equal(await later(harness, TTL_MS - 60_000, () => replace(harness.store)), undefined)
    equal(await later(harness, TTL_MS + GRACE_MS + 60_000, () => replace(harness.store)), undefined)
    equal((await factsOf(harness, family.tenantId, family.token)).token.consumedAt, null)
    notEqual(await later(harness, TTL_MS + GRACE_MS - 60_000, () => replace(harness.store)), undefined)
  })

  test('replaceExpired: not a consumed, revoked or contained token, nor another user’s or tenant’s', async () => {
    const harness = await open()
    const consumed = await ranOut(harness)
    await harness.store.tokens.rotate(rotationOfFamily(consumed.family, new Marked(consumed.family.tenantId)))
    const revoked = await ranOut(harness)
    const { tenantId, token } = revoked.family
    await harness.store.tokens.revokeToken({
      tenantId,
      tokenHash: token.tokenHash,
      reason: 'manual',
      audit: () => [],
    })
    const ended = await ranOut(harness)
    const { familyId } = ended.family
    await harness.store.tokens.endFamily({
      tenantId: ended.family.tenantId,
      familyId,
      reason: 'logout',
      audit: () => [],
    })
    const whose = await ranOut(harness)
    const stranger = await harness.member()
    await later(harness, TTL_MS, async () => {
      for (const { replace } of [consumed, revoked, ended]) equal(await replace(harness.store), undefined)
      equal(await whose.replace(harness.store, { userId: stranger.userId }), undefined)
      equal(await whose.replace(harness.store, { tenantId: stranger.tenantId }), undefined)
      notEqual(await whose.replace(harness.store), undefined)
    })
  })

  test('replaceExpired: a family that ended by its expiry lives again, and rotates', async () => {
    const harness = await open()
    const { family, replace } = await ranOut(harness)
    await later(harness, TTL_MS, async () => {
      const { tenantId, familyId, token } = family
      await harness.store.tokens.expire({ tenantId, familyId, tokenId: token.id, audit: () => [] })
      notEqual(await replace(harness.store), undefined)
      const { family: after, successor } = await factsOf(harness, tenantId, token)
      deepEqual([after.revokedAt, after.revokeReason], [null, null])
      const rotation = rotationOfFamily(family, new Marked(tenantId))
      const next = { ...rotation, parentId: successor?.id as TokenId, generation: 1 }
      equal(await harness.store.tokens.rotate(next), 'won')
    })
  })

  breaksCleanly(runner, open, 'replaceExpired', async (harness) => {
    const { family, replace, mark } = await ranOut(harness, 1)
    await new Promise((resolve) => setTimeout(resolve, 5))
    return {
      mark,
      write: (store) => replace(store),
      happened: async () => {
        const { token, family: after, successor } = await factsOf(harness, family.tenantId, family.token)
        return whole([token.consumedAt !== null, after.generation === 1, successor !== null])
      },
    }
  })
}

function rotationOf({ tenantId, session, mark }: SignedIn): Rotation {
  return {
    tenantId,
    familyId: session.familyId,
    parentId: session.token.id,
    generation: 0,
    successor: newToken(),
    ttlMs: TTL_MS,
    audit: mark.row(),
  }
}

function rotationOfFamily({ tenantId, familyId, token }: NewFamily, mark: Marked): Rotation {
  return {
    tenantId,
    familyId,
    parentId: token.id,
    generation: 0,
    successor: newToken(),
    ttlMs: TTL_MS,
    audit: mark.row(),
  }
}

async function loses(harness: StoreHarness, owner: SignedIn, given: Partial<Rotation> = {}): Promise<void> {
  const before = await factsOf(harness, owner.tenantId, owner.session.token)
  const mark = new Marked(owner.tenantId)
  const rotation = { ...rotationOf(owner), audit: mark.row(), ...given }
  equal(await harness.store.tokens.rotate(rotation), 'lost')
  const after = await factsOf(harness, owner.tenantId, owner.session.token)
  deepEqual({ ...after, now: before.now }, before)
  equal(await harness.store.tokens.facts(owner.tenantId, rotation.successor.tokenHash), undefined)
  equal(await mark.written(harness), 0)
}

function containOf(
  { store }: Pick<StoreHarness, 'store'>,
  { tenantId, session, mark }: SignedIn,
  reach: 'family' | 'staff' | 'user',
) {
  return store.tokens.contain({
    tenantId,
    familyId: session.familyId,
    tokenId: session.token.id,
    reach,
    reason: 'reuse_detected',
    audit: mark.of,
  })
}

function familyOf({ tenantId, userId }: MemberIds, given: Partial<NewFamily> = {}): NewFamily {
  return {
    tenantId,
    familyId: newId<FamilyId>(),
    userId,
    staffId: null,
    sessionId: null,
    binding: { type: 'none' },
    token: newToken(),
    ttlMs: TTL_MS,
    ...given,
  }
}

function revokeAll({ tokens }: Pick<StoreHarness['store'], 'tokens'>, userId: UserId, mark: Marked) {
  return tokens.revokeAllOfUser({ userId, reason: 'manual', audit: mark.of })
}

async function ranOut(harness: StoreHarness, ttlMs = TTL_MS) {
  const family = familyOf(await harness.member(), { ttlMs })
  const mark = new Marked(family.tenantId)
  await harness.store.tokens.insertFamily(family)
  const replace = (
    { tokens }: Pick<StoreHarness['store'], 'tokens'>,
    given: { readonly userId?: UserId; readonly tenantId?: TenantId; readonly successor?: NewToken } = {},
  ) =>
    tokens.replaceExpired({
      tenantId: family.tenantId,
      userId: family.userId,
      tokenHash: family.token.tokenHash,
      graceMs: GRACE_MS,
      successor: newToken(),
      ttlMs: TTL_MS,
      audit: mark.of,
      ...given,
    })
  return { family, replace, mark }
}

async function isOver(harness: StoreHarness, { tenantId, session }: SignedIn): Promise<boolean> {
  const { family, token, session: behind } = await factsOf(harness, tenantId, session.token)
  const told = (await changesOf(harness, session.id)).length === 1
  return whole([family.revokedAt !== null, token.isRevoked, behind?.revokedAt !== null, told])
}

/** All parts of a change, or none. */
function whole(parts: readonly boolean[]): boolean {
  const [first = false] = parts
  ok(
    parts.every((part) => part === first),
    `only a part took effect: ${parts.join(', ')}`,
  )
  return first
}
