/**
 * How long changes take to be known elsewhere, held to what is promised: the 99th percentile and the longest of many.
 *
 * A sample during which this process itself stood still says how busy the machine was and nothing of the service, and is taken again.
 *
 * @module
 */

import { expect } from 'vitest'

/** What is promised of nodes other than the one that made a change. */
export const KNOWN_WITHIN_MS = { p99: 250, max: 2000 } as const

const TICK_MS = 5
/** A pause that a sample may hold: timers are late by some milliseconds on any machine. */
const STILL_MS = 40
const GIVE_UP_MS = 10_000

/** Notes the longest time that this process stood still. */
class Watch {
  #last = performance.now()
  #longest = 0
  readonly #timer = setInterval(() => this.#tick(), TICK_MS)

  #tick(): void {
    const now = performance.now()
    this.#longest = Math.max(this.#longest, now - this.#last - TICK_MS)
    this.#last = now
  }

  stop(): number {
    clearInterval(this.#timer)
    this.#tick()
    return this.#longest
  }
}

export interface Probe {
  /** Whether the node still acts as before the change. */
  readonly unaware: () => Promise<boolean>
}

/** Samples of one kind of change, or of several. */
export class Delays {
  readonly #samples: number[] = []
  #retaken = 0

  /** How many samples were taken. */
  get size(): number {
    return this.#samples.length
  }

  /**
   * Makes a change and watches until every probe knows of it. None may forget it again.
   *
   * @returns Whether the samples were kept.
   */
  async take(change: () => Promise<unknown>, probes: readonly Probe[]): Promise<boolean> {
    const watch = new Watch()
    await change()
    const changed = performance.now()
    const delays = await Promise.all(probes.map((probe) => delayOf(probe, changed)))
    const still = watch.stop()
    for (const { unaware } of probes) {
      for (let again = 0; again < 3; again++)
        if (await unaware()) throw new Error('a node that knew of a change forgot it')
    }
    if (still > STILL_MS) {
      this.#retaken++
      return false
    }
    this.#samples.push(...delays)
    return true
  }

  percentile(percent: number): number {
    const sorted = this.#samples.toSorted((a, b) => a - b)
    return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
  }

  /** Tells what was measured, and holds it to the promise. */
  expectKept(what: string, atLeast: number): void {
    const [median, p99, max] = [this.percentile(50), this.percentile(99), this.percentile(100)].map(Math.round)
    console.log(
      `${what}: median ${median} ms, p99 ${p99} ms, longest ${max} ms of ${this.size} (${this.#retaken} retaken)`,
    )
    expect(this.size).toBeGreaterThanOrEqual(atLeast)
    expect(p99).toBeLessThanOrEqual(KNOWN_WITHIN_MS.p99)
    expect(max).toBeLessThanOrEqual(KNOWN_WITHIN_MS.max)
  }
}

async function delayOf({ unaware }: Probe, changed: number): Promise<number> {
  while (await unaware()) {
    if (performance.now() - changed > GIVE_UP_MS) throw new Error('a node never learnt of a change')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - changed
}
