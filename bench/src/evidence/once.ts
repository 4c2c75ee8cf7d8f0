/**
 * One piece of work in a process that was started for it, with its speed and its peak of memory.
 *
 * @module
 */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Sample } from '../bench.ts'
import { SECRET } from '../fixtures.ts'
import { TENANT } from './filled-log.ts'

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url))

export interface Order {
  readonly url: string
  readonly rows: number
}

/** @param method One of the worker's. @returns Rows a second. */
export async function once(method: string, { url, rows }: Order): Promise<Sample> {
  const { stdout } = await promisify(execFile)(process.execPath, [WORKER, method, url, SECRET, TENANT])
  const { seconds, ...details } = JSON.parse(stdout) as { seconds: number } & Record<string, number>
  return { value: rows / seconds, details }
}
