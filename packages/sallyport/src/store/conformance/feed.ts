/**
 * What every implementation of the port of the change feed must pass.
 *
 * @module
 */

import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import type { Change } from '../contract/feed.ts'
import type { OpenHarness, Runner, SignedIn, StoreHarness } from './harness.ts'
import { DAY, later, signIn } from './harness.ts'

/** Registers the cases. */
export function feedStoreContract({ test }: Runner, open: OpenHarness): void {
  test('feed: a change is told again until it is named as seen', async () => {
    const harness = await open()
    const first = await ended(harness)
    equal((await changeOf(harness, first))?.kind, 'session')
    const change = await changeOf(harness, first)
    ok(change)
    equal(await changeOf(harness, first, [change.id]), undefined)
  })

  test('feed: a lower id that was not seen is told beside a higher one that was: ids become visible out of order', async () => {
    const harness = await open()
    const [first, second] = [await ended(harness), await ended(harness)]
    const [lower, higher] = [await changeOf(harness, first), await changeOf(harness, second)]
    ok(lower && higher && lower.id < higher.id)
    deepEqual(await changeOf(harness, first, [higher.id]), lower)
    equal(await changeOf(harness, second, [higher.id]), undefined)
  })

  test('feed: a change that was rolled back is not told', async () => {
    const harness = await open()
    const owner = await signIn(harness)
    const { tenantId, session } = owner
    await harness.store.sessions
      .end({ of: 'session', tenantId, sessionId: session.id }, { reason: 'manual', bumpVersion: false }, () => {
        throw new TypeError('no row')
      })
      .catch(() => undefined)
    equal(await changeOf(harness, owner), undefined)
  })

  test('feed: now is the database clock with the shift of the test clock', async () => {
    const harness = await open()
    const now = async () => (await harness.store.feed.poll({ seen: [], sinceMs: 0 })).now.getTime()
    const passed = -(await now()) + (await later(harness, DAY, now))
    ok(passed >= DAY && passed < DAY + 60_000)
  })

  test('feed: trim takes what is older and leaves what is younger', async () => {
    const harness = await open()
    const owner = await ended(harness)
    await harness.store.feed.trim(60_000)
    notEqual(await changeOf(harness, owner), undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
    ok((await harness.store.feed.trim(10)) >= 1)
    equal(await changeOf(harness, owner), undefined)
  })
}

async function ended(harness: StoreHarness): Promise<SignedIn> {
  const owner = await signIn(harness)
  const { tenantId, session } = owner
  const scope = { of: 'session', tenantId, sessionId: session.id } as const
  await harness.store.sessions.end(scope, { reason: 'manual', bumpVersion: false }, () => [])
  return owner
}

async function changeOf(
  { store }: StoreHarness,
  { session }: SignedIn,
  seen: readonly number[] = [],
): Promise<Change | undefined> {
  const { changes } = await store.feed.poll({ seen, sinceMs: 0 })
  return changes.find(({ ref }) => ref === session.id)
}
