/**
 * Stops acting as another.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { RefreshOutcome } from '../refresh-tokens/refresh.ts'
import { refresh } from '../refresh-tokens/refresh.ts'
import { parseRefreshToken } from '../refresh-tokens/token-format.ts'
import type { Caller } from '../sessions/caller.ts'
import { endSessions } from '../sessions/end.ts'
import type { Binding } from '../store/contract/tokens.ts'

export interface ExitImpersonationInput {
  /** A refresh token of the real session, where the client has it at hand. */
  readonly refreshToken?: string | undefined
  /** How it came. Defaults to `body`. */
  readonly delivery?: 'body' | 'cookie' | undefined
  /** What the request proved of bindings. Defaults to nothing. */
  readonly proofs?: readonly Binding[] | undefined
  readonly request: RequestFacts
}

/**
 * Ends the impersonation that the caller speaks from. It rests on the step-up of its start, whenever that was.
 *
 * The real session is untouched. Its tokens are renewed only where its own credential came along: the weaker token never
 * yields the stronger one.
 *
 * @returns Fresh tokens of the real session, or `undefined`: the client then refreshes it itself.
 * @throws SallyportError `CONFLICT` when the caller acts as nobody, `UNAVAILABLE`.
 */
export async function exitImpersonation(
  engine: Engine,
  caller: Caller,
  { refreshToken, delivery, proofs, request }: ExitImpersonationInput,
): Promise<Exclude<RefreshOutcome, { readonly kind: 'refused' }> | undefined> {
  if (caller.kind !== 'impersonation') {
    throw new SallyportError('CONFLICT', 'This session acts as nobody else.', {
      facts: { reason: 'not_impersonating' },
    })
  }
  await endSessions(
    engine,
    { of: 'session', tenantId: caller.tenantId, sessionId: caller.sessionId },
    { reason: 'impersonation_ended', revokedBy: caller.realUserId ?? caller.userId, bumpVersion: false },
    ({ sessions }, now) =>
      // A second exit changes nothing and so records nothing.
      sessions.length === 0
        ? []
        : [
            auditRow(
              {
                ...actor(caller),
                action: 'IMPERSONATION_ENDED',
                resource: 'session',
                resourceId: caller.sessionId,
                metadata: { how: 'exit', endedBy: caller.realUserId ?? null },
                request,
              },
              now,
            ),
          ],
  )
  if (!(await isOfRealSession(engine, caller, refreshToken))) return undefined
  const outcome = await refresh(engine, { refreshToken, request, delivery, proofs })
  return outcome.kind === 'refused' ? undefined : outcome
}

/** Another session's token is none of this: it is neither used nor judged. */
async function isOfRealSession(engine: Engine, caller: Caller, refreshToken: string | undefined): Promise<boolean> {
  const parsed = parseRefreshToken(engine.secrets, refreshToken)
  if (parsed === undefined || parsed.tenantId !== caller.tenantId) return false
  const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
  return facts?.session?.id !== undefined && facts.session.id === caller.realSessionId
}
