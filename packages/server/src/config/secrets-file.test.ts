import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { secretsOf } from './secrets-file.ts'

let dataDir: string
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'sallyport-secrets-')), 'data')
})
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true, force: true }))

test('made once, for its owner alone, and read again', () => {
  const made = secretsOf(dataDir)
  expect(made).toHaveLength(1)
  expect(Buffer.from(made[0] ?? '', 'base64url')).toHaveLength(32)
  expect(statSync(join(dataDir, 'secrets')).mode & 0o777).toBe(0o600)
  expect(secretsOf(dataDir)).toEqual(made)
  expect(readdirSync(dataDir)).toEqual(['secrets'])
})

test('one that another process made first is taken, not replaced', () => {
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(join(dataDir, 'secrets'), 'theirs\nolder\n', { mode: 0o600 })
  expect(secretsOf(dataDir)).toEqual(['theirs', 'older'])
})

test('a file that others can read is closed to them', () => {
  secretsOf(dataDir)
  chmodSync(join(dataDir, 'secrets'), 0o644)
  secretsOf(dataDir)
  expect(statSync(join(dataDir, 'secrets')).mode & 0o777).toBe(0o600)
})

test('a database whose secret is gone is not given a new one', () => {
  mkdirSync(join(dataDir, 'database'), { recursive: true })
  expect(() => secretsOf(dataDir)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(readdirSync(dataDir)).toEqual(['database'])
})
