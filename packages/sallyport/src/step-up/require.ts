/**
 * Lets an operation through only when its session has lately proven a second factor for that very purpose.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import { factorsFor } from './factors-of.ts'
import type { Purpose } from './purposes.ts'

export interface RequireStepUpOptions {
  /** How long ago the step-up may have been passed. Defaults to the purpose's window, which is also the most. */
  readonly windowMs?: number | undefined
  /** Whether the step-up is spent by this. Defaults to what the purpose was registered with. */
  readonly singleUse?: boolean | undefined
  /** The least assurance: with `aal2` a code by mail is not enough. Defaults to whatever passed. */
  readonly minAcr?: 'aal1' | 'aal2' | undefined
}

/**
 * Resolves when this session passed this purpose in time. Asks the database each time: what it guards is rare, and a step-up
 * that was consumed on another node must not open anything here.
 *
 * @throws SallyportError `STEP_UP_REQUIRED` with the purpose and the types of factors that the person can use; `NOT_WHILE_IMPERSONATING` where the
 * session is impersonated, for whom no step-up passes.
 * @throws TypeError for a purpose that is not registered: nobody could ever pass it.
 */
export async function requireStepUp(
  engine: Pick<Engine, 'store' | 'settings'>,
  caller: Caller,
  purpose: Purpose,
  options: RequireStepUpOptions = {},
): Promise<void> {
  const rule = engine.settings.stepUpPurposes.find(purpose)
  if (rule === undefined) throw new TypeError(`step-up: the purpose "${purpose}" is not registered`)
  const { stepUp } = engine.store
  const wanted = {
    tenantId: caller.tenantId,
    userId: caller.userId,
    sessionId: caller.sessionId,
    purpose,
    windowMs: Math.min(options.windowMs ?? rule.windowMs, rule.windowMs),
    strong: options.minAcr === 'aal2',
  }
  // Whoever acts as another has not that person's factors, and must not profit by a step-up of theirs.
  if (caller.kind === 'login' && caller.realUserId === undefined) {
    const singleUse = options.singleUse ?? rule.singleUse
    if (singleUse ? await stepUp.consume(wanted) : await stepUp.passed(wanted)) return
  }
  if (caller.kind !== 'login' || caller.realUserId !== undefined) {
    const message = 'This needs a second factor, which nobody gives on behalf of another.'
    throw new SallyportError('NOT_WHILE_IMPERSONATING', message, { facts: { purpose } })
  }
  const { usable } = await factorsFor(engine, caller, purpose)
  throw new SallyportError('STEP_UP_REQUIRED', 'This needs a second factor, given for this purpose.', {
    facts: { purpose, factors: wanted.strong ? usable.filter((type) => type !== 'email_code') : usable },
  })
}
