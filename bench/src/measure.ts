/**
 * Runs contenders by turns, so that whatever else the machine does meets all of them, and takes medians.
 *
 * @module
 */

import type { Comparison, Figure, Goal, Sample } from './bench.ts'

export interface Contender {
  readonly name: string
  run(): Promise<Sample> | Sample
}

/** Every contender once, then every contender again: never one for long while another rests. */
export async function byTurns(contenders: readonly Contender[], rounds: number, unit: string): Promise<Figure[]> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // In reverse in every second round: nobody always comes after the same other.
    const order = round % 2 === 0 ? contenders : contenders.toReversed()
    for (const contender of order) samples.get(contender.name)?.push(await contender.run())
  }
  return contenders.map(({ name }) => figure(name, unit, samples.get(name) ?? []))
}

export function figure(name: string, unit: string, samples: readonly Sample[]): Figure {
  const runs = samples.map(({ value }) => value)
  const details: Record<string, number> = {}
  for (const key of Object.keys(samples[0]?.details ?? {})) {
    details[key] = median(samples.map((sample) => sample.details?.[key] ?? Number.NaN))
  }
  return { name, unit, value: median(runs), runs, details }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Ours beside a reference of the same run. `detail` compares one of the details in place of the values. */
export function compare(
  work: string,
  ours: Figure,
  theirs: Figure,
  goal?: Omit<Goal, 'of'>,
  detail?: { readonly name: string; readonly unit: string },
): Comparison {
  const valueOf = (of: Figure): number => (detail === undefined ? of.value : (of.details[detail.name] ?? Number.NaN))
  return {
    work,
    unit: detail?.unit ?? ours.unit,
    ours: valueOf(ours),
    against: theirs.name,
    theirs: valueOf(theirs),
    measured: valueOf(ours) / valueOf(theirs),
    ...(goal === undefined ? {} : { goal: { ...goal, of: 'ratio' } }),
  }
}

/** Our figure held against a limit of its own. */
export function limit(work: string, unit: string, ours: number, goal: Omit<Goal, 'of'>): Comparison {
  return { work, unit, ours, against: '-', theirs: undefined, measured: ours, goal: { ...goal, of: 'figure' } }
}

/** Repeats synchronous work for about `milliseconds`. @returns Microseconds for one. */
export function microsecondsEach(milliseconds: number, batch: number, work: () => void): number {
  const started = performance.now()
  let done = 0
  do {
    for (let i = 0; i < batch; i++) work()
    done += batch
  } while (performance.now() - started < milliseconds)
  return ((performance.now() - started) * 1000) / done
}

/** Keeps `inFlight` calls going for about `milliseconds`. @returns Calls a second, with their latencies. */
export async function rateOf(
  milliseconds: number,
  inFlight: number,
  work: (worker: number) => Promise<void>,
): Promise<Sample> {
  const latencies: number[] = []
  const started = performance.now()
  const end = started + milliseconds
  await Promise.all(
    Array.from({ length: inFlight }, async (_, worker) => {
      for (let at = performance.now(); at < end; ) {
        await work(worker)
        const now = performance.now()
        latencies.push(now - at)
        at = now
      }
    }),
  )
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  return {
    value: latencies.length / seconds,
    details: { p50: percentile(latencies, 50), p99: percentile(latencies, 99) },
  }
}

/** Of values in ascending order. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}
