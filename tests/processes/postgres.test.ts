import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'
import { call, freePort, type Running, run, serve } from './support.ts'

describe.skipIf(!hasPostgres)('the service on PostgreSQL', () => {
  let database: TestDatabase
  let cwd: string
  let env: Readonly<Record<string, string>>
  let running: Running[] = []
  beforeEach(async () => {
    database = await createDatabase()
    cwd = mkdtempSync(join(tmpdir(), 'sallyport-service-'))
    env = { DATABASE_URL: database.url, SALLYPORT_SECRETS: randomBytes(32).toString('base64url') }
  })
  afterEach(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    running = []
    await database.drop()
    rmSync(cwd, { recursive: true, force: true })
  })

  test('it refuses a database that is behind, and starts when it was migrated', async () => {
    const refused = await run(['serve'], cwd, { ...env, PORT: String(await freePort()) })
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('sallyport migrate')])
    const doctor = await run(['doctor'], cwd, env)
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/fail +migrations/)])

    expect((await run(['migrate'], cwd, env)).stdout).toMatch(/^ran 0001_/)
    expect((await run(['migrate'], cwd, env)).stdout).toBe('up to date, nothing to run\n')
    const healthy = await run(['doctor'], cwd, env)
    expect([healthy.code, healthy.stdout]).toEqual([0, expect.stringMatching(/ok +clock/)])
    expect(readdirSync(cwd)).toEqual([])
  })

  test('two nodes serve one database: what one hands out the other takes', async () => {
    await run(['migrate'], cwd, env)
    const [one, two] = await Promise.all([serve(cwd, env), serve(cwd, env)])
    running = [one, two]
    const password = randomBytes(16).toString('base64url')
    const { body } = await call(one.url, '/api/auth/sign-up', {
      email: 'ana@example.com',
      name: 'Ana',
      tenantName: 'Acme',
      password,
    })
    const refreshed = await call(two.url, '/api/auth/refresh', { refreshToken: body['refreshToken'] })
    expect(refreshed.status).toBe(200)
    expect((await one.end('SIGTERM')).code).toBe(0)
    expect((await two.end('SIGTERM')).code).toBe(0)
  })

  test('a database that is away is told in one line, without the address', async () => {
    const away = { ...env, DATABASE_URL: 'postgres://user:hunter2@127.0.0.1:9/none', PORT: String(await freePort()) }
    const { code, stderr } = await run(['serve'], cwd, away)
    expect(code).toBe(3)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain('hunter2')
    const doctor = await run(['doctor'], cwd, away)
    expect([doctor.code, doctor.stdout.includes('hunter2')]).toEqual([1, false])
  })
})
