/**
 * Asks whether the Redis of the rate limits answers.
 *
 * @module
 */

import { connectRedis } from '../../redis.ts'
import { fail, ok, type Finding } from './finding.ts'

export async function redisFinding(url: string): Promise<Finding> {
  const redis = connectRedis(url)
  // What a command rejects with tells that the connection is closed, and not why.
  let code: string | undefined
  redis.on('error', (error: NodeJS.ErrnoException) => {
    code ??= error.code ?? error.name
  })
  try {
    await redis.connect()
    await redis.ping()
    return ok('redis', 'answers: failures are counted there for all nodes')
  } catch {
    return fail(
      'redis',
      `REDIS_URL cannot be reached (${code ?? 'no answer'}): each node counts for itself meanwhile. Check address and credentials`,
    )
  } finally {
    redis.disconnect()
  }
}
