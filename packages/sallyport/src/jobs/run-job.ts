/**
 * Runs a job once, alone, and keeps what became of it.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { AuditId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { Job, JobResult } from './job.ts'

export interface RunJobOptions {
  readonly onProgress?: ((result: JobResult) => void) | undefined
  /** Ends the run after the batch that it is at. */
  readonly signal?: AbortSignal | undefined
}

export type RunJobOutcome =
  | { readonly kind: 'done'; readonly runId: string; readonly result: JobResult }
  /** Another process has it in hand. */
  | { readonly kind: 'running-elsewhere' }

const LEASE_MS = 60_000
const RENEW_MS = 15_000

/**
 * Runs the job unless another process does.
 *
 * @throws What the job threw, after the run was noted as failed.
 */
export async function runJob(
  engine: Pick<Engine, 'store' | 'settings' | 'log' | 'live'>,
  job: Job,
  { onProgress, signal }: RunJobOptions = {},
): Promise<RunJobOutcome> {
  const { jobs } = engine.store
  const holder = randomUUID()
  const lease = `job:${job.name}`
  if (!(await jobs.lead(lease, holder, LEASE_MS))) return { kind: 'running-elsewhere' }
  const runId = newId<AuditId>()
  let latest: JobResult = {}
  let renewed = performance.now()
  try {
    await jobs.begin(job.name, runId)
    try {
      const result = await job.run({
        engine,
        runId,
        async progress(so) {
          latest = { ...so }
          onProgress?.(latest)
          if (signal?.aborted === true)
            throw new SallyportError('UNAVAILABLE', 'the job was stopped; the next run goes on')
          if (performance.now() - renewed < RENEW_MS) return
          renewed = performance.now()
          await jobs.progress(runId, latest)
          // Two runners do no harm to the data, but the history would tell of both.
          if (!(await jobs.lead(lease, holder, LEASE_MS))) {
            throw new SallyportError('CONFLICT', 'another process took the job over')
          }
        },
      })
      await jobs.finish(runId, result, undefined)
      return { kind: 'done', runId, result }
    } catch (error) {
      // A message may hold what a database said; the code may not.
      const code = error instanceof SallyportError ? error.code : 'INTERNAL'
      await jobs.finish(runId, latest, code).catch(() => undefined)
      throw error
    }
  } finally {
    await jobs.resign(lease, holder).catch(() => undefined)
  }
}
