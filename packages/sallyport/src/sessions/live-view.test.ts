import { describe, expect, test, vi } from 'vitest'
import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { silent } from '../internal/logger.ts'
import type { Change } from '../store/contract/feed.ts'
import type { LiveFacts } from '../store/contract/sessions.ts'
import type { LiveViewDeps } from './live-view.ts'
import { LiveView } from './live-view.ts'

const NOW = new Date('2030-01-31T00:00:00Z')

function factsOf(of: Partial<LiveFacts> = {}): LiveFacts {
  return {
    sessionId: newId<SessionId>(),
    tenantId: newId<TenantId>(),
    userId: newId<UserId>(),
    staffId: newId<StaffId>(),
    kind: 'login',
    sessionVersion: 1,
    createdAt: NOW,
    lastSeenAt: NOW,
    expiresAt: NOW,
    stepUpRequiredAt: null,
    stepUpRisk: null,
    revokedAt: null,
    revokeReason: null,
    realUserId: null,
    real: null,
    confirmedGeneration: -1,
    staff: { sessionVersion: 1, status: 'active', role: 'owner', permissions: [] },
    user: { name: 'Ada', disabled: false },
    tenant: { disabled: false },
    ...of,
  }
}

/** A database that answers when it is told to. */
class Source {
  readonly sessions = new Map<string, LiveFacts>()
  changes: Change[] = []
  reads = 0
  failing = false
  asked: { readonly seen: readonly number[]; readonly sinceMs: number }[] = []
  #gate: Promise<void> | undefined

  add(facts: LiveFacts = factsOf()): LiveFacts {
    this.sessions.set(facts.sessionId, facts)
    return facts
  }

  /** Holds the answers to reads that have begun. */
  hold(): () => void {
    const { promise, resolve } = withResolvers()
    this.#gate = promise
    return () => {
      this.#gate = undefined
      resolve()
    }
  }

  readonly store = {
    sessions: {
      live: async (tenantId: TenantId, sessionId: SessionId) => {
        this.reads++
        const found = this.sessions.get(sessionId)
        await this.#gate
        return found?.tenantId === tenantId ? { facts: found, now: NOW } : undefined
      },
    },
    feed: {
      poll: async (asked: { readonly seen: readonly number[]; readonly sinceMs: number }) => {
        this.asked.push(asked)
        if (this.failing) throw new Error('away')
        return { now: NOW, changes: this.changes.filter(({ id }) => !asked.seen.includes(id)) }
      },
    },
  }
}

function viewOf(source: Source, given: Partial<LiveViewDeps> = {}): LiveView {
  const defaults = { log: silent, maxStalenessMs: 5000, strict: false, onKeyChange: async () => {} }
  return new LiveView({ ...defaults, ...given, store: source.store as never })
}

async function started(
  options: Partial<LiveViewDeps> = {},
): Promise<{ readonly source: Source; readonly view: LiveView }> {
  const source = new Source()
  const view = viewOf(source, options)
  await view.poll()
  return { source, view }
}

const load = (view: LiveView, { tenantId, sessionId }: LiveFacts) => view.load(tenantId, sessionId)

