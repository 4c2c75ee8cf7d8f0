/**
 * Counts requests in layers and refuses what comes too often, with blocks that grow.
 *
 * Two counts are kept. Every request is counted in this node's memory, which costs nothing; what failed is counted where all nodes
 * see it, so that a good request writes nothing more. Where that store is away, this node's memory takes its place: a limit that
 * fails must neither open the door to guessing nor lock everyone out.
 *
 * @module
 */

import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RateLimiterAbstract } from 'rate-limiter-flexible'
import { SallyportError } from '../errors.ts'
import type { Logger } from '../internal/logger.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { LimiterClient } from '../store/contract/limits.ts'
import type { Counted, Keyed } from './keys.ts'
import { keyOf } from './keys.ts'
import type { Layer, Limited, RateLimitSettings } from './rules.ts'
import { LAYERS, LIMITED } from './rules.ts'

const WINDOW_S = 60
/** For the first violation, the second, the third and all after it. */
const BLOCKS_S = [60, 5 * 60, 30 * 60, 24 * 3600] as const
/** An address may be an office: what one person there does must not keep the others out for long. */
const LONGEST_FOR_ADDRESS_S = 5 * 60
/** Violations follow each other while each comes within this of the end of the block before. */
const REMEMBERED_S = 48 * 3600

interface Limiter {
  readonly layer: Layer
  readonly limit: number
  /** Every request, on this node. */
  readonly here: RateLimiterMemory
  /** Failures, everywhere. */
  readonly everywhere: RateLimiterAbstract
}

interface Counting {
  readonly limiter: Limiter
  readonly key: Keyed
}

export interface RateLimitDeps {
  readonly settings: RateLimitSettings | 'off'
  readonly secrets: SecretRing
  readonly client: LimiterClient
  readonly log: Logger
}

/** A request that was let in. Exactly one of its methods is to be called, with what became of it. */
export interface Admission {
  /** It did what it was asked to: what the subject failed at before is forgiven. */
  succeeded(): Promise<void>
  /** It was refused for what it brought. */
  failed(): Promise<void>
}

const UNLIMITED: Admission = { succeeded: async () => undefined, failed: async () => undefined }

/** The limits of one instance. */
export class RateLimits {
  readonly #deps: RateLimitDeps
  readonly #limiters = new Map<Limited, readonly Limiter[]>()
  readonly #strikes: RateLimiterAbstract | undefined

