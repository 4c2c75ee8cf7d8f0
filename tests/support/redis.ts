/**
 * A Redis server of a test's own, where the machine has one.
 *
 * @module
 */

import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../processes/support.ts'

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

export interface TestRedis {
  readonly port: number
  /** Ends it as a crash would. */
  kill(): Promise<void>
}

/** @param password What it asks of clients. Defaults to nothing. */
export async function startRedis(password?: string): Promise<TestRedis> {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '']
  const server = spawn('redis-server', password === undefined ? args : [...args, '--requirepass', password], {
    stdio: 'ignore',
  })
  await answering(server, port)
  return {
    port,
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return
      const ended = once(server, 'exit')
      server.kill('SIGKILL')
      await ended
    },
  }
}

async function answering(server: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (server.exitCode !== null) break
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    if (reached) return
    await sleep(50)
  }
  throw new Error('redis-server did not start')
}
