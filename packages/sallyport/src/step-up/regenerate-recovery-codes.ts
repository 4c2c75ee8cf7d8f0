/**
 * Replaces a person's recovery codes.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { newRecoveryCodes, recoveryCode } from './factors/recovery-code.ts'
import { tellOwner } from './mails.ts'
import { sessionEnded } from './refusal.ts'

/**
 * Makes ten new codes and voids all that were there. The owner is told. Guard it with the step-up `security_settings`.
 *
 * @returns The codes: shown now and never again.
 * @throws SallyportError `NO_FACTOR` where there is no factor to recover.
 */
export async function regenerateRecoveryCodes(
  engine: Engine,
  caller: Caller,
  { request }: { readonly request: RequestFacts },
): Promise<readonly string[]> {
  const recovery = newRecoveryCodes()
  const event = { ...actor(caller), action: 'RECOVERY_CODES_REGENERATED', resource: 'recovery_codes', request } as const
  const outcome = await engine.store.stepUp.replaceRecoveryCodes(
    {
      tenantId: caller.tenantId,
      userId: caller.userId,
      sessionId: caller.sessionId,
      codeHashes: recovery.hashes,
    },
    (result, now) => {
      if (result.kind === 'replaced') {
        return [auditRow({ ...event, metadata: { unusedBefore: result.unusedBefore } }, now)]
      }
      const failureReason = result.kind === 'no-factor' ? 'NO_FACTOR' : 'SESSION_REVOKED'
      return [auditRow({ ...event, outcome: 'FAIL', failureReason }, now)]
    },
  )
  if (outcome.kind === 'session-ended') throw failureRecorded(sessionEnded())
  if (outcome.kind === 'no-factor') {
    throw failureRecorded(
      new SallyportError('NO_FACTOR', 'There is no factor on this account to recover.', { facts: { factors: [] } }),
    )
  }
  tellOwner(engine, caller, outcome.owner, { change: 'codes', factor: recoveryCode.named, request })
  return recovery.codes
}
