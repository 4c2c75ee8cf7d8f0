/**
 * The service with its embedded database, from the command to the first good answer of `/readyz`.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, Figure } from '../bench.ts'
import { byTurns, limit } from '../measure.ts'
import { freePort } from '../servers/start.ts'

const CLI = fileURLToPath(new URL('../../../packages/server/dist/cli.js', import.meta.url))
const GIVE_UP_MS = 60_000

export const startBench: Bench = {
  name: 'start',
  title: 'The embedded service, start to ready',
  async run({ full }) {
    const kept = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
    try {
      await startedIn(join(kept, 'data'))
      const figures = await byTurns(
        [
          {
            name: 'on a fresh folder',
            async run() {
              const fresh = await mkdtemp(join(tmpdir(), 'sallyport-bench-'))
              try {
                return { value: await startedIn(join(fresh, 'data')) }
              } finally {
                await rm(fresh, { recursive: true, force: true })
              }
            },
          },
          { name: 'on existing data', run: async () => ({ value: await startedIn(join(kept, 'data')) }) },
        ],
        full ? 7 : 3,
        's',
      )
      const [fresh, existing] = figures as [Figure, Figure]
      return {
        figures,
        comparisons: [
          limit('embedded service, fresh folder', 's', fresh.value, { kind: 'at most', value: 4 }),
          limit('embedded service, existing data', 's', existing.value, { kind: 'at most', value: 2 }),
        ],
      }
    } finally {
      await rm(kept, { recursive: true, force: true })
    }
  },
}

/** Seconds from the start of the process until it is ready. It is stopped in order afterwards. */
async function startedIn(dataDir: string): Promise<number> {
  const port = await freePort()
  const started = performance.now()
  const child = spawn(process.execPath, [CLI, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      SALLYPORT_DATA_DIR: dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`)
      if (performance.now() - started > GIVE_UP_MS) throw new Error('the service did not become ready')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return (performance.now() - started) / 1000
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    // Nobody listens yet.
    return false
  }
}
