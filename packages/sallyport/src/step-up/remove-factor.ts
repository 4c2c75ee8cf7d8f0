/**
 * Removes a second factor, and with it every session that may have been opened by whoever had it.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { FactorId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import { FACTORS } from './factors.ts'
import { tellOwner } from './mails.ts'
import { sessionEnded } from './refusal.ts'

/**
 * Removes a factor of the caller and ends their other sessions in every tenant; the caller's own goes on. The owner is told.
 *
 * The sessions end as rows, with their families and tokens, and `session_version` stays: raising it would end the caller's own
 * session too, and is needed only against sessions that nobody can name, which here are none. Guard it with the step-up
 * `security_settings`.
 *
 * @returns How many sessions ended.
 * @throws SallyportError `NOT_FOUND` for a factor that is not the caller's.
 */
export async function removeFactor(
  engine: Engine,
  caller: Caller,
  { factorId, request }: { readonly factorId: FactorId; readonly request: RequestFacts },
): Promise<{ readonly sessionsEnded: number }> {
  const { store, live, events } = engine
  const event = {
    ...actor(caller),
    action: 'MFA_DISABLED',
    resource: 'mfa_factor',
    resourceId: factorId,
    request,
  } as const
  const outcome = await store.stepUp.removeFactor(
    { tenantId: caller.tenantId, userId: caller.userId, sessionId: caller.sessionId, factorId },
    (result, now) => {
      if (result.kind !== 'removed') {
        const failureReason = result.kind === 'unknown' ? 'NOT_FOUND' : 'SESSION_REVOKED'
        return [auditRow({ ...event, outcome: 'FAIL', failureReason }, now)]
      }
      const metadata = {
        factor: result.type,
        reason: 'removed',
        last: result.last,
        sessionsEnded: result.ended.sessions.length,
      }
      const { userId, name: actorName } = caller
      return [
        auditRow({ ...event, metadata }, now),
        ...endedRows(result.ended, 'factor_changed', { request, userId, actorName }, now),
      ]
    },
  )
  if (outcome.kind === 'session-ended') throw failureRecorded(sessionEnded())
  if (outcome.kind === 'unknown') throw failureRecorded(new SallyportError('NOT_FOUND', 'There is no such factor.'))
  for (const session of outcome.ended.sessions) {
    live.forget({ kind: 'session', ref: session.sessionId })
    events.emit('session.revoked', { ...session, reason: 'factor_changed' })
  }
  live.forget({ kind: 'user', ref: caller.userId })
  tellOwner(engine, caller, outcome.owner, { change: 'removed', factor: FACTORS[outcome.type].named, request })
  return { sessionsEnded: outcome.ended.sessions.length }
}
