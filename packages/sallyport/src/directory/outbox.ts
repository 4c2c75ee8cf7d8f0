/**
 * Keeps mails in memory instead of sending them: for development, where no mail server is configured.
 *
 * @module
 */

import type { Mail, Mailer } from './mailer.ts'

/** A mail that was kept. */
export interface OutboxMessage extends Mail {
  readonly sentAt: Date
}

/** How an outbox keeps its mails. */
export interface OutboxOptions {
  /** How many are kept; beyond it the oldest go. Defaults to 500. */
  readonly keep?: number
  /** This process's clock. */
  readonly now?: () => Date
}

/** A mailer that sends nothing. Never in production: what it keeps opens accounts. */
export class Outbox implements Mailer {
  readonly #messages: OutboxMessage[] = []
  readonly #keep: number
  readonly #now: () => Date

  constructor({ keep = 500, now = () => new Date() }: OutboxOptions = {}) {
    if (!Number.isInteger(keep) || keep < 1) throw new TypeError('outbox: "keep" must be a positive whole number')
    this.#keep = keep
    this.#now = now
  }

  async send(mail: Mail): Promise<void> {
    this.#messages.push({ ...mail, sentAt: this.#now() })
    if (this.#messages.length > this.#keep) this.#messages.shift()
  }

  /** Newest last. `to` is compared without case. */
  messages(to?: string): readonly OutboxMessage[] {
    const wanted = to?.toLowerCase()
    return this.#messages.filter((message) => wanted === undefined || message.to.toLowerCase() === wanted)
  }
}
