/**
 * Contains a stolen refresh token: ends its family and, as far as the setting reaches, what the thief could turn to next.
 *
 * @module
 */

import { alertedTo, recipientsOf } from '../alerts/recipients.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { deviceLabel } from '../internal/device-digest.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { presentedDevice } from '../risk/device.ts'
import { announceEnded } from '../sessions/end.ts'
import { endedRows } from '../sessions/ended-rows.ts'
import type { RefreshFacts } from '../store/contract/tokens.ts'
import { sendReuseAlert } from './alert.ts'

/**
 * Contains a replay. The alert goes out after commit.
 *
 * @returns `false` when the family had ended before: it is contained once.
 */
export async function contain(engine: Engine, facts: RefreshFacts, request: RequestFacts): Promise<boolean> {
  const { settings, store, events } = engine
  // Neither may keep the containment from being made: what is not known is left out.
  const [place, recipients] = await Promise.all([engine.places.orNowhere(request), recipientsOf(engine, facts)])
  const ended = await store.tokens.contain({
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    tokenId: facts.token.id,
    reach: settings.reuse.contain,
    reason: 'reuse_detected',
    audit: (result, now) => [
      auditRow(
        {
          // The actor is unknown: the token's owner is whom it happened to, not who did it.
          tenantId: facts.tenantId,
          action: 'SUSPICIOUS_LOGIN_DETECTED',
          outcome: 'FAIL',
          failureReason: 'REFRESH_TOKEN_REUSED',
          sessionId: facts.session?.id,
          resource: 'refresh_token_family',
          resourceId: facts.family.id,
          metadata: {
            reason: 'reuse_detected',
            level: 'critical',
            targetUserId: facts.userId,
            targetStaffId: facts.session?.staffId ?? null,
            familyId: facts.family.id,
            generation: facts.token.generation,
            newestGeneration: facts.family.generation,
            reach: settings.reuse.contain,
            // Whoever spent it is whom its successor was made for; a token that was revoked unspent was used by nobody before.
            firstUse: {
              consumedAt: facts.token.consumedAt?.toISOString() ?? null,
              ipAddress: facts.successor?.ipAddress ?? null,
              userAgent: facts.successor?.userAgent ?? null,
              device: facts.successor?.deviceFingerprint ?? null,
            },
            replay: {
              ipAddress: request.ipAddress ?? null,
              userAgent: request.userAgent ?? null,
              device: request.deviceFingerprint ?? null,
              deviceName: deviceLabel(presentedDevice(request)),
            },
            ended: {
              sessions: result.sessions.length,
              sessionVersion:
                result.versions.find(({ tenantId }) => tenantId === facts.tenantId)?.sessionVersion ?? null,
            },
            alerted: alertedTo(recipients),
          },
          request,
          country: place.country,
          city: place.city,
        },
        now,
      ),
      ...endedRows(result, 'reuse_detected', { request }, now),
    ],
  })
  if (ended === undefined) return false
  announceEnded(engine, ended, { reason: 'reuse_detected' })
  events.emit('token.reused', {
    tenantId: facts.tenantId,
    familyId: facts.family.id,
    sessionId: facts.session?.id ?? null,
    userId: facts.userId,
  })
  void sendReuseAlert(engine, facts, request, recipients)
  return true
}
