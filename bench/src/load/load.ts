/**
 * Puts load on a server process and tells what it did with it.
 *
 * @module
 */

import type { Sample } from '../bench.ts'
import type { Worker } from '../processes.ts'
import type { ConnectionPlan, LoadPlan, LoadResult } from './plan.ts'

export interface Target {
  readonly server: Worker
  readonly port: number
  /** Their tokens are moved on by each run. */
  connections: readonly ConnectionPlan[]
}

/** One run, after a warm-up of a quarter of its length. */
export async function putLoad(generator: Worker, target: Target, milliseconds: number): Promise<Sample> {
  await once(generator, target, milliseconds / 4)
  const before = await target.server.processorTime()
  const { requests, seconds, failures, firstFailure, p50, p99, generatorCore } = await once(
    generator,
    target,
    milliseconds,
  )
  const serverCore = ((await target.server.processorTime()) - before) / 1e6 / seconds
  if (failures > 0) throw new Error(`${failures} of ${requests} requests failed, the first with: ${firstFailure}`)
  return { value: requests / seconds, details: { p50, p99, serverCore, generatorCore } }
}

async function once(generator: Worker, target: Target, milliseconds: number): Promise<LoadResult> {
  const { port, connections } = target
  const result = await generator.call<LoadResult>('load', { port, milliseconds, connections } satisfies LoadPlan)
  target.connections = connections.map((plan, at) => {
    const token = result.tokens[at]
    return token === undefined ? plan : { ...plan, token }
  })
  return result
}
