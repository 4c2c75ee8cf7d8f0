/**
 * Takes all second factors of a member away, for one who has lost them.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import { outranks } from '../directory/roles.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { StaffId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import { tellOwner } from './mails.ts'

/**
 * Removes the factors and recovery codes of a member of the tenant and ends their sessions, so that they begin anew with their
 * password. The admin neither sets nor sees a secret. The member is told. The caller holds `SETTINGS_TEAM_EDIT` and stands behind the
 * step-up `team_change`.
 *
 * Factors belong to the person. Of one who is a member of another tenant too they are left alone: else whoever talks a person into
 * joining a tenant of theirs could strip them of what guards the others.
 *
 * @throws SallyportError `NOT_FOUND`; `FORBIDDEN` for oneself and for one who outranks the caller; `CONFLICT` with the reason
 * `member_elsewhere`.
 */
export async function resetFactors(
  engine: Engine,
  caller: Caller,
  { staffId, request }: { readonly staffId: StaffId; readonly request: RequestFacts },
): Promise<{ readonly factorsRemoved: number; readonly sessionsEnded: number }> {
  const { members } = await engine.store.directory.team(caller.tenantId)
  const member = members.find(({ staff }) => staff.id === staffId)
  if (member === undefined) throw notFound()
  const userId = member.user.id
  if (userId === caller.userId) {
    throw new SallyportError('FORBIDDEN', 'Your own factors are removed one by one, each with a step-up.')
  }
  if (outranks(member.staff.role, caller.role)) {
    throw new SallyportError('FORBIDDEN', 'Nobody resets the factors of one who outranks them.')
  }
  const event = {
    ...actor(caller),
    action: 'MFA_DISABLED',
    resource: 'tenant_staff',
    resourceId: staffId,
    request,
  } as const
  const outcome = await engine.store.stepUp.resetFactors(
    { tenantId: caller.tenantId, staffId, by: caller.userId },
    (result, now) => {
      if (result.kind === 'elsewhere') {
        return [auditRow({ ...event, outcome: 'FAIL', failureReason: 'CONFLICT' }, now)]
      }
      const metadata = {
        reason: 'admin_reset',
        targetUserId: userId,
        factors: result.types,
        sessionsEnded: result.ended.sessions.length,
      }
      return [
        auditRow({ ...event, metadata }, now),
        ...endedRows(result.ended, 'factor_changed', { ...actor(caller), request }, now),
      ]
    },
  )
  if (outcome === undefined) throw notFound()
  if (outcome.kind === 'elsewhere') {
    throw failureRecorded(
      new SallyportError('CONFLICT', 'This person is a member of another tenant too, so that their factors stay.', {
        facts: { reason: 'member_elsewhere' },
      }),
    )
  }
  for (const session of outcome.ended.sessions) {
    engine.live.forget({ kind: 'session', ref: session.sessionId })
    engine.events.emit('session.revoked', { ...session, reason: 'factor_changed' })
  }
  for (const { staffId: ref } of outcome.ended.versions) engine.live.forget({ kind: 'staff', ref })
  // Of one who had none, nothing was removed that they should hear of.
  if (outcome.types.length > 0) {
    tellOwner(engine, { tenantId: caller.tenantId, userId }, outcome.owner, {
      change: 'reset',
      factor: 'second factors',
      request,
    })
  }
  return { factorsRemoved: outcome.types.length, sessionsEnded: outcome.ended.sessions.length }
}

function notFound(): SallyportError {
  return new SallyportError('NOT_FOUND', 'There is no such member in this tenant.')
}
