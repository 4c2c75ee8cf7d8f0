/**
 * Keeps a flood of unauthenticated failures from filling the audit log: the first few of each kind get a row each, the rest
 * are counted and get one row together.
 *
 * @module
 */

import { isIPv6 } from 'node:net'

/** Twenty a minute for each (action, reason, network). */
const ROWS_A_WINDOW = 20
const WINDOW_MS = 60_000
/** Kinds that are counted at a time; an attacker with more networks than that is told apart no further. */
const MAX_KINDS = 10_000
const OVERFLOW = 'overflow'

/** Summaries that are gathered at a time, of all kinds; what goes beyond is summarised with the others of its kind. */
const MAX_SUMMARIES = 10_000

interface Counted<Event> {
  readonly since: number
  seen: number
  /** What got no row of its own, by whose log the summary goes to. */
  readonly surplus: Map<string, { event: Event; count: number }>
}

/** What was counted instead of being recorded. */
export interface Surplus<Event> {
  /** The last of them, which the summary row is made from. */
  readonly event: Event
  readonly count: number
}

/** Counts what arrives in one node's memory: a crash may lose a minute's count, never a row that was let through. */
export class FloodGate<Event> {
  readonly #kinds = new Map<string, Counted<Event>>()
  #summaries = 0

  /**
   * Whether the event gets a row of its own.
   *
   * @param log Whose log it goes to. It decides nothing: a row takes time, and whoever is answered sooner where a tenant has had its
   * twenty than where there is none would learn which accounts there are.
   * @param now Milliseconds of a monotonic clock.
   */
  admits(kind: string, log: string, event: Event, now: number): boolean {
    const key = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OVERFLOW
    const counted = this.#kinds.get(key)
    if (counted === undefined || (counted.since + WINDOW_MS <= now && counted.seen <= ROWS_A_WINDOW)) {
      this.#kinds.set(key, { since: now, seen: 1, surplus: new Map() })
      return true
    }
    if (++counted.seen <= ROWS_A_WINDOW) return true
    this.#count(counted.surplus, log, event)
    return false
  }

  #count(surplus: Counted<Event>['surplus'], log: string, event: Event): void {
    const key = surplus.has(log) || this.#summaries < MAX_SUMMARIES ? log : OVERFLOW
    const known = surplus.get(key)
    if (known === undefined) this.#summaries++
    surplus.set(key, { event, count: (known?.count ?? 0) + 1 })
  }

  /** Takes out the windows that are over, and what was counted in them. @param now As above; `Infinity` takes all. */
  takeSurplus(now: number): readonly Surplus<Event>[] {
    const surplus: Surplus<Event>[] = []
    for (const [kind, counted] of this.#kinds) {
      if (counted.since + WINDOW_MS > now) continue
      this.#kinds.delete(kind)
      this.#summaries -= counted.surplus.size
      surplus.push(...counted.surplus.values())
    }
    return surplus
  }
}

/** The network that an address is counted under: /24 or /64, which is what one client can move about in. */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  if (!isIPv6(address)) return address.split('.').slice(0, 3).join('.')
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const missing = 8 - groups.length - tail.split(':').filter((group) => group !== '').length
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...tail.split(':')].slice(0, 4).join(':')
}
