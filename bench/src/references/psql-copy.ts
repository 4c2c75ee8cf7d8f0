/**
 * COPY by psql to nowhere: what the server can do when the client is written in C and keeps nothing.
 *
 * @module
 */

import { spawn } from 'node:child_process'
import type { Sample } from '../bench.ts'

/** @param select What is copied: a table, or a SELECT in parentheses. @returns Rows a second. */
export async function psqlCopy(url: string, select: string, rows: number): Promise<Sample> {
  const started = performance.now()
  await new Promise<void>((resolve, reject) => {
    const child = spawn('psql', [url, '-qAtX', '-c', `copy ${select} to stdout (format csv)`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`psql ended with ${code}`))))
  })
  return { value: (rows * 1000) / (performance.now() - started) }
}
