/**
 * Revokes sessions on one node while another is under load, and measures how long that one goes on letting them in.
 *
 * @module
 */

import type { BenchSession } from '../fixtures.ts'
import type { Sallyport } from '../library.ts'
import { percentile } from '../measure.ts'

const PROBE_EVERY_MS = 10
const PAUSE_MS = 50

export class Revocations {
  readonly #node: Sallyport
  readonly #sessions: BenchSession[]
  readonly #url: string
  readonly #delays: number[] = []

  /** @param node Revokes. @param port Where the other node answers. */
  constructor(node: Sallyport, sessions: BenchSession[], port: number) {
    this.#node = node
    this.#sessions = sessions
    this.#url = `http://127.0.0.1:${port}/projects`
  }

  /** Revokes one session after the other for as long as `work` takes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let over = false
    const revoking = (async () => {
      while (!over) {
        const session = this.#sessions.pop()
        if (session === undefined) return
        this.#delays.push(await this.#revoke(session))
        await pause(PAUSE_MS)
      }
    })()
    try {
      return await work()
    } finally {
      over = true
      await revoking
    }
  }

  get count(): number {
    return this.#delays.length
  }

  /** Milliseconds. */
  percentile(percent: number): number {
    return percentile(
      this.#delays.toSorted((a, b) => a - b),
      percent,
    )
  }

  async #revoke({ tenantId, sessionId, accessToken }: BenchSession): Promise<number> {
    if ((await this.#probe(accessToken)) !== 200) throw new Error('a live session was refused')
    await this.#node.store.sessions.end(
      { of: 'session', tenantId, sessionId },
      { reason: 'manual', bumpVersion: false },
      () => [],
    )
    const revokedAt = performance.now()
    while ((await this.#probe(accessToken)) === 200) await pause(PROBE_EVERY_MS)
    const delay = performance.now() - revokedAt
    for (let again = 0; again < 5; again++) {
      if ((await this.#probe(accessToken)) === 200) throw new Error('a session was let in after it had been refused')
    }
    return delay
  }

  async #probe(token: string): Promise<number> {
    const response = await fetch(this.#url, { headers: { authorization: `Bearer ${token}` } })
    await response.arrayBuffer()
    return response.status
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
