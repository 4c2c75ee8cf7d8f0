/**
 * Tries again what failed for now.
 *
 * @module
 */

import type { SallyportError } from './errors.ts'
import type { Platform } from './platform.ts'

/** Does the work again while it fails in a way that passes. Rejects with the last failure. */
export type Persist = <T>(work: () => Promise<T>) => Promise<T>

const TRIES = 5
const FIRST_MS = 100
/** Longer than this nobody is kept waiting: who asked is told, and asks again. */
const PATIENCE_MS = 5000

export function persistence(platform: Platform): Persist {
  const now = () => platform.Date.now()
  let pausedUntil = 0
  let pause: unknown

  return async (work) => {
    for (let tries = 1; ; tries++) {
      // Once the service has asked to wait, all who come meanwhile do.
      if (now() < pausedUntil) throw pause
      try {
        return await work()
      } catch (error) {
        const { transient, facts } = error as SallyportError
        if (!transient || tries >= TRIES) throw error
        const askedMs = (facts.retryAfter ?? 0) * 1000
        if (askedMs > PATIENCE_MS) {
          pausedUntil = now() + askedMs
          pause = error
          throw error
        }
        // Between half of it and all of it, so that tabs which failed together do not come back together.
        const backOffMs =
          FIRST_MS * 2 ** tries * (0.5 + (platform.crypto.getRandomValues(new Uint8Array(1))[0] as number) / 510)
        await new Promise<void>((resolve) => platform.setTimeout(resolve, Math.max(askedMs, backOffMs)))
      }
    }
  }
}
