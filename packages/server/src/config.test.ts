import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Problem } from './config/problems.ts'
import { settingsSchema, VARIABLES } from './config/schema.ts'
import { loadConfig } from './config.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const SECRET = 'q9c0JzX3nT5vKxq1mW7rY2bH8dLpE4sUaGfZ6oVtN0A'

async function problemsOf(env: Record<string, string>): Promise<readonly Problem[]> {
  const error = await loadConfig({ env, cwd }).then(
    () => undefined,
    (thrown: unknown) => thrown as { code: string; facts: { problems: readonly Problem[] }; message: string },
  )
  if (error === undefined) return []
  expect(error.code).toBe('CONFIG_INVALID')
  expect(error.message.split('\n')).toHaveLength(error.facts.problems.length)
  return error.facts.problems
}

async function named(env: Record<string, string>): Promise<string[]> {
  return (await problemsOf(env)).map(({ where }) => where).sort()
}

test('nothing set: the embedded default on this machine alone', async () => {
  expect(await loadConfig({ env: {}, cwd })).toMatchObject({
    production: false,
    database: { kind: 'embedded' },
    dataDir: join(cwd, '.sallyport'),
    issuer: 'http://localhost:8080',
    secrets: undefined,
    host: '127.0.0.1',
    port: 8080,
    smtp: undefined,
  })
})

test('the environment wins over the file, and what it does not set stays the file’s', async () => {
  writeFileSync(
    join(cwd, 'sallyport.config.json'),
    JSON.stringify({ port: 9000, logLevel: 'warn', refreshToken: { ttl: '1d', maxSessionLife: '10d' } }),
  )
  const config = await loadConfig({ env: { PORT: '9001', SALLYPORT_REFRESH_TOKEN_TTL: '2d', LOG_LEVEL: '' }, cwd })
  expect(config).toMatchObject({ port: 9001, logLevel: 'warn', issuer: 'http://localhost:9001' })
  expect(config.engine.refreshToken).toEqual({ ttl: '2d', maxSessionLife: '10d' })
})

test('a module can be the file', async () => {
  writeFileSync(join(cwd, 'sallyport.config.mjs'), 'export const config = { port: 4000 + 5 }')
  expect((await loadConfig({ env: {}, cwd })).port).toBe(4005)
})

test('every problem is told at once, each by the name it was set by', async () => {
  writeFileSync(
    join(cwd, 'sallyport.config.json'),
    JSON.stringify({ prot: 1, accessToken: { ttl: 'soon', kind: 1 }, consistency: 'maybe' }),
  )
  expect(
    await named({
      PORT: '70000',
      LOG_LEVEL: 'loud',
      SALLYPORT_ISSUER: 'app.example.com',
      SALLYPORT_SECRET: SECRET,
      SALLYPORT_SIGN_UP: 'yes',
      DATABASE_URL: 'mysql://x',
      SMTP_URL: 'smtp://mail.example.com',
    }),
  ).toEqual([
    'DATABASE_URL',
    'LOG_LEVEL',
    'MAIL_FROM',
    'PORT',
    'SALLYPORT_ISSUER',
    'SALLYPORT_SECRET',
    'SALLYPORT_SIGN_UP',
    'sallyport.config.json: "accessToken.kind"',
    'sallyport.config.json: "accessToken.ttl"',
    'sallyport.config.json: "consistency"',
    'sallyport.config.json: "prot"',
  ])
})

test('production: secrets, issuer and database must be set', async () => {
  expect(await named({ NODE_ENV: 'production' })).toEqual(['DATABASE_URL', 'SALLYPORT_ISSUER', 'SALLYPORT_SECRETS'])
})

test('production: an issuer that is not https is refused', async () => {
  const env = { NODE_ENV: 'production', DATABASE_URL: 'postgres://db/x', SALLYPORT_SECRETS: SECRET }
  expect(await named({ ...env, SALLYPORT_ISSUER: 'http://app.example.com' })).toEqual(['SALLYPORT_ISSUER'])
  expect(await named({ ...env, SALLYPORT_ISSUER: 'https://app.example.com' })).toEqual([])
})

test('production: the embedded database only where somebody says so', async () => {
  const env = { NODE_ENV: 'production', SALLYPORT_SECRETS: SECRET, SALLYPORT_ISSUER: 'https://app.example.com' }
  expect(await named(env)).toEqual(['DATABASE_URL'])
  expect(await named({ ...env, SALLYPORT_ALLOW_EMBEDDED: 'true' })).toEqual([])
})

test('a shared database needs secrets that its nodes share', async () => {
  expect(await named({ DATABASE_URL: 'postgres://db/x' })).toEqual(['SALLYPORT_SECRETS'])
})

test('no value is repeated in a problem: it may be a secret', async () => {
  writeFileSync(
    join(cwd, 'sallyport.config.json'),
    JSON.stringify({ databaseUrl: 'mysql://user:hunter2@db/x', secrets: SECRET }),
  )
  const text = JSON.stringify(await problemsOf({ SALLYPORT_METRICS_TOKEN: 'hunter2' }))
  expect(text).not.toContain('hunter2')
  expect(text).not.toContain(SECRET)
})

test('a file that cannot be read says so without its content', async () => {
  writeFileSync(join(cwd, 'sallyport.config.json'), `{ "secrets": ["${SECRET}"`)
  expect(await named({})).toEqual(['sallyport.config.json'])
  expect(JSON.stringify(await problemsOf({}))).not.toContain(SECRET.slice(0, 8))
  expect(await named({ SALLYPORT_CONFIG: 'other.json' })).toEqual(['other.json'])
})

test('a TypeScript file and two files are refused, not ignored', async () => {
  writeFileSync(join(cwd, 'sallyport.config.json'), '{}')
  writeFileSync(join(cwd, 'sallyport.config.mjs'), 'export const config = {}')
  expect(await named({})).toEqual(['sallyport.config.mjs'])
  writeFileSync(join(cwd, 'sallyport.config.ts'), 'export const config = {}')
  expect(await named({})).toEqual(['sallyport.config.ts'])
})

test('what Kubernetes sets for a service named sallyport is no misspelt setting', async () => {
  expect(
    await named({
      SALLYPORT_SERVICE_HOST: '10.0.0.1',
      SALLYPORT_SERVICE_PORT: '8080',
      SALLYPORT_PORT: 'tcp://10.0.0.1:8080',
      SALLYPORT_PORT_8080_TCP_ADDR: '10.0.0.1',
    }),
  ).toEqual([])
})

test('every variable leads to a setting of the file, and both are documented', async () => {
  const page = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  for (const [name, { path }] of Object.entries(VARIABLES)) {
    expect(Object.keys(settingsSchema.shape)).toContain(path.split('.')[0])
    expect(page).toContain(`| \`${name}\` | \`${path}\` |`)
  }
  for (const key of Object.keys(settingsSchema.shape)) expect(page).toContain(`\`${key}`)
})

test('proofs of keys at each request are refused beside the console, whose client does not make them', async () => {
  writeFileSync(join(cwd, 'sallyport.config.json'), JSON.stringify({ dpop: { requireOnRequests: true } }))
  expect(await named({})).toEqual(['sallyport.config.json: "dpop.requireOnRequests"'])
  const { engine } = await loadConfig({ env: { SALLYPORT_CONSOLE: 'false' }, cwd })
  expect(engine.dpop).toEqual({ requireOnRequests: true })
})
