/**
 * What the HTTP layer itself asks of the engine behind it: who is calling, may they, and where refusals are recorded.
 *
 * Routes ask for more; each resource's file states the parts it needs beside this.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import type { AuditEvent } from '../audit/record.ts'
import type { ErrorCode } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { Credential } from './credential.ts'

/** A request that was refused or failed, as its FAIL row will tell it. */
export interface FailedRequest {
  readonly action: AuditAction
  /** What the client was told; becomes `failure_reason`. */
  readonly code: ErrorCode
  readonly request: RequestFacts
  /** Absent where the refusal came before anyone was authenticated. */
  readonly caller?: Caller | undefined
  readonly resource?: string | undefined
  readonly resourceId?: string | undefined
  /** What else the row is to say of the request. */
  readonly metadata?: AuditEvent['metadata'] | undefined
}

/** Where the HTTP layer writes what no client may read. Fields arrive redacted. */
export interface HttpLog {
  error(message: string, fields: Readonly<Record<string, unknown>>): void
}

/** How a route stands to impersonated callers. */
export interface ImpersonationRule {
  readonly mutates: boolean
  /** `always` passes even the read-only switch: the exit and the logout. */
  readonly whileImpersonating: 'allowed' | 'refused' | 'always'
}

/** The smallest engine that routes can be served from. */
export interface HttpEngine {
  /**
   * MUST resolve only for a live session. Rejects with `MISSING_TOKEN`, `INVALID_TOKEN`, `TOKEN_EXPIRED`, a session's own
   * reason, an IP refusal or `STEP_UP_REQUIRED` where the session waits.
   *
   * @param credential What the request shows; `undefined` where that is nothing.
   */
  authenticate(credential: Credential | undefined, request: RequestFacts): Promise<Caller> | Caller

  /** MUST reject with `STEP_UP_REQUIRED` (facts `purpose`, `factors`) unless this session passed that purpose in time. */
  requireStepUp(caller: Caller, purpose: string, request: RequestFacts): Promise<void>

  /** Asked only when the caller is impersonating. MUST reject what may not be done meanwhile. */
  checkImpersonation(caller: Caller, rule: ImpersonationRule): Promise<void> | void

  /**
   * MUST write one FAIL row in a transaction of its own, durable when it resolves. Called at most once a request.
   * Without a caller the engine may fold repeated rows into one with a count.
   */
  recordFailure(failure: FailedRequest): Promise<void>

  readonly log: HttpLog
}
