/**
 * What a job is: work with a name that one process at a time does, now and then, and whose every run is kept on record.
 *
 * @module
 */

import type { Engine } from '../engine.ts'

/** What a run has done so far, by count. */
export type JobResult = Readonly<Record<string, number>>

export interface JobContext {
  readonly engine: Pick<Engine, 'store' | 'settings' | 'log' | 'live'>
  /** Joins the audit rows of one run. */
  readonly runId: string
  /** Tells how far it has come. Rejects when the run must end: its lease went to another, or it was stopped. */
  readonly progress: (result: JobResult) => Promise<void>
}

export interface Job {
  readonly name: string
  readonly summary: string
  readonly everyMs: number
  readonly run: (context: JobContext) => Promise<JobResult>
}
