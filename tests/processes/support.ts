/**
 * The built command `sallyport` as a process, as people run it.
 *
 * @module
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../packages/server/dist/cli.js', import.meta.url))

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly url: string
  output(): string
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

type Env = Readonly<Record<string, string>>

function start(
  args: readonly string[],
  cwd: string,
  env: Env,
): { child: ChildProcess; stdout: () => string; stderr: () => string } {
  // Nothing of the machine's own settings: what a test does not set is not set.
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return { child, stdout: () => out, stderr: () => err }
}

/** Runs a command to its end. */
export async function run(args: readonly string[], cwd: string, env: Env = {}): Promise<Run> {
  const { child, stdout, stderr } = start(args, cwd, env)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Starts the service on a free port and waits until it is ready. */
export async function serve(cwd: string, env: Env = {}, args: readonly string[] = []): Promise<Running> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const started = performance.now()
  const { child, stdout, stderr } = start(['serve', ...args], cwd, { PORT: String(port), ...env })
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const output = (): string => stdout() + stderr()
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() - started > 100_000) {
      child.kill('SIGKILL')
      throw new Error(`the service did not become ready: ${output()}`)
    }
    await sleep(20)
  }
  return {
    child,
    url,
    output,
    async end(signal) {
      child.kill(signal)
      const [code, by] = await ended
      return { code, signal: by }
    },
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (response) => response.ok,
    () => false,
  )
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A JSON call of the API. */
export async function call(
  url: string,
  path: string,
  body?: unknown,
  headers: Env = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
