/**
 * Lets a few password hashes run at a time, so that a flood of sign-ins can exhaust neither memory nor the thread pool.
 *
 * @module
 */

import { SallyportError } from '../errors.ts'

export class HashQueue {
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor({ concurrency, maxWaiting }: { readonly concurrency: number; readonly maxWaiting: number }) {
    this.#concurrency = concurrency
    this.#maxWaiting = maxWaiting
  }

  /**
   * Runs `work` when its turn comes.
   *
   * @throws SallyportError `UNAVAILABLE` when too many wait already: to answer at once is kinder than to answer late.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrency) {
      this.#running++
    } else {
      if (this.#waiting.length >= this.#maxWaiting) {
        throw new SallyportError('UNAVAILABLE', 'too many passwords are being checked; try again', {
          facts: { retryAfter: 2 },
        })
      }
      // Whoever leaves hands over the place, so that nobody who comes between can take it.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
