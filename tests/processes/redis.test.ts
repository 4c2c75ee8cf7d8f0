import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { call, type Running, run, serve } from './support.ts'

const PASSWORD = 'hunter2hunter2'

describe.skipIf(!hasRedis || !hasPostgres)('the service with REDIS_URL', () => {
  let redis: TestRedis
  let database: TestDatabase
  let cwd: string
  let env: Readonly<Record<string, string>>
  let running: Running[] = []
  beforeEach(async () => {
    redis = await startRedis(PASSWORD)
    database = await createDatabase()
    cwd = mkdtempSync(join(tmpdir(), 'sallyport-redis-'))
    writeFileSync(join(cwd, 'sallyport.config.json'), JSON.stringify({ rateLimits: { signIn: { subject: 4 } } }))
    env = {
      DATABASE_URL: database.url,
      SALLYPORT_SECRETS: randomBytes(32).toString('base64url'),
      REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.port}`,
    }
    await run(['migrate'], cwd, env)
  })
  afterEach(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    running = []
    await redis.kill()
    await database.drop()
    rmSync(cwd, { recursive: true, force: true })
  })

  const signIn = async ({ url }: Running, email: string) =>
    (await call(url, '/api/auth/login', { email, password: 'not the one that it is' })).status

  test('failures are counted there for all nodes, and in the node’s memory while it is away; doctor says which', async () => {
    expect((await run(['doctor'], cwd, env)).stdout).toMatch(/ok +redis/)
    const [one, two] = await Promise.all([serve(cwd, env), serve(cwd, env)])
    running = [one, two]
    const seen = []
    for (const node of [one, two, one, two, one, two]) seen.push(await signIn(node, 'ada@example.com'))
    expect(seen).toEqual([401, 401, 401, 401, 429, 429])
    const client = new Redis({ port: redis.port, password: PASSWORD })
    const keys = await client.keys('*')
    client.disconnect()
    expect(keys.length).toBeGreaterThan(0)
    expect(keys.filter((key) => !key.startsWith('sallyport:'))).toEqual([])
    const stored = new pg.Client({ connectionString: database.url })
    await stored.connect()
    expect((await stored.query('select * from rate_limits')).rows).toEqual([])
    await stored.end()

    await redis.kill()
    const alone = []
    for (let attempt = 0; attempt < 5; attempt++) alone.push(await signIn(one, 'eve@example.com'))
    expect(alone).toEqual([401, 401, 401, 401, 429])
    const doctor = await run(['doctor'], cwd, env)
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/fail +redis .*ECONNREFUSED/)])
    for (const node of running) {
      expect((await node.end('SIGTERM')).code).toBe(0)
      expect(node.output()).toContain('Redis is away')
      expect(node.output()).not.toContain(PASSWORD)
    }
    expect(doctor.stdout + doctor.stderr).not.toContain(PASSWORD)
  })

  test('a shutdown closes the connection', async () => {
    const node = await serve(cwd, env)
    running = [node]
    await signIn(node, 'ada@example.com')
    const client = new Redis({ port: redis.port, password: PASSWORD })
    const connected = async () =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length
    expect(await connected()).toBe(2)
    expect((await node.end('SIGTERM')).code).toBe(0)
    expect(await connected()).toBe(1)
    client.disconnect()
  })

  test('one place to count in is enough', async () => {
    writeFileSync(join(cwd, 'sallyport.config.json'), JSON.stringify({ rateLimits: { store: 'memory' } }))
    const refused = await run(['doctor'], cwd, env)
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('rateLimits.store')])
  })
})