  constructor(deps: RateLimitDeps) {
    this.#deps = deps
    const { settings } = deps
    if (settings === 'off') return
    this.#strikes = this.#shared(settings, 'strikes', Number.MAX_SAFE_INTEGER, REMEMBERED_S)
    for (const what of LIMITED) {
      const rule = settings.rules[what]
      this.#limiters.set(
        what,
        LAYERS.filter((layer) => rule[layer] > 0).map((layer) => ({
          layer,
          limit: rule[layer],
          here: new RateLimiterMemory({ keyPrefix: 'here', points: rule[layer], duration: WINDOW_S }),
          everywhere: this.#shared(settings, 'fails', rule[layer], WINDOW_S),
        })),
      )
    }
  }

  /**
   * Lets a request in, or refuses it.
   *
   * @throws SallyportError `RATE_LIMITED` with `retryAfter` and the limit that was met.
   */
  async enter(what: Limited, counted: Counted): Promise<Admission> {
    const { settings } = this.#deps
    if (settings === 'off') return UNLIMITED
    const { asksFirst, counts } = settings.rules[what]
    const keyed = this.#keyed(what, counted)
    for (const { limiter, key } of keyed) {
      const taken = await attempt(limiter.here.consume(key.here))
      if (taken.over) throw refusal(what, limiter, taken.waitMs)
    }
    const known = asksFirst
      ? await Promise.all(keyed.map(({ limiter, key }) => limiter.everywhere.get(key.everywhere())))
      : []
    for (const [index, { limiter }] of keyed.entries()) {
      const seen = known[index]
      if (seen && seen.consumedPoints >= limiter.limit) throw refusal(what, limiter, seen.msBeforeNext)
    }
    if (counts === 'all') {
      for (const one of keyed) await this.#count(one)
      return UNLIMITED
    }
    return {
      succeeded: async () => {
        if (!asksFirst) return
        await Promise.all(keyed.map((one, index) => this.#forgive(one, Boolean(known[index]))))
      },
      failed: async () => {
        for (const one of keyed) await this.#count(one)
      },
    }
  }

  #keyed(what: Limited, counted: Counted): readonly Counting[] {
    return (this.#limiters.get(what) ?? []).flatMap((limiter) => {
      const key = keyOf(this.#deps.secrets, what, limiter.layer, counted)
      return key === undefined ? [] : [{ limiter, key }]
    })
  }

  /**
   * Violations outlive the failures that made them: whoever has waited a block out has nothing else left to be forgiven. They are
   * looked for first, so that a good request writes nothing.
   */
  async #forgive({ limiter, key }: Counting, failed: boolean): Promise<void> {
    // Of an address that many share, one who signs in says nothing of the others.
    if (limiter.layer === 'address') return
    const shared = key.everywhere()
    if (failed) await limiter.everywhere.delete(shared)
    if (await this.#strikes?.get(shared)) await this.#strikes?.delete(shared)
  }

  /** The failure that uses a limit up begins the block; those that come beside it are counted and prolong nothing. */
  async #count({ limiter, key: { here, everywhere } }: Counting): Promise<void> {
    const key = everywhere()
    const { consumedPoints, waitMs } = await attempt(limiter.everywhere.consume(key))
    // Another node's block is learnt here, by those who do not ask first.
    if (consumedPoints > limiter.limit) await limiter.here.block(here, waitMs / 1000)
    if (consumedPoints !== limiter.limit) return
    const { consumedPoints: strikes } = await attempt(
      this.#strikes?.consume(key) ?? Promise.resolve(new RateLimiterRes()),
    )
    const grown = BLOCKS_S[Math.min(strikes, BLOCKS_S.length) - 1] ?? BLOCKS_S[0]
    const seconds = limiter.layer === 'address' ? Math.min(grown, LONGEST_FOR_ADDRESS_S) : grown
    await Promise.all([limiter.everywhere.block(key, seconds), limiter.here.block(here, seconds)])
    this.#deps.log.warn({ key, seconds }, 'a rate limit was used up')
  }

  #shared({ store }: RateLimitSettings, keyPrefix: string, points: number, duration: number): RateLimiterAbstract {
    const memory = new RateLimiterMemory({ keyPrefix, points, duration })
    if (store === 'memory') return memory
    const common = { keyPrefix, points, duration, insuranceLimiter: memory }
    if (store !== 'database')
      return new RateLimiterRedis({ ...common, storeClient: store, rejectIfRedisNotReady: true })
    return new RateLimiterPostgres({
      ...common,
      storeClient: this.#deps.client,
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true,
      // What has expired is read as if it were not there; it is removed with the other old rows, not by a timer of every node.
      clearExpiredByTimeout: false,
    })
  }
}

interface Taken {
  readonly over: boolean
  readonly consumedPoints: number
  readonly waitMs: number
}

/** The library rejects with what it answers when a limit is used up, and with an error when something is wrong. */
async function attempt(consuming: Promise<RateLimiterRes>): Promise<Taken> {
  try {
    const { consumedPoints, msBeforeNext } = await consuming
    return { over: false, consumedPoints, waitMs: msBeforeNext }
  } catch (rejected) {
    if (!(rejected instanceof RateLimiterRes)) throw rejected
    return { over: true, consumedPoints: rejected.consumedPoints, waitMs: rejected.msBeforeNext }
  }
}

function refusal(what: Limited, { limit, layer }: Limiter, waitMs: number): SallyportError {
  return new SallyportError('RATE_LIMITED', 'Too many requests. Wait before the next one.', {
    facts: { retryAfter: Math.max(1, Math.ceil(waitMs / 1000)), limit, limitName: `${what}-${layer}` },
  })
}
