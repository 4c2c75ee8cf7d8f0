/**
 * Starts jobs when they are due, on whichever node comes first.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { JOBS } from './jobs.ts'
import { runJob } from './run-job.ts'

/** How often a node looks whether anything is due. What is due is decided by the history that all nodes share. */
const LOOK_MS = 60_000
/** After a start, so that a node that restarts again and again does not spend itself on jobs. */
const FIRST_LOOK_MS = 15_000

/** The scheduler of one node. Of many nodes the lease of each job lets one run it; the others find it done. */
export class Scheduler {
  readonly #engine: Pick<Engine, 'store' | 'settings' | 'log' | 'live'>
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined

  constructor(engine: Pick<Engine, 'store' | 'settings' | 'log' | 'live'>) {
    this.#engine = engine
  }

  start(): void {
    this.#schedule(FIRST_LOOK_MS)
  }

  /** Ends after the batch that is under way. */
  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#round
  }

  /** Runs what is due. Public for tests, and for hosts with a scheduler of their own. */
  async look(): Promise<void> {
    const { store, log } = this.#engine
    const now = (await store.evidence.now()).getTime()
    const last = await store.jobs.lastDone()
    for (const job of JOBS) {
      if (this.#stop.signal.aborted) return
      const before = last.get(job.name)?.startedAt.getTime()
      if (before !== undefined && now - before < job.everyMs) continue
      try {
        const outcome = await runJob(this.#engine, job, { signal: this.#stop.signal })
        if (outcome.kind === 'done') log.info({ job: job.name, ...outcome.result }, 'a job is done')
      } catch (error) {
        log.error({ err: error, job: job.name }, 'a job failed; it is tried again')
      }
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stop.signal.aborted) return
    this.#timer = setTimeout(() => {
      this.#round = this.look()
        .catch((error: unknown) => this.#engine.log.warn({ err: error }, 'jobs could not be looked at; trying again'))
        .then(() => this.#schedule(LOOK_MS))
    }, delayMs)
    this.#timer.unref()
  }
}
