/**
 * Gathers what may be written a little later: when a session was last seen, and which refresh generations were.
 *
 * @module
 */

import type { SessionId, TenantId } from '../ids.ts'
import type { Logger } from '../internal/logger.ts'
import type { Store } from '../store/contract/store.ts'

/** Confirmations within 2 s, touches within 5 s (a crash loses no more than that). */
const FLUSH_INTERVAL_MS = 1500
const MAX_BATCH = 1000
const TOUCH_AT_MOST_EVERY_MS = 120_000

/** At most one write a session in min(2 minutes, idle limit / 10): the idle limit is enforced to that precision. */
export function isTouchDue(touchedAt: number, now: number, idleMs: number): boolean {
  return now - touchedAt >= Math.min(TOUCH_AT_MOST_EVERY_MS, idleMs / 10)
}

interface Touch {
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly at: Date
}
interface Confirmation {
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly generation: number
}

/** The buffers of one node. What could not be written is kept for the next time; both writes may be repeated. */
export class WriteBehind {
  readonly #store: Pick<Store, 'sessions' | 'tokens'>
  readonly #log: Logger
  #touches = new Map<SessionId, Touch>()
  #confirmations = new Map<SessionId, Confirmation>()
  #timer: NodeJS.Timeout | undefined
  #flushing: Promise<void> = Promise.resolve()

  constructor(store: Pick<Store, 'sessions' | 'tokens'>, log: Logger) {
    this.#store = store
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS)
    this.#timer.unref()
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  touch(touch: Touch): void {
    const before = this.#touches.get(touch.sessionId)
    if (before === undefined || before.at < touch.at) this.#touches.set(touch.sessionId, touch)
  }

  confirm(confirmation: Confirmation): void {
    const before = this.#confirmations.get(confirmation.sessionId)
    if (before === undefined || before.generation < confirmation.generation) {
      this.#confirmations.set(confirmation.sessionId, confirmation)
    }
  }

  /** Never rejects: nothing that a request promised depends on it. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write())
    return this.#flushing
  }

  async #write(): Promise<void> {
    const confirmations = [...this.#confirmations.values()]
    const touches = [...this.#touches.values()]
    this.#confirmations = new Map()
    this.#touches = new Map()
    try {
      for (const batch of chunks(confirmations)) await this.#store.tokens.confirm(batch)
    } catch (error) {
      for (const confirmation of confirmations) this.confirm(confirmation)
      this.#log.warn({ err: error, count: confirmations.length }, 'confirmations wait for the database')
    }
    try {
      for (const batch of chunks(touches)) await this.#store.sessions.touch(batch)
    } catch (error) {
      for (const touch of touches) this.touch(touch)
      this.#log.warn({ err: error, count: touches.length }, 'touches wait for the database')
    }
  }
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += MAX_BATCH) yield items.slice(at, at + MAX_BATCH)
}
