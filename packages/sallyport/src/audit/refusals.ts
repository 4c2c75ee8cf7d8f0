/**
 * Records refusals that nobody was authenticated for, bounded against floods.
 *
 * @module
 */

import type { Logger } from '../internal/logger.ts'
import type { Store } from '../store/contract/store.ts'
import { FloodGate, networkOf } from './flood-gate.ts'
import type { AuditEvent } from './record.ts'
import { auditRow } from './record.ts'

const SUMMARY_INTERVAL_MS = 10_000

/** The refusals of one node. */
export class Refusals {
  readonly #store: Pick<Store, 'audit'>
  readonly #log: Logger
  readonly #clock: () => Date
  readonly #gate = new FloodGate<AuditEvent>()
  #timer: NodeJS.Timeout | undefined

  /** @param clock The database's. */
  constructor(store: Pick<Store, 'audit'>, log: Logger, clock: () => Date) {
    this.#store = store
    this.#log = log
    this.#clock = clock
  }

  start(): void {
    this.#timer = setInterval(() => void this.#summarise(performance.now()), SUMMARY_INTERVAL_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#summarise(Number.POSITIVE_INFINITY)
  }

  /**
   * Writes the row of a refusal, or counts it once its kind has had twenty in a minute.
   *
   * @throws SallyportError `UNAVAILABLE` when the database did not take the row.
   */
  async record(event: AuditEvent): Promise<void> {
    const kind = [event.action, event.failureReason, networkOf(event.request?.ipAddress)].join('|')
    if (!this.#gate.admits(kind, event.tenantId ?? '', event, performance.now())) return
    await this.#store.audit.append([auditRow({ outcome: 'FAIL', ...event }, this.#clock())])
  }

  async #summarise(now: number): Promise<void> {
    for (const { event, count } of this.#gate.takeSurplus(now)) {
      try {
        const summary = { outcome: 'FAIL' as const, ...event, metadata: { ...event.metadata, summarised: count } }
        await this.#store.audit.append([auditRow(summary, this.#clock())])
      } catch (error) {
        // With the database down the count goes to the log stream.
        this.#log.error(
          { err: error, action: event.action, failureReason: event.failureReason, count },
          'refusals could not be summarised in the audit log',
        )
      }
    }
  }
}
