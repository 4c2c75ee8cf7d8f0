import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { call, freePort, type Running, run, serve } from './support.ts'

let cwd: string
let running: Running[]
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sallyport-service-'))
  running = []
})
afterEach(() => {
  for (const { child } of running) child.kill('SIGKILL')
  rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
})

async function started(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Promise<Running> {
  const service = await serve(cwd, env, args)
  running.push(service)
  return service
}

const PERSON = {
  email: 'ana@example.com',
  name: 'Ana',
  tenantName: 'Acme',
  password: randomBytes(16).toString('base64url'),
}

async function signUp(url: string): Promise<Record<string, unknown>> {
  const { status, body } = await call(url, '/api/auth/sign-up', PERSON)
  expect([status, body]).toEqual([201, expect.objectContaining({ refreshToken: expect.any(String) as string })])
  return body
}

// How soon it is ready is measured by the benchmarks.
test('fresh and existing folder: ready by itself, SIGTERM exits with 0, and data survives', async () => {
  const fresh = await started()
  const { refreshToken } = await signUp(fresh.url)
  expect(await fresh.end('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(readdirSync(join(cwd, '.sallyport')).sort()).toEqual(['database', 'secrets'])
  expect(statSync(join(cwd, '.sallyport', 'secrets')).mode & 0o777).toBe(0o600)

  const again = await started()
  const refreshed = await call(again.url, '/api/auth/refresh', { refreshToken })
  expect(refreshed.status).toBe(200)
  expect((await call(again.url, '/api/auth/login', { email: PERSON.email, password: PERSON.password })).status).toBe(
    200,
  )
})

test('kill -9, then a start with no repair: what was answered is there', async () => {
  const first = await started()
  const { refreshToken } = await signUp(first.url)
  const rotated = await call(first.url, '/api/auth/refresh', { refreshToken })
  await first.end('SIGKILL')
  expect(existsSync(join(cwd, '.sallyport', 'sallyport.lock'))).toBe(true)

  const second = await started()
  const next = await call(second.url, '/api/auth/refresh', { refreshToken: rotated.body['refreshToken'] })
  expect(next.status).toBe(200)
})

test('a second process on the same folder is refused, and told which process has it', async () => {
  const first = await started()
  const second = await run(['serve'], cwd, { PORT: String(await freePort()) })
  expect(second.code).toBe(2)
  expect(second.stderr).toContain(`pid ${first.child.pid}`)
  expect(second.stderr.trim().split('\n')).toHaveLength(1)
})

test('production without its settings does not start, and says all that is missing', async () => {
  const { code, stderr } = await run(['serve'], cwd, { NODE_ENV: 'production' })
  expect(code).toBe(2)
  for (const name of ['SALLYPORT_ISSUER', 'SALLYPORT_SECRETS', 'DATABASE_URL'])
    expect(stderr).toContain(`sallyport: ${name} `)
  expect(existsSync(join(cwd, '.sallyport'))).toBe(false)
})

test('an engine option out of range is told by the name it was set by', async () => {
  const { code, stderr } = await run(['serve'], cwd, { SALLYPORT_ACCESS_TOKEN_TTL: '2d' })
  expect(code).toBe(2)
  expect(stderr).toMatch(/^sallyport: SALLYPORT_ACCESS_TOKEN_TTL must be /)
})

test('a request in flight is finished before the end', async () => {
  const service = await started()
  const body = JSON.stringify(PERSON)
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.write(
    `POST /api/auth/sign-up HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  )
  await sleep(200)
  const ended = service.end('SIGTERM')
  await sleep(200)
  await expect(fetch(`${service.url}/healthz`)).rejects.toThrow()
  socket.write(body.slice(10))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 201 /)
  expect(await ended).toEqual({ code: 0, signal: null })
})

test('a second signal ends it at once', async () => {
  const service = await started()
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
  )
  await sleep(200)
  const ended = service.end('SIGINT')
  await sleep(200)
  const asked = performance.now()
  service.child.kill('SIGINT')
  expect((await ended).code).toBe(1)
  expect(performance.now() - asked).toBeLessThan(5_000)
})

test('metrics on a port of their own are not on the main one', async () => {
  const metricsPort = await freePort()
  const service = await started({ SALLYPORT_METRICS_PORT: String(metricsPort) })
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  expect(page).toContain('sallyport_ready{check="feed"} 1')
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404)
  expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404)
})

test('production has no outbox, logs JSON and tells nobody a secret', async () => {
  const secret = randomBytes(32).toString('base64url')
  const service = await started({
    NODE_ENV: 'production',
    SALLYPORT_ALLOW_EMBEDDED: 'true',
    SALLYPORT_ISSUER: 'https://app.example.com',
    SALLYPORT_SECRETS: secret,
  })
  expect((await fetch(`${service.url}/api/dev/outbox`)).status).toBe(404)
  await service.end('SIGTERM')
  const lines = service.output().trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('listening')
  expect(service.output()).not.toContain(secret)
})

test('the demo: the same credentials at every start, and they sign in', async () => {
  const first = await started({}, ['--demo'])
  while (!first.output().includes('Demo tenant')) await sleep(50)
  const { passwords: _, ...demo } = JSON.parse(readFileSync(join(cwd, '.sallyport', 'demo.json'), 'utf8')) as {
    passwords: unknown
    people: { role: string; email: string; password: string; totpSecret?: string }[]
  }
  expect(statSync(join(cwd, '.sallyport', 'demo.json')).mode & 0o777).toBe(0o600)
  for (const role of ['owner', 'admin', 'auditor', 'member']) {
    const { email = '', password = '', totpSecret } = demo.people.find((person) => person.role === role) ?? {}
    for (const told of [email, password, totpSecret ?? 'no second factor']) expect(first.output()).toContain(told)
    const { status } = await call(first.url, '/api/auth/login', { email, password })
    expect([role, status]).toEqual([role, totpSecret === undefined ? 200 : 428])
  }
  // While the service has the folder the command tells what is kept, with the codes of this moment.
  const meanwhile = await run(['demo'], cwd)
  expect([meanwhile.code, meanwhile.stdout]).toEqual([0, expect.stringMatching(/owner@demo\.example .* code \d{6} /)])
  await first.end('SIGTERM')

  // The log is named for the issuer, and that for the port.
  const verified = await run(['audit', 'verify'], cwd, { PORT: new URL(first.url).port })
  expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining('all 2 logs hold')])
  const again = await run(['demo', '--json'], cwd)
  expect(JSON.parse(again.stdout)).toEqual({ ...demo, changed: [] })
})

test('the root is the console, or the page that says how to get one', async () => {
  const service = await started()
  const built = existsSync(new URL('../../apps/console/dist/index.html', import.meta.url))
  const page = await fetch(service.url)
  expect(await page.text()).toContain(built ? '<meta name="sallyport" content="{&quot;' : 'The console is not built')
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  await service.end('SIGTERM')
  const without = await started({ SALLYPORT_CONSOLE: 'false' })
  expect(await (await fetch(without.url)).text()).toContain('The console is turned off')
  expect((await fetch(`${without.url}/sessions`)).status).toBe(404)
})

test('the commands: migrate, doctor, keys', async () => {
  expect((await run(['doctor'], cwd)).code).toBe(0)
  expect((await run(['migrate', '--json'], cwd)).stdout).toBe('{"ran":[]}\n')
  const service = await started()
  const meanwhile = await run(['doctor', '--json'], cwd, { PORT: new URL(service.url).port })
  expect(JSON.parse(meanwhile.stdout)).toMatchObject({ ok: true })
  expect(meanwhile.stdout).toContain(`process ${service.child.pid} has the database, and is ready`)
  expect(meanwhile.stdout).toContain('not proof against power loss')
  await service.end('SIGTERM')

  const listed = JSON.parse((await run(['keys', 'list', '--json'], cwd)).stdout) as {
    keys: { kid: string; state: string }[]
  }
  expect(listed.keys.map(({ state }) => state).sort()).toEqual(['active', 'next'])
  const early = await run(['keys', 'rotate'], cwd)
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('--now')])
  expect((await run(['keys', 'rotate', '--now'], cwd)).code).toBe(0)
  const active = listed.keys.find(({ state }) => state === 'next')?.kid ?? ''
  expect((await run(['keys', 'revoke', active], cwd)).code).toBe(0)
  for (const none of ['none', '-of-these']) expect((await run(['keys', 'revoke', none], cwd)).code).toBe(1)
  const now = JSON.parse((await run(['keys', 'list', '--json'], cwd)).stdout) as typeof listed
  expect(now.keys.map(({ state }) => state).sort()).toEqual(['active', 'next', 'retired', 'revoked'])
})

test('the command line explains itself, and refuses what it does not know', async () => {
  const help = await run(['--help'], cwd)
  expect(help.code).toBe(0)
  for (const word of ['serve', 'migrate', 'demo', 'doctor', 'keys', 'DATABASE_URL', 'Exit codes']) {
    expect(help.stdout).toContain(word)
  }
  const unknown = await run(['frobnicate'], cwd)
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('frobnicate')
})
