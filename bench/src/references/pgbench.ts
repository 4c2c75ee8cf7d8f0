/**
 * The same one statement driven by pgbench: what the server can do when the client is written in C.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample } from '../bench.ts'
import { leastRotation } from './plain-rotation.ts'

/** Whether the machine has the program; it comes with PostgreSQL, not with npm. */
export async function hasPgbench(): Promise<boolean> {
  return execute('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
}

export async function pgbench(
  url: string,
  { seconds, clients, families }: { readonly seconds: number; readonly clients: number; readonly families: number },
): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
  try {
    const script = join(folder, 'rotate.sql')
    const statement = leastRotation({
      n: ':n',
      id: 'gen_random_uuid()',
      hash: 'sha256(gen_random_uuid()::text::bytea)',
    })
    await writeFile(script, `\\set n random(1, ${families})\n${statement.replaceAll(/\s+/g, ' ')};\n`)
    const { hostname, port, username, password, pathname } = new URL(url)
    const output = await execute(
      'pgbench',
      ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds), '-f', script].concat(
        '-h',
        hostname,
        '-p',
        port || '5432',
        '-U',
        decodeURIComponent(username),
        pathname.slice(1),
      ),
      { PGPASSWORD: decodeURIComponent(password) },
    )
    const rate = /tps = ([\d.]+)/.exec(output)?.[1]
    const latency = /latency average = ([\d.]+) ms/.exec(output)?.[1]
    if (rate === undefined) throw new Error(`pgbench said: ${output}`)
    return { value: Number(rate), details: { mean: Number(latency) } }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function execute(program: string, args: readonly string[], variables: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}: ${complaint}`)),
    )
  })
}
