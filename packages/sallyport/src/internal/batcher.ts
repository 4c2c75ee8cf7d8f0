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
  /** How many loads may go on at once. One is for a database in this very process, which works only while nothing else does. */
  readonly lanes: number
}

/**
 * While fewer keys than this are under way, whoever comes need not wait for them. While more are, what comes is worth gathering:
 * in loads of two or three each the database does as much again for every one of them.
 */
const FEW = 8
/** After this long a load no longer takes up a lane: it waits for somebody, and keeps nobody waiting behind it. */
const SLOW_MS = 20

/**
 * Returns a function that hands one key to `load` together with those that come in the same turn of the event loop, or while
 * many are under way. Nothing is cached: each call is answered by a load that began after it.
 *
 * A crowd that comes while nothing is under way is divided in two: from then on one half's load works while this process is busy
 * with the other half, where otherwise each would wait for the other.
 *
 * @param load Answers the keys, in their order.
 */
export function batched<Key, Value>(
  load: (keys: readonly Key[]) => Promise<readonly Value[]>,
  { most, lanes }: BatchOptions,
): (key: Key) => Promise<Value> {
  let waiting: Waiting<Key, Value>[] = []
  let loads = 0
  let keysUnderWay = 0
  let scheduled = false
  /** Whether a load has ended since the last began. */
  let goesOn = false

  function flush(): void {
    while (waiting.length > 0 && (loads === 0 || (loads < lanes && keysUnderWay < FEW))) {
      const divided = lanes > 1 && loads === 0 && !goesOn
      const size = Math.min(most, divided ? Math.max(FEW, Math.ceil(waiting.length / 2)) : waiting.length)
      const batch = waiting.slice(0, size)
      waiting = waiting.slice(size)
      goesOn = false
      void answer(batch)
    }
  }

  // Once a turn: a database in this very process answers without one, and would keep timers from ever coming.
  function flushSoon(): void {
    if (scheduled || waiting.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      flush()
    })
  }

  async function answer(batch: readonly Waiting<Key, Value>[]): Promise<void> {
    const leave = takeLane(batch.length)
    try {
      const values = await load(batch.map(({ key }) => key))
      for (const [index, { resolve }] of batch.entries()) resolve(values[index] as Value)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    } finally {
      leave()
    }
  }

  function takeLane(keys: number): () => void {
    loads++
    keysUnderWay += keys
    let taken = true
    const leave = (): void => {
      clearTimeout(timer)
      if (!taken) return
      taken = false
      loads--
      keysUnderWay -= keys
      goesOn = waiting.length > 0
      flushSoon()
    }
    const timer = setTimeout(leave, SLOW_MS)
    return leave
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject })
      flushSoon()
    })
}
