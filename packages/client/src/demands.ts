/**
 * Turns what asks for a second factor into demands of the app's dialog: one for each purpose, whoever waits for it.
 *
 * @module
 */

import { SallyportError } from './errors.ts'
import type { ProblemFacts } from './generated/api.ts'
import type { ClientOptions } from './options.ts'
import type { StepUpDemand } from './step-up.ts'

/** How a demand is met. */
export type Steps = Pick<StepUpDemand, 'verify' | 'emailCode' | 'passkeyOptions'>

export interface Demands {
  /**
   * Resolves once the demand is met.
   *
   * @param key Those who ask with the same one share one demand: a purpose of the session, or an object for one sign-in.
   */
  ask(key: unknown, facts: ProblemFacts, steps: Steps): Promise<void>
  /** Ends one that was met elsewhere. */
  meet(key: unknown): void
  /** Ends those of a session that is over; those of sign-ins too where the client is closed. */
  drop(error: unknown, signInsToo?: boolean): void
}

/** @returns `undefined` where the app has no dialog. */
export function demandsOf(onStepUp: ClientOptions['onStepUp']): Demands | undefined {
  if (!onStepUp) return undefined
  const open = new Map<unknown, { readonly met: Promise<void>; settle(error?: unknown): void }>()
  return {
    ask(key, { purpose, factors, score, reasons }, { verify, ...steps }) {
      const known = open.get(key)
      if (known) return known.met
      let settle!: (error?: unknown) => void
      const met = new Promise<void>((resolve, reject) => {
        settle = (error) => {
          if (open.get(key)?.settle === settle) open.delete(key)
          if (error) reject(error as Error)
          else resolve()
        }
      })
      open.set(key, { met, settle })
      const demand = {
        ...steps,
        purpose,
        factors,
        score,
        reasons,
        async verify(proof) {
          try {
            await verify(proof)
          } catch (error) {
            // What was to be verified is over: no other code would do.
            if ((error as SallyportError).status === 401) settle(error)
            throw error
          }
          settle()
        },
        cancel: () => settle(new SallyportError('STEP_UP_CANCELLED', 'cancelled')),
        settled: met.catch(() => undefined),
      } as StepUpDemand
      // A dialog that cannot be opened must not leave the action waiting for ever.
      void (async () => onStepUp(demand))().catch(settle)
      return met
    },
    meet: (key) => open.get(key)?.settle(),
    drop(error, signInsToo) {
      for (const [key, { settle }] of open) if (signInsToo || typeof key === 'string') settle(error)
    },
  }
}
