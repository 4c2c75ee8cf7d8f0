/**
 * Ends sessions through the store, and makes it true on this node at once.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { AuditOf } from '../store/contract/audited.ts'
import type { EndedSessions, EndOptions, EndScope } from '../store/contract/ended-sessions.ts'

/** @returns `undefined` when the named session or staff member is not in the tenant: nothing was changed or audited. */
export async function endSessions(
  engine: Engine,
  scope: EndScope,
  options: EndOptions,
  audit: AuditOf<EndedSessions>,
): Promise<EndedSessions | undefined> {
  const ended = await engine.store.sessions.end(scope, options, audit)
  if (ended !== undefined) announceEnded(engine, ended, options)
  return ended
}

/** After the commit of whatever ended sessions: this node forgets them before it answers, and listeners are told. */
export function announceEnded(
  { live, events }: Pick<Engine, 'live' | 'events'>,
  ended: EndedSessions,
  { reason }: Pick<EndOptions, 'reason'>,
): void {
  for (const { staffId } of ended.versions) live.forget({ kind: 'staff', ref: staffId })
  for (const session of ended.sessions) {
    live.forget({ kind: 'session', ref: session.sessionId })
    events.emit('session.revoked', { ...session, reason })
  }
}
