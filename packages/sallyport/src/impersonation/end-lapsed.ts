/**
 * Gives impersonations that are over their end in the register and in the audit log: by time, or with what they rested on.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { auditRow } from '../audit/record.ts'
import { newId } from '../ids.ts'
import { howEnded } from '../sessions/ended-rows.ts'

const INTERVAL_MS = 15_000

/** They are refused from the moment they are over, whether or not this has run. @returns How many got their end now. */
export async function endLapsedImpersonations({
  store,
  events,
  live,
}: Pick<Engine, 'store' | 'events' | 'live'>): Promise<number> {
  const lapsed = await store.impersonations.endLapsed((rows, now) =>
    rows.map((one) =>
      auditRow(
        {
          tenantId: one.tenantId,
          action: 'IMPERSONATION_ENDED',
          userId: one.userId,
          actorName: one.userName,
          staffId: one.staffId,
          sessionId: one.sessionId,
          realUserId: one.realUserId,
          resource: 'session',
          resourceId: one.sessionId,
          metadata: { how: howEnded(one.reason), actor: 'job' },
          correlationId: newId(),
        },
        now,
      ),
    ),
  )
  for (const { tenantId, sessionId, userId, reason } of lapsed) {
    live.forget({ kind: 'session', ref: sessionId })
    events.emit('session.revoked', { tenantId, sessionId, userId, reason })
  }
  return lapsed.length
}

/** Does so every now and then, until the function that it answers is called. */
export function keepEndingLapsed(engine: Engine): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    running = endLapsedImpersonations(engine).catch((err: unknown) => {
      engine.log.warn({ err }, 'impersonations that are over wait for their end in the register')
    })
  }, INTERVAL_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