describe('the live view', () => {
  test('reads a session once and then answers from memory', async () => {
    const { source, view } = await started()
    const facts = source.add()
    const entry = await load(view, facts)
    expect(view.get(facts.sessionId)).toBe(entry)
    expect(entry).toMatchObject({ gone: false, facts })
    expect(source.reads).toBe(1)
  })

  test('many that ask at once share one read', async () => {
    const { source, view } = await started()
    const facts = source.add()
    const entries = await Promise.all(Array.from({ length: 20 }, () => load(view, facts)))
    expect(source.reads).toBe(1)
    expect(new Set(entries).size).toBe(1)
  })

  test('a session of another tenant is not there, and is not kept', async () => {
    const { source, view } = await started()
    const facts = source.add()
    expect(await view.load(newId<TenantId>(), facts.sessionId)).toBeUndefined()
    expect(view.get(facts.sessionId)).toBeUndefined()
  })

  test('before its first poll, and once the last is older than maxStaleness, nothing is answered from memory', async () => {
    const source = new Source()
    const facts = source.add()
    const view = viewOf(source, { maxStalenessMs: 200 })
    expect(view.fresh).toBe(false)
    await load(view, facts)
    expect(view.get(facts.sessionId)).toBeUndefined()
    await view.poll()
    await load(view, facts)
    expect(view.fresh).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 230))
    expect(view.fresh).toBe(false)
    const before = source.reads
    await Promise.all([load(view, facts), load(view, facts)])
    expect(source.reads).toBe(before + 2)
  })

  test('strict: every check has a read of its own', async () => {
    const { source, view } = await started({ strict: true })
    const facts = source.add()
    await Promise.all([load(view, facts), load(view, facts)])
    await load(view, facts)
    expect(source.reads).toBe(3)
    expect(view.fresh).toBe(false)
    expect(view.feedIsLive).toBe(true)
  })

  test('what was read while the feed was stale is good for that check alone, also when the feed is back', async () => {
    const source = new Source()
    const facts = source.add()
    const view = viewOf(source)
    const entry = await load(view, facts)
    await view.poll()
    expect(view.fresh).toBe(true)
    // Nothing of the feed reaches it, so that whoever holds it must look again.
    expect(entry?.gone).toBe(true)
  })

  test.each(['session', 'staff', 'user', 'tenant'] as const)(
    'a change of its %s drops it, and marks it for whoever holds it',
    async (kind) => {
      const { source, view } = await started()
      const facts = source.add()
      const other = source.add()
      const entry = await load(view, facts)
      await load(view, other)
      const ref = { session: facts.sessionId, staff: facts.staffId, user: facts.userId, tenant: facts.tenantId }[kind]
      source.changes.push({ id: 1, kind, ref })
      await view.poll()
      expect(entry?.gone).toBe(true)
      expect(view.get(facts.sessionId)).toBeUndefined()
      expect(view.get(other.sessionId)).toBeDefined()
    },
  )

  test.each(['session', 'staff', 'user', 'tenant'] as const)(
    'a read that a change of its %s overtakes is discarded, and asked again',
    async (kind) => {
      const { source, view } = await started()
      const facts = source.add()
      const release = source.hold()
      const loading = load(view, facts)
      const revoked = source.add({ ...facts, revokedAt: NOW })
      const ref = { session: facts.sessionId, staff: facts.staffId, user: facts.userId, tenant: facts.tenantId }[kind]
      view.forget({ kind, ref })
      release()
      const entry = await loading
      expect(entry?.facts).toBe(revoked)
      expect(entry?.gone).toBe(true)
      expect(view.get(facts.sessionId)).toBeUndefined()
    },
  )

  test('who asks after a change does not share a read that began before it', async () => {
    const { source, view } = await started()
    const facts = source.add()
    const release = source.hold()
    const early = load(view, facts)
    view.forget({ kind: 'session', ref: facts.sessionId })
    const revoked = source.add({ ...facts, revokedAt: NOW })
    const late = load(view, facts)
    release()
    expect((await late)?.facts).toBe(revoked)
    await early
    expect(view.get(facts.sessionId)?.facts).toBe(revoked)
  })

  test('ids that become visible out of order are all applied, each once', async () => {
    const { source, view } = await started()
    const [first, second] = [source.add(), source.add()]
    await load(view, first)
    await load(view, second)
    source.changes = [{ id: 8, kind: 'session', ref: second.sessionId }]
    await view.poll()
    // Committed later, with the lower id.
    source.changes.push({ id: 7, kind: 'session', ref: first.sessionId })
    await view.poll()
    expect([view.get(first.sessionId), view.get(second.sessionId)]).toEqual([undefined, undefined])
    await load(view, first)
    await view.poll()
    expect(view.get(first.sessionId)).toBeDefined()
    expect(source.asked.at(-1)?.seen).toEqual([8, 7])
  })

  test('a gap in the polling empties it, and the poll asks for all of the gap', async () => {
    const { source, view } = await started({ maxStalenessMs: 200 })
    const facts = source.add()
    const entry = await load(view, facts)
    source.failing = true
    await expect(view.poll()).rejects.toThrow()
    await new Promise((resolve) => setTimeout(resolve, 230))
    source.failing = false
    await view.poll()
    expect(entry?.gone).toBe(true)
    expect(view.size).toBe(0)
    expect(source.asked.at(-1)?.sinceMs).toBeGreaterThanOrEqual(230)
  })

  test('a poll that fails does not count as good', async () => {
    const { source, view } = await started({ maxStalenessMs: 200 })
    source.failing = true
    for (let poll = 0; poll < 5; poll++) {
      await view.poll().catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(view.fresh).toBe(false)
  })

  test('a change of a key is acted upon before the poll counts as good, and again until that succeeds', async () => {
    const source = new Source()
    const onKeyChange = vi.fn(async () => {})
    const view = viewOf(source, { onKeyChange })
    onKeyChange.mockRejectedValueOnce(new Error('away'))
    source.changes.push({ id: 1, kind: 'key', ref: 'kid' })
    await expect(view.poll()).rejects.toThrow()
    expect(view.fresh).toBe(false)
    // The id is among those applied, so that nobody tells of it again.
    await view.poll()
    expect(onKeyChange).toHaveBeenCalledTimes(2)
    expect(view.fresh).toBe(true)
    await view.poll()
    expect(onKeyChange).toHaveBeenCalledTimes(2)
  })

  test('is bounded: beyond its size the oldest entries go', async () => {
    const { source, view } = await started({ maxEntries: 10 })
    const first = source.add()
    const oldest = await load(view, first)
    const second = await load(view, source.add())
    for (let index = 0; index < 9; index++) await load(view, source.add())
    expect(view.size).toBe(10)
    expect([oldest?.gone, second?.gone]).toEqual([true, false])
    expect((await load(view, first))?.gone).toBe(false)
    expect(second?.gone).toBe(true)
  })

  test('its clock is the database’s, carried forward', async () => {
    const { view } = await started()
    const first = view.now() ?? 0
    expect(first).toBeGreaterThanOrEqual(NOW.getTime())
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect((view.now() ?? 0) - first).toBeGreaterThanOrEqual(15)
    expect(() => viewOf(new Source()).date()).toThrow(TypeError)
  })

  test('polls by itself once started, goes on after a failure, and stops', async () => {
    const source = new Source()
    const view = viewOf(source)
    await view.start()
    source.failing = true
    await vi.waitFor(() => expect(source.asked.length).toBeGreaterThan(2), 3000)
    source.failing = false
    const facts = source.add()
    await load(view, facts)
    source.changes.push({ id: 1, kind: 'session', ref: facts.sessionId })
    await vi.waitFor(() => expect(view.get(facts.sessionId)).toBeUndefined(), 3000)
    await view.stop()
    const polls = source.asked.length
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(source.asked.length).toBe(polls)
  })

  test('a start without a database is refused', async () => {
    const source = new Source()
    source.failing = true
    await expect(viewOf(source).start()).rejects.toThrow()
  })
})

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
