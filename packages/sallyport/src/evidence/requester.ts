/**
 * Who asks for evidence: a person in a session, or whoever has the command line.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import { actor } from '../audit/record.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'

export interface Requester {
  readonly tenantId: string
  /** What every audit row about the request says. */
  readonly event: Partial<AuditEvent>
  /** What the manifest says. */
  readonly described: {
    readonly user: string | null
    readonly session: string | null
    readonly acr: string | null
    readonly impersonator: string | null
    readonly actor: string
  }
}

export function personAsking(caller: Caller, request: RequestFacts): Requester {
  return {
    tenantId: caller.tenantId,
    event: { ...actor(caller), request },
    described: {
      user: caller.userId,
      session: caller.sessionId,
      acr: caller.acr,
      impersonator: caller.realUserId ?? null,
      actor: caller.name,
    },
  }
}

/** A machine has no user: its rows say what it is in their metadata. */
export function machineAsking(tenantId: string, name: string): Requester {
  return {
    tenantId,
    event: { metadata: { actor: name } },
    described: { user: null, session: null, acr: null, impersonator: null, actor: name },
  }
}
