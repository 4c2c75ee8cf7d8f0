/**
 * What this node knows of the sessions that it serves, kept true by the change feed, so that a request costs a look-up in
 * memory and a revocation still bites everywhere.
 *
 * @module
 */

import type { SessionId, TenantId } from '../ids.ts'
import type { Logger } from '../internal/logger.ts'
import type { Change } from '../store/contract/feed.ts'
import { FEED_OVERLAP_MS } from '../store/contract/feed.ts'
import type { LiveFacts } from '../store/contract/sessions.ts'
import type { Store } from '../store/contract/store.ts'
import type { TenantPolicy } from '../tenant-settings/policy.ts'
import { policyFrom } from '../tenant-settings/policy.ts'

const POLL_INTERVAL_MS = 100
/**
 * How long an entry may answer without being read again. The feed tells of every change whose transaction is shorter than its
 * overlap; a COMMIT that hung on a lost standby for longer is the one that it cannot.
 */
const MAX_AGE_MS = 5 * 60_000
const MAX_ENTRIES = 200_000
const MAX_POLICIES = 20_000

/** A session as it was read. While `gone` (not in the view, or no longer), whoever still holds it must look again. */
export interface LiveEntry {
  readonly facts: LiveFacts
  /** The last request seen by this node, by the database's clock in milliseconds; the row in the database may lag behind it. */
  lastSeen: number
  /** When `last_seen_at` was last handed to be written. */
  touchedAt: number
  confirmedGeneration: number
  gone: boolean
  /** By this node's monotonic clock. */
  readonly goodUntil: number
  /** What was read about this session beside the facts; it goes when the entry goes. */
  readonly remembered: Map<string, Promise<unknown>>
}

/** A read under way. What is forgotten meanwhile makes its result unfit to keep. */
interface Fill {
  overtaken: boolean
  /** Sessions that changed meanwhile: the one that an impersonation was started from may be among them. */
  readonly changed: Set<string>
  readonly result: Promise<LiveEntry | undefined>
}

export interface LiveViewDeps {
  readonly store: Pick<Store, 'sessions' | 'feed' | 'access'>
  readonly log: Logger
  readonly maxStalenessMs: number
  /** Asks the database at every check. */
  readonly strict: boolean
  /** Called for each change of a key, before the poll that told of it counts as good. */
  readonly onKeyChange: () => Promise<void>
  /** Beyond it the oldest entries go: what is asked for again is read again. Defaults to 200,000. */
  readonly maxEntries?: number
}

/**
 * The live view of one node.
 *
 * Freshness belongs to the feed: an entry is as true as the last good poll, and when that is older than `maxStaleness`
 * nothing is answered from memory.
 */
export class LiveView {
  readonly #deps: LiveViewDeps
  readonly #entries = new Map<string, LiveEntry>()
  /** By everyone whose rights a session rests on: in an impersonation there are two. */
  readonly #ofStaff = new Map<string, Set<LiveEntry>>()
  /** Impersonations, by the session that each was started from. */
  readonly #ofReal = new Map<string, Set<LiveEntry>>()
  readonly #policies = new Map<string, TenantPolicy>()
  readonly #policyFills = new Map<string, { overtaken: boolean; readonly result: Promise<TenantPolicy | undefined> }>()
  readonly #fills = new Map<string, Fill>()
  /** Ids of changes that were applied, with the moment (by this node's monotonic clock) after which none will come again. */
  readonly #applied = new Map<number, number>()
  /** A change of a key that was not acted upon yet: its id is among the applied ones and is not told again. */
  #keysChanged = false
  #lastGoodPoll = Number.NEGATIVE_INFINITY
  #clock: { readonly database: number; readonly here: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #polling: Promise<void> | undefined
  #stopped = false

  constructor(deps: LiveViewDeps) {
    this.#deps = deps
  }

