/**
 * What may not be done while somebody acts as another.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'

/** How an operation stands to one who acts as another. */
export interface ImpersonationLimits {
  readonly mutates: boolean
  /** `refused`: what needs a step-up, and whatever belongs to the person alone. `always`: the way out. */
  readonly whileImpersonating: 'allowed' | 'refused' | 'always'
}

/**
 * Refuses what is the person's own, and, where service or tenant say so, whatever changes anything. Asked only for a caller
 * who acts as another.
 *
 * @throws SallyportError `NOT_WHILE_IMPERSONATING`, `UNAVAILABLE`.
 */
export async function checkImpersonation(
  engine: Pick<Engine, 'live' | 'settings'>,
  caller: Pick<Caller, 'tenantId'>,
  { mutates, whileImpersonating }: ImpersonationLimits,
): Promise<void> {
  if (whileImpersonating === 'always') return
  if (whileImpersonating === 'refused') throw refused('This cannot be done while impersonating.')
  if (!mutates) return
  const { impersonationReadOnly } = await limitsOf(engine, caller.tenantId)
  if (impersonationReadOnly) throw refused('Nothing is changed while impersonating.')
}

function refused(message: string): SallyportError {
  return new SallyportError('NOT_WHILE_IMPERSONATING', message)
}
