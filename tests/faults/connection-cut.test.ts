/**
 * A connection that breaks under a statement costs that statement, and never the process.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import type { TestDatabase } from '../support/postgres.ts'
import { createDatabase, hasPostgres } from '../support/postgres.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startProxy } from '../support/tcp-proxy.ts'

const SLOW = { name: 'test_slow', text: 'select pg_sleep(4)::text as slept' }

describe.skipIf(!hasPostgres)('a connection is cut while it is in use', () => {
  let made: TestDatabase
  let proxy: TcpProxy
  let database: Database
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)

  beforeAll(async () => {
    made = await createDatabase()
    const url = new URL(made.url)
    proxy = await startProxy({ host: url.hostname, port: Number(url.port || 5432) })
    url.hostname = '127.0.0.1'
    url.port = String(proxy.port)
    database = nodePostgres({ url: url.href })
    process.on('uncaughtException', note)
  })
  afterAll(async () => {
    process.off('uncaughtException', note)
    await database?.close()
    await proxy?.close()
    await made?.drop()
  })
  afterEach(() => proxy.restore())

  const uses: Readonly<Record<string, () => Promise<unknown>>> = {
    'a statement': () => database.run(SLOW, []),
    'the feed': () => database.feed.run(SLOW, []),
    'a transaction': () => database.transaction((tx) => tx.run(SLOW, [])),
    'a copy': () => database.copy(SLOW, [], 'csv', () => undefined),
    'a migration': () => database.exclusively((run) => run(SLOW.text)),
  }
  for (const [use, ask] of Object.entries(uses)) {
    test(`${use} is answered with UNAVAILABLE, the process lives, and the next one goes through`, async () => {
      const answer = ask().then(
        () => 'done',
        (error: { code?: unknown }) => error.code,
      )
      await sleep(150)
      proxy.cut()
      expect(await answer).toBe('UNAVAILABLE')
      // The client tells of its broken connection a turn after the query has failed.
      await sleep(20)
      expect(uncaught).toEqual([])
      proxy.restore()
      expect(await database.run({ name: 'test_one', text: 'select 1 as one' }, [])).toEqual([{ one: 1 }])
    })
  }
})
