import { deepEqual, equal } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { SallyportError } from '../../packages/sallyport/src/errors.ts'
import { silent } from '../../packages/sallyport/src/internal/logger.ts'
import { RateLimits } from '../../packages/sallyport/src/rate-limits/rate-limits.ts'
import { resolveRateLimits } from '../../packages/sallyport/src/rate-limits/rules.ts'
import { secretRing } from '../../packages/sallyport/src/secrets/secret-ring.ts'
import type { TestRedis } from '../support/redis.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

describe.skipIf(!hasRedis)('rate limits in Redis', () => {
  const secrets = secretRing([randomBytes(32).toString('base64url')])
  const clients: Redis[] = []
  let server: TestRedis

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await server?.kill()
  })

  const node = async (): Promise<RateLimits> => {
    const client = new Redis({ port: server.port, host: '127.0.0.1', enableOfflineQueue: false, lazyConnect: true })
    // A server that is away is answered by the limits, not by the process.
    client.on('error', () => undefined)
    clients.push(client)
    await client.connect()
    const settings = resolveRateLimits({ store: client, signIn: { subject: 4, address: 0, both: 0 } }, false)
    const unused = { query: () => Promise.reject(new Error('not used')) }
    return new RateLimits({ settings, secrets, client: unused, log: silent })
  }
  const fail = async (limits: RateLimits, subject: string): Promise<string> => {
    try {
      await (await limits.enter('signIn', { subject })).failed()
      return 'in'
    } catch (error) {
      if (error instanceof SallyportError) return error.code
      throw error
    }
  }

  test('are shared by all nodes, and go on in memory when Redis is gone', async () => {
    const [one, two] = [await node(), await node()]
    deepEqual(
      [await fail(one, 'ada'), await fail(two, 'ada'), await fail(one, 'ada'), await fail(two, 'ada')],
      ['in', 'in', 'in', 'in'],
    )
    deepEqual([await fail(one, 'ada'), await fail(two, 'ada')], ['RATE_LIMITED', 'RATE_LIMITED'])
    equal(await fail(two, 'eve'), 'in')

    await server.kill()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const alone = []
    for (let attempt = 0; attempt < 5; attempt++) alone.push(await fail(one, 'mallory'))
    deepEqual(alone, ['in', 'in', 'in', 'in', 'RATE_LIMITED'])
  })
})