  /** Sets the cursor by a first poll, then keeps polling. Rejects when the database is not there. */
  async start(): Promise<void> {
    await this.poll()
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#polling?.catch(() => undefined)
    this.#empty()
  }

  /** Whether memory may answer. Without a recent poll a revocation elsewhere could be missed. */
  get fresh(): boolean {
    return !this.#deps.strict && this.feedIsLive
  }

  get feedIsLive(): boolean {
    return performance.now() - this.#lastGoodPoll <= this.#deps.maxStalenessMs
  }

  /** Milliseconds since the last good poll. */
  get staleness(): number {
    return performance.now() - this.#lastGoodPoll
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * The database's clock, carried forward by this node's monotonic one: a step of the wall clock moves nothing.
   * `undefined` before the first poll.
   */
  now(): number | undefined {
    return this.#clock && this.#clock.database + (performance.now() - this.#clock.here)
  }

  /** The same as a date, for what is being recorded. @throws TypeError before the first poll. */
  date(): Date {
    const now = this.now()
    if (now === undefined) throw new TypeError('live view: no clock before the first poll')
    return new Date(now)
  }

  /** What memory holds. Ask {@link LiveView.fresh} first. */
  get(sessionId: SessionId): LiveEntry | undefined {
    const entry = this.#entries.get(sessionId)
    return entry !== undefined && this.holds(entry) ? entry : undefined
  }

  /** Whether an entry in hand may still answer. */
  holds(entry: LiveEntry): boolean {
    return !entry.gone && performance.now() < entry.goodUntil
  }

  /** Reads a session from the database; keeps it unless something about it was forgotten while the read ran. */
  async load(tenantId: TenantId, sessionId: SessionId): Promise<LiveEntry | undefined> {
    // In strict mode, and while the feed is stale, each check has a read of its own that began after it.
    if (!this.fresh) return this.#read(tenantId, sessionId)
    const key = `${tenantId}/${sessionId}`
    const running = this.#fills.get(key)
    if (running !== undefined && !running.overtaken) return running.result
    const fill: Fill = { overtaken: false, changed: new Set(), result: this.#fill(tenantId, sessionId, () => fill) }
    this.#fills.set(key, fill)
    try {
      return await fill.result
    } finally {
      if (this.#fills.get(key) === fill) this.#fills.delete(key)
    }
  }

  /** The tenant's policy in memory, where memory may answer. */
  policy(tenantId: TenantId): TenantPolicy | undefined {
    const policy = this.fresh ? this.#policies.get(tenantId) : undefined
    return policy !== undefined && this.holdsPolicy(policy) ? policy : undefined
  }

  /** Whether a policy in hand may still answer. */
  holdsPolicy(policy: TenantPolicy): boolean {
    return !policy.gone && performance.now() < policy.goodUntil
  }

  /** The tenant's policy, read where memory does not hold it. `undefined` for an unknown tenant. */
  async loadPolicy(tenantId: TenantId): Promise<TenantPolicy | undefined> {
    if (!this.fresh) return this.#readPolicy(tenantId)
    const known = this.policy(tenantId)
    if (known !== undefined) return known
    const running = this.#policyFills.get(tenantId)
    if (running !== undefined && !running.overtaken) return running.result
    const fill = { overtaken: false, result: this.#readPolicy(tenantId) }
    this.#policyFills.set(tenantId, fill)
    try {
      const policy = await fill.result
      if (fill.overtaken) return await this.#readPolicy(tenantId)
      if (policy !== undefined) this.#keepPolicy(policy)
      return policy
    } finally {
      if (this.#policyFills.get(tenantId) === fill) this.#policyFills.delete(tenantId)
    }
  }

  async #readPolicy(tenantId: TenantId): Promise<TenantPolicy | undefined> {
    const row = await this.#deps.store.access.policy(tenantId)
    return row && policyFrom(row)
  }

  #keepPolicy(policy: TenantPolicy): void {
    if (this.#policies.size >= MAX_POLICIES) {
      const oldest = this.#policies.keys().next().value
      if (oldest !== undefined) this.#retire(oldest)
    }
    this.#retire(policy.tenantId)
    policy.gone = false
    policy.goodUntil = performance.now() + MAX_AGE_MS
    this.#policies.set(policy.tenantId, policy)
  }

  /**
   * Reads something about a session once, for as long as nothing about its session, staff member, user or tenant changes.
   * What is read must depend on nothing that changes without a row in the feed.
   */
  remember<T>(sessionId: SessionId, name: string, read: () => Promise<T>): Promise<T> {
    const entry = this.fresh ? this.#entries.get(sessionId) : undefined
    // Hung on the entry that was there before the read: a change that overtakes the read takes its result along.
    if (entry === undefined) return read()
    const known = entry.remembered.get(name) as Promise<T> | undefined
    if (known !== undefined) return known
    const reading = read()
    entry.remembered.set(name, reading)
    reading.catch(() => entry.remembered.delete(name))
    return reading
  }

  /** A session was just used on this node by something other than an access token: a refresh. */
  seen(sessionId: SessionId, at: Date): void {
    const entry = this.#entries.get(sessionId)
    if (entry !== undefined) entry.lastSeen = Math.max(entry.lastSeen, at.getTime())
  }

  /** Drops what a change is about: the node that made the change calls this at once, the others when their poll tells. */
  forget({ kind, ref }: Pick<Change, 'kind' | 'ref'>): void {
    // A fill knows its session only; whose staff, user or tenant it is, it learns when it is done.
    for (const [key, fill] of this.#fills) {
      if (kind === 'ip_rules' || kind === 'settings') continue
      if (kind !== 'session' || key.endsWith(ref)) fill.overtaken = true
      fill.changed.add(ref)
    }
    if (kind === 'ip_rules' || kind === 'settings') this.#dropPolicy(ref)
    if (kind === 'session') {
      this.#drop(this.#entries.get(ref))
      for (const entry of this.#ofReal.get(ref) ?? []) this.#drop(entry)
    } else if (kind === 'staff') for (const entry of this.#ofStaff.get(ref) ?? []) this.#drop(entry)
    // Rare, and never on a request's path: worth a walk rather than two more indexes.
    else if (kind === 'user') this.#dropWhere(({ facts }) => facts.userId === ref || facts.realUserId === ref)
    else if (kind === 'tenant') this.#dropWhere(({ facts }) => facts.tenantId === ref)
  }

  /** One poll of the feed. Public for tests, which need not wait for the timer. */
  async poll(): Promise<void> {
    const began = performance.now()
    const gap = began - this.#lastGoodPoll
    const sinceMs = Number.isFinite(gap) ? gap : 0
    const page = await this.#deps.store.feed.poll({ seen: [...this.#applied.keys()], sinceMs })
    // The database answered somewhere between; the later end makes ages never longer than they are.
    this.#clock = { database: page.now.getTime(), here: performance.now() }
    // A poll that comes after a long silence re-reads all of it, but ids from before may be older than any overlap.
    if (gap > this.#deps.maxStalenessMs) this.#empty()
    for (const change of page.changes) {
      this.#applied.set(change.id, began + 2 * FEED_OVERLAP_MS + sinceMs)
      this.forget(change)
      this.#keysChanged ||= change.kind === 'key'
    }
    if (this.#keysChanged) {
      await this.#deps.onKeyChange()
      this.#keysChanged = false
    }
    this.#lastGoodPoll = began
    this.#prune(began)
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#polling = this.poll()
        .catch((error: unknown) => {
          this.#deps.log.warn(
            { err: error, stalenessMs: Math.round(this.staleness) },
            'the change feed could not be read',
          )
        })
        .finally(() => this.#schedule())
    }, POLL_INTERVAL_MS)
    this.#timer.unref()
  }

  async #fill(tenantId: TenantId, sessionId: SessionId, self: () => Fill): Promise<LiveEntry | undefined> {
    const entry = await this.#read(tenantId, sessionId)
    if (entry === undefined) return undefined
    // Read before the change that overtook it, for all we know: ask once more, and keep nothing.
    const { overtaken, changed } = self()
    const { real } = entry.facts
    if (overtaken || (real !== null && changed.has(real.sessionId))) return this.#read(tenantId, sessionId)
    this.#keep(entry)
    return entry
  }

  async #read(tenantId: TenantId, sessionId: SessionId): Promise<LiveEntry | undefined> {
    const read = await this.#deps.store.sessions.live(tenantId, sessionId)
    if (read === undefined) return undefined
    const { facts, now } = read
    // Without a feed this is the only clock there is.
    this.#clock ??= { database: now.getTime(), here: performance.now() }
    return {
      facts,
      lastSeen: facts.lastSeenAt.getTime(),
      touchedAt: facts.lastSeenAt.getTime(),
      confirmedGeneration: facts.confirmedGeneration,
      // No change of the feed reaches an entry outside the view: it is good for the check that read it, and no other.
      gone: true,
      goodUntil: performance.now() + MAX_AGE_MS,
      remembered: new Map(),
    }
  }

  #keep(entry: LiveEntry): void {
    const before = this.#entries.get(entry.facts.sessionId)
    // The row in the database may lag behind what this node saw.
    if (before !== undefined) entry.lastSeen = Math.max(entry.lastSeen, before.lastSeen)
    this.#drop(before)
    entry.gone = false
    if (this.#entries.size >= (this.#deps.maxEntries ?? MAX_ENTRIES)) {
      const oldest = this.#entries.values().next().value
      this.#drop(oldest)
    }
    this.#entries.set(entry.facts.sessionId, entry)
    const { staffId, real } = entry.facts
    index(this.#ofStaff, staffId, entry)
    if (real === null) return
    index(this.#ofStaff, real.staffId, entry)
    index(this.#ofReal, real.sessionId, entry)
  }

  #drop(entry: LiveEntry | undefined): void {
    if (entry === undefined || entry.gone) return
    entry.gone = true
    this.#entries.delete(entry.facts.sessionId)
    const { staffId, real } = entry.facts
    unindex(this.#ofStaff, staffId, entry)
    if (real === null) return
    unindex(this.#ofStaff, real.staffId, entry)
    unindex(this.#ofReal, real.sessionId, entry)
  }

  #dropPolicy(tenantId: string): void {
    const fill = this.#policyFills.get(tenantId)
    if (fill !== undefined) fill.overtaken = true
    this.#retire(tenantId)
  }

  #retire(tenantId: string): void {
    const policy = this.#policies.get(tenantId)
    if (policy === undefined) return
    policy.gone = true
    this.#policies.delete(tenantId)
  }

  #dropWhere(matches: (entry: LiveEntry) => boolean): void {
    for (const entry of [...this.#entries.values()]) if (matches(entry)) this.#drop(entry)
  }

  #empty(): void {
    for (const fill of this.#fills.values()) fill.overtaken = true
    this.#dropWhere(() => true)
    for (const fill of this.#policyFills.values()) fill.overtaken = true
    for (const tenantId of [...this.#policies.keys()]) this.#dropPolicy(tenantId)
  }

  #prune(now: number): void {
    for (const [id, until] of this.#applied) {
      // In the order in which they were applied: the first young one ends the walk.
      if (until > now) break
      this.#applied.delete(id)
    }
  }
}

function index(map: Map<string, Set<LiveEntry>>, key: string, entry: LiveEntry): void {
  const entries = map.get(key) ?? new Set()
  map.set(key, entries.add(entry))
}

function unindex(map: Map<string, Set<LiveEntry>>, key: string, entry: LiveEntry): void {
  const entries = map.get(key)
  entries?.delete(entry)
  if (entries?.size === 0) map.delete(key)
}
