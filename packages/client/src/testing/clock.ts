/**
 * The test's clock: it stands until something is waited for.
 *
 * @module
 */

import { afterEach, beforeEach, vi } from 'vitest'

/** For the tests of a file. */
export function useClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2030-01-01T00:00:00Z') })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}

/** Lets time pass until the promise is settled, and tells how: its value, or the code or message of its failure. */
export async function outcome<T>(promise: Promise<T>, patienceMs = 120_000): Promise<T | string> {
  let settled: { readonly value: T | string } | undefined
  promise.then(
    (value) => {
      settled = { value }
    },
    (error: { readonly code?: unknown; readonly message: string }) => {
      settled = { value: typeof error.code === 'string' ? error.code : error.message }
    },
  )
  for (let waited = 0; settled === undefined && waited <= patienceMs; waited += 25) await pass(waited === 0 ? 0 : 25)
  if (settled === undefined) throw new Error(`not settled after ${patienceMs} ms`)
  return settled.value
}

/** The value alone; a failure fails the test. */
export async function value<T>(promise: Promise<T>): Promise<T> {
  const watched = promise.then(
    (good) => ({ good }),
    (error: unknown) => ({ error }),
  )
  const settled = (await outcome(watched)) as Awaited<typeof watched>
  if ('error' in settled) throw settled.error
  return settled.good
}

export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}
