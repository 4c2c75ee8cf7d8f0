/**
 * The example that tells a session's whole life, run as its reader would, against a service of its own; and against
 * services that do not keep to the story.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Run, Running } from '../processes/support.ts'
import { freePort, serve } from '../processes/support.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const STORY = join(ROOT, 'examples', 'lifecycle', 'src', 'lifecycle.ts')
/** Shorter than the default, so that the thief need not wait ten seconds. */
const OVERLAP_MS = 2000

let folder: string
let service: Running
const servers: Server[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-lifecycle-'))
  await writeFile(join(folder, 'sallyport.config.json'), JSON.stringify({ retry: { overlap: OVERLAP_MS } }))
  // Nothing in the service makes code of text, so that nobody can have it do so.
  service = await serve(folder, { NODE_OPTIONS: '--disallow-code-generation-from-strings' })
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await service?.end('SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

async function tell(url: string): Promise<Run> {
  const child = spawn(process.execPath, ['--import', 'tsx', STORY], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], SALLYPORT_URL: url, SALLYPORT_OVERLAP_MS: String(OVERLAP_MS) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** A server of one's own making, and its address. */
async function answering(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** The real service, but for one request, which gets an answer that is not the service's. */
function except(method: string, path: RegExp, status: number, body: unknown): Promise<string> {
  return answering(async (request, response) => {
    if (request.method === method && path.test(request.url ?? '')) {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization, 'content-type': type, 'user-agent': agent } = request.headers
    const forwarded = await fetch(`${service.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(agent === undefined ? {} : { 'user-agent': agent }),
      },
      ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
    })
    const refreshed = forwarded.headers.get('sallyport-refresh')
    response.writeHead(forwarded.status, {
      'content-type': forwarded.headers.get('content-type') ?? 'text/plain',
      ...(refreshed === null ? {} : { 'sallyport-refresh': refreshed }),
    })
    response.end(await forwarded.text())
  })
}

test('the story goes as told', async () => {
  const { code, stdout, stderr } = await tell(service.url)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('Everything went as told.')
  expect(stdout).not.toContain('✗')
})

test('no service: it fails', async () => {
  const { code, stdout } = await tell(`http://127.0.0.1:${await freePort()}`)
  expect(code).toBe(1)
  expect(stdout).not.toContain('Everything')
})

test.each([
  ['text', 200, 'hello'],
  ['an empty object', 201, '{}'],
  ['an error', 500, '{"error":"INTERNAL"}'],
])('a server that answers everything with %s: it fails', async (_name, status, body) => {
  const { code, stdout } = await tell(await answering((_request, response) => response.writeHead(status).end(body)))
  expect(code).toBe(1)
  expect(stdout).not.toContain('Everything')
})

test('a service that ends sessions without a second factor: it fails at that step, and says what was answered', async () => {
  const url = await except('POST', /\/revoke$/, 200, { success: true, currentRevoked: false })
  const { code, stdout, stderr } = await tell(url)
  expect(code).toBe(1)
  expect(stderr).toContain('✗ ending one asks for a second factor first: 428')
  expect(stderr).toContain('but the answer was 200')
  expect(stdout).not.toContain('Everything')
})

test('a service that says it signed out, and did not: it fails', async () => {
  const { code, stderr } = await tell(await except('POST', /\/auth\/logout$/, 200, { ok: true }))
  expect(code).toBe(1)
  expect(stderr).toContain('✗ her access token died with the session')
})
