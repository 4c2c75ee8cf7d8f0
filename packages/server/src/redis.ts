/**
 * The connection to Redis, where the failures that rate limits count are kept for all nodes.
 *
 * @module
 */

import { Redis } from 'ioredis'
import type { Logger } from 'pino'

const PATIENCE_MS = 5_000

/** A client that is not connected yet. One that waits for a server that is away would make each request wait with it. */
export function connectRedis(url: string): Redis {
  const redis = new Redis(url, {
    // One Redis may serve more than this.
    keyPrefix: 'sallyport:',
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
  })
  // Without a listener the error of a connection would end the process.
  redis.on('error', () => undefined)
  return redis
}

/**
 * Connects, and again whenever the connection is lost. Until it is there the limits count in the node's memory.
 *
 * @returns The client at once; whoever opened it disconnects it.
 */
export function openRedis(url: string, log: Logger): Redis {
  const redis = connectRedis(url)
  let away = false
  redis.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Once an outage: it is tried again many times. The message of an error may hold the address, and with it the password.
    if (!away) log.warn({ code }, 'Redis is away; this node counts for itself until it is back')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info('Redis is back')
    away = false
  })
  redis.connect().catch(() => undefined)
  return redis
}
