/**
 * The commands of an operator and of an auditor, one after the other, as they would be typed: a job, the log and its key, a
 * bundle, and each of them against what somebody changed.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { call, type Run, run, serve } from './support.ts'

// Each command is a process that opens the database.
vi.setConfig({ testTimeout: 400_000 })

const ENV = { SALLYPORT_ISSUER: 'https://id.example.com' }
let cwd: string
let tenant: string
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'sallyport-commands-'))
  const service = await serve(cwd, ENV)
  try {
    const password = randomBytes(16).toString('base64url')
    const person = { email: 'ana@example.com', name: 'Ana', tenantName: 'Acme', password }
    const { status, body } = await call(service.url, '/api/auth/sign-up', person)
    expect(status).toBe(201)
    tenant = (body as { tenant: { id: string } }).tenant.id
  } finally {
    await service.end('SIGTERM')
  }
})
afterAll(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 5 }))

const sallyport = (...args: readonly string[]): Promise<Run> => run(args, cwd, ENV)
/** Runs a command that must go well. */
async function well(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await sallyport(...args)
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/i)])
  return stdout
}

test('jobs: one is run and told of, and what is no job is refused', async () => {
  expect(await well('jobs', 'run', 'cleanup')).toMatch(/^cleanup: /)
  expect(await well('jobs', 'list')).toMatch(/cleanup {2}every 6 h: .*\n {2}\S+Z {2}done +/)
  const none = await sallyport('jobs', 'run', 'nothing')
  expect(none.code).not.toBe(0)
  expect(none.stderr).toContain('there is no job of this name; there are: cleanup')
})

test('the log: its checkpoint and key are kept, the key is rotated, and both go on to be worth something', async () => {
  const first = await well('audit', 'checkpoint', tenant)
  const old = (await well('audit', 'key', tenant)).trim()
  writeFileSync(join(cwd, 'first.txt'), first)

  const rotated = JSON.parse(await well('audit', 'rotate-key', tenant, '--reason', 'yearly', '--json')) as {
    epoch: number
    vkey: string
    note: string
  }
  expect(rotated.epoch).toBe(2)
  expect(rotated.vkey).not.toBe(old)
  expect(rotated.note.match(/^— /gm)).toHaveLength(2)
  expect((await well('audit', 'key', tenant)).trim()).toBe(rotated.vkey)
  expect((await sallyport('audit', 'rotate-key', tenant)).code).toBe(2)

  for (const key of [old, rotated.vkey]) {
    const told = await well('audit', 'verify', '--tenant', tenant, '--checkpoint', 'first.txt', '--key', key)
    expect(told).toContain('the log holds')
  }
  // A row fewer than was signed: the checkpoint of another history.
  const [origin, , root, ...rest] = first.split('\n')
  writeFileSync(join(cwd, 'forged.txt'), [origin, '1', root, ...rest].join('\n'))
  const forged = await sallyport('audit', 'verify', '--tenant', tenant, '--checkpoint', 'forged.txt')
  expect([forged.code, forged.stdout]).toEqual([1, expect.stringContaining('does not hold')])
})

test('a bundle: written, verified by the published key, and not once a byte of it is another', async () => {
  await well('evidence', '--tenant', tenant, '--out', 'bundle.zip')
  const key = (await well('audit', 'key', tenant)).trim()
  await well('verify', 'bundle.zip', '--key', key)
  const bytes = readFileSync(join(cwd, 'bundle.zip'))
  const middle = Math.floor(bytes.length / 2)
  bytes.writeUInt8((bytes[middle] ?? 0) ^ 1, middle)
  writeFileSync(join(cwd, 'changed.zip'), bytes)
  expect((await sallyport('verify', 'changed.zip', '--key', key)).code).toBe(1)
})
