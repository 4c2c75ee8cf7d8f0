/**
 * Gathers calls that come together into one round trip.
 *
 * @module
 */

interface Waiting<Key, Value> {
  readonly key: Key
  readonly resolve: (value: Value) => void
  readonly reject: (reason: unknown) => void
}

export interface BatchOptions {
  /** How many keys one load takes. */
  readonly most: number
  /**
   * How many loads go on at once: what comes meanwhile waits, and goes together. A load that takes long, for it waits for
   * somebody, keeps nobody waiting behind it.
   */
  readonly lanes: number
}

/** With several lanes and nothing under way, so many do not wait for the rest of their turn: the load works while this process goes on. */
const EARLY = 8
/** After this long a load no longer takes up a lane. */
const SLOW_MS = 20

/**
 * Returns a function that hands one key to `load` together with those that come in the same turn of the event loop, or while
 * all lanes are taken. Nothing is cached: each call is answered by a load that began after it.
 *
 * @param load Answers the keys, in their order.
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { most, lanes }: BatchOptions,
): (key: Key) => Promise<Value> {
  let waiting: Waiting<Key, Value>[] = []
  let underWay = 0
  let scheduled = false
  let wasEarly = false

  function flush(): void {
    while (waiting.length > 0 && underWay < lanes) {
      const batch = waiting.slice(0, most)
      waiting = waiting.slice(most)
      void answer(batch)
    }
  }

  function flushSoon(): void {
    if (scheduled || (waiting.length === 0 && !wasEarly)) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      wasEarly = false
      flush()
    })
  }

  async function answer(batch: readonly Waiting<Key, Value>[]): Promise<void> {
    const leave = takeLane()
    try {
      const values = await load(batch.map(({ key }) => key))
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as Value)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      leave()
    }
  }

  function takeLane(): () => void {
    underWay++
    let taken = true
    const leave = (): void => {
      clearTimeout(timer)
      if (!taken) return
      taken = false
      underWay--
      flushSoon()
    }
    const timer = setTimeout(leave, SLOW_MS)
    return leave
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      // Once a turn: a database in this very process answers without one, and would keep timers from ever coming.
      if (lanes > 1 && underWay === 0 && waiting.length >= EARLY && !wasEarly) {
        wasEarly = true
        flush()
      }
      flushSoon()
    })
}
