/**
 * Seals and signs in the background, in one process at a time.
 *
 * @module
 */

import { randomUUID } from 'node:crypto'
import { SallyportError } from '../errors.ts'
import type { Logger } from '../internal/logger.ts'
import type { LedgerStore, LogId, StoredCheckpoint } from '../store/contract/ledger.ts'
import type { SealDeps } from './seal.ts'
import { SEAL_BATCH, sealLog, sealWaiting } from './seal.ts'
import type { SignDeps } from './sign-checkpoint.ts'
import { signLog } from './sign-checkpoint.ts'

export interface SealerDeps extends SignDeps {
  readonly store: {
    readonly ledger: SealDeps['store']['ledger'] &
      SignDeps['store']['ledger'] &
      Pick<LedgerStore, 'unsigned' | 'lead' | 'resign'>
  }
  readonly settings: SignDeps['settings'] & {
    readonly audit: {
      readonly sealEveryMs: number
      readonly checkpointEveryMs: number
      readonly checkpointRows: number
    }
  }
  readonly log: Logger
}

/** Logs that one round signs; a round that leaves some behind goes on with the next. */
const SIGN_BATCH = 200
/** Kept across rounds, and free again this long after its holder was killed. */
const LEASE_MS = 10_000

/** The sealer of one node. Nodes take turns by a lease; two that both believe they have it still cannot fork a log. */
export class Sealer {
  readonly #deps: SealerDeps
  readonly #holder = randomUUID()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #stopped = false
  #leading = false
  #lastSweep = Number.NEGATIVE_INFINITY
  /** Logs that were refused, so that each is told once and not every round. */
  readonly #refused = new Map<LogId, string>()

  constructor(deps: SealerDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#schedule(this.#deps.settings.audit.sealEveryMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#round
    if (!this.#leading) return
    // So that another node need not wait for the lease to run out. With the database down it will have to.
    await this.#deps.store.ledger.resign(this.#holder).catch(() => undefined)
  }

  /** Seals all that waits of a log and signs it, for whoever asks for proof now. @throws as {@link signLog} does. */
  async checkpoint(log: LogId): Promise<StoredCheckpoint | undefined> {
    await sealLog(this.#deps, log)
    return signLog(this.#deps, log)
  }

  /** One round: seals until nothing waits, then signs what is due. Public for tests and for hosts with a scheduler of their own. */
  async run(): Promise<void> {
    const { ledger } = this.#deps.store
    const { checkpointEveryMs, checkpointRows } = this.#deps.settings.audit
    let sealed = 0
    for (;;) {
      if (this.#stopped) return
      this.#leading = await ledger.lead(this.#holder, LEASE_MS)
      if (!this.#leading) return
      const taken = await sealWaiting(this.#deps)
      sealed += taken
      if (taken < SEAL_BATCH) break
    }
    // Looking for what is due reads every head: at each round only where there may be a thousand rows.
    const now = performance.now()
    if (sealed < checkpointRows && now - this.#lastSweep < Math.min(checkpointEveryMs / 6, 10_000)) return
    this.#lastSweep = now
    for (const log of await ledger.unsigned({ rows: checkpointRows, ageMs: checkpointEveryMs, limit: SIGN_BATCH })) {
      if (this.#stopped) return
      await this.#sign(log)
    }
  }

  async #sign(log: LogId): Promise<void> {
    try {
      await signLog(this.#deps, log)
      this.#refused.delete(log)
    } catch (error) {
      // One log that is not what it was must not keep the others from being signed.
      if (!(error instanceof SallyportError) || error.code !== 'CONFLICT') throw error
      if (this.#refused.get(log) === error.message) return
      this.#refused.set(log, error.message)
      this.#deps.log.error({ err: error, log }, 'an audit log is not what was signed of it: no checkpoint was made')
    }
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#round = this.run()
        .catch((error: unknown) => {
          // The rows wait; the next round takes them.
          this.#deps.log.warn({ err: error }, 'audit rows could not be sealed; trying again')
        })
        .then(() => this.#schedule(delayMs))
    }, delayMs)
    this.#timer.unref()
  }
}
