import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SallyportError } from '../errors.ts'
import { silent } from '../internal/logger.ts'
import { secretRing } from '../secrets/secret-ring.ts'
import type { LimiterClient } from '../store/contract/limits.ts'
import { RateLimits } from './rate-limits.ts'
import type { Limited, RateLimitOptions } from './rules.ts'
import { resolveRateLimits } from './rules.ts'

const secrets = secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'])
const away: LimiterClient = {
  query: async () => {
    throw new Error('the database is away')
  },
}
const open = (options: RateLimitOptions, client = away) =>
  new RateLimits({ settings: resolveRateLimits(options, false), secrets, client, log: silent })

/** `0` for a request that was let in, else the seconds to wait. */
async function ask(
  limits: RateLimits,
  outcome: 'failed' | 'succeeded' | 'neither',
  { what = 'signIn' as Limited, subject = 'ada', address = '192.0.2.1' } = {},
): Promise<number> {
  try {
    const admission = await limits.enter(what, { address, subject })
    if (outcome !== 'neither') await admission[outcome]()
    return 0
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'RATE_LIMITED') return Number(error.facts['retryAfter'])
    throw error
  }
}
const many = async (count: number, work: () => Promise<number>) => {
  const answers: number[] = []
  for (let index = 0; index < count; index++) answers.push(await work())
  return answers
}
const passed = (answers: readonly number[]) => answers.filter((wait) => wait === 0).length

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('rate limits', () => {
  test('ten failures of an account, and the next waits, from wherever it comes', async () => {
    const limits = open({ store: 'memory' })
    let host = 0
    const answers = await many(11, () => ask(limits, 'failed', { address: `192.0.2.${host++}` }))
    expect([passed(answers), answers[10]]).toEqual([10, 60])
  })

  test('blocks grow: 1, 5, 30 minutes and a day for a subject, and no further', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 2, address: 0, both: 0 } })
    const waits = []
    for (let round = 0; round < 5; round++) {
      await many(2, () => ask(limits, 'failed'))
      const wait = await ask(limits, 'failed')
      waits.push(wait)
      await vi.advanceTimersByTimeAsync(wait * 1000 + 1000)
    }
    expect(waits).toEqual([60, 300, 1800, 86_400, 86_400])
  })

  test('an address waits five minutes at most', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 0, address: 2, both: 0 } })
    const waits = []
    for (let round = 0; round < 4; round++) {
      await many(2, () => ask(limits, 'failed'))
      const wait = await ask(limits, 'failed')
      waits.push(wait)
      await vi.advanceTimersByTimeAsync(wait * 1000 + 1000)
    }
    expect(waits).toEqual([60, 300, 300, 300])
  })

  test('failures at once prolong a block no more than one would', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 5, address: 0, both: 0 } })
    const admissions = await Promise.all(
      Array.from({ length: 5 }, () => limits.enter('signIn', { subject: 'ada', address: undefined })),
    )
    await Promise.all([...admissions, ...admissions, ...admissions].map((one) => one.failed()))
    expect(await ask(limits, 'failed')).toBe(60)
  })

  test('a success forgives what the subject failed at, and not the address', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 3, address: 8, both: 0 } })
    await many(2, () => ask(limits, 'failed'))
    await vi.advanceTimersByTimeAsync(31_000)
    expect(await ask(limits, 'succeeded')).toBe(0)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(passed(await many(3, () => ask(limits, 'failed')))).toBe(3)
  })

  test('a success forgives the blocks before it: the next one is a first one', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 2, address: 0, both: 0 } })
    for (const wait of [60, 300]) {
      await many(2, () => ask(limits, 'failed'))
      expect(await ask(limits, 'neither')).toBe(wait)
      await vi.advanceTimersByTimeAsync(wait * 1000 + 1)
    }
    expect(await ask(limits, 'succeeded')).toBe(0)
    await vi.advanceTimersByTimeAsync(61_000)
    await many(2, () => ask(limits, 'failed'))
    expect(await ask(limits, 'neither')).toBe(60)
  })

  test('good requests are limited too, in memory alone', async () => {
    const client = { query: vi.fn(async () => ({ rows: [], rowCount: 0 })) }
    const limits = open({ refresh: { subject: 120 } }, client)
    const answers = await many(121, () => ask(limits, 'succeeded', { what: 'refresh' }))
    expect(passed(answers)).toBe(120)
    expect(client.query).not.toHaveBeenCalled()
  })

  test('a good sign-in reads and writes nothing', async () => {
    const texts: string[] = []
    const limits = open(
      {},
      {
        query: async ({ text }) => {
          texts.push(text.trim().slice(0, 6).toUpperCase())
          return { rows: [], rowCount: 0 }
        },
      },
    )
    expect(await ask(limits, 'succeeded')).toBe(0)
    expect(new Set(texts)).toEqual(new Set(['SELECT']))
  })

  test('one whose every request has its price is limited whatever becomes of it', async () => {
    const limits = open({ store: 'memory', reset: { subject: 3, address: 0 } })
    expect(passed(await many(5, () => ask(limits, 'succeeded', { what: 'reset' })))).toBe(3)
  })

  test('0 turns a layer off', async () => {
    const limits = open({ store: 'memory', signIn: { subject: 0, address: 0, both: 0 } })
    expect(passed(await many(100, () => ask(limits, 'failed')))).toBe(100)
  })

  test('with the store away the node counts by itself: neither open nor shut', async () => {
    const limits = open({ signIn: { subject: 3, address: 0, both: 0 } })
    expect(await many(4, () => ask(limits, 'failed'))).toEqual([0, 0, 0, 60])
    expect(await ask(limits, 'failed', { subject: 'eve' })).toBe(0)
  })
})
