/**
 * The example of the client in Node, run as its reader would, against a service of its own.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Running } from '../processes/support.ts'
import { serve } from '../processes/support.ts'

const FOLDER = fileURLToPath(new URL('../../examples/node-client', import.meta.url))

let folder: string
let service: Running

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-node-client-'))
  service = await serve(folder)
})
afterAll(async () => {
  await service?.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

test('the example does what it says', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: FOLDER,
    // The issuer, as it is told where nothing else is set.
    env: { PATH: process.env['PATH'], SALLYPORT_URL: service.url.replace('127.0.0.1', 'localhost') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.trimEnd().split('\n')).toEqual([
    'live sessions: 2',
    'a second factor is asked for: revoke_session',
    'the phone is signed out: REFRESH_TOKEN_REVOKED',
    'a second factor is asked for: data_export',
    expect.stringMatching(/^exported [1-9]\d* bytes$/),
    'still signed in as Ana',
    'signed out: signed-out',
  ])
})
