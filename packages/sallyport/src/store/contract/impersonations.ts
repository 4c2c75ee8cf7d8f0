/**
 * The port of impersonations: how one starts, how those that are over get their end, and the register of them all.
 *
 * @module
 */

import type { SallyportError } from '../../errors.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { AuditOf } from './audited.ts'
import type { Member, StaffRow } from './directory.ts'
import type { RevokeReason } from './ended-sessions.ts'
import type { SessionRow } from './sessions.ts'

/** What the start of an impersonation is judged by, as it stands in the transaction that makes it. */
export interface ImpersonationFacts {
  readonly real: StaffRow
  readonly target: Member
  /** The person is disabled, in whatever tenant. */
  readonly targetDisabled: boolean
}

export interface NewImpersonation {
  readonly id: SessionId
  readonly tenantId: TenantId
  /** Whom it acts as. */
  readonly staffId: StaffId
  /** The session it is started from, and whose that is. */
  readonly real: { readonly userId: UserId; readonly staffId: StaffId; readonly sessionId: SessionId }
  readonly reason: string
  readonly lifeMs: number
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly refuse: (facts: ImpersonationFacts) => SallyportError | undefined
}

export interface StartedImpersonation {
  readonly kind: 'started'
  readonly session: SessionRow
  readonly target: Member
}

/** One line of the register. */
export interface ImpersonationRow {
  readonly sessionId: SessionId
  readonly realUser: { readonly id: UserId; readonly name: string }
  readonly user: { readonly id: UserId; readonly name: string }
  readonly staffId: StaffId
  readonly reason: string
  readonly startedAt: Date
  readonly expiresAt: Date
  /** Null while it lasts. */
  readonly endedAt: Date | null
  readonly endReason: RevokeReason | null
  readonly ipAddress: string | null
}

/** An impersonation that was over and got its end now. */
export interface LapsedImpersonation {
  readonly tenantId: TenantId
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly realUserId: UserId
  readonly userName: string
  readonly reason: RevokeReason
}

export interface ImpersonationStore {
  /**
   * Starts a session of kind `impersonation`: no family, no token, at the versions of both people, no longer than the real
   * session lasts. The rule is asked inside the transaction, with both places locked against whatever ends them. The newest
   * generation of the real session is confirmed, so that an older token inherits nothing.
   */
  start(
    input: NewImpersonation,
    audit: AuditOf<StartedImpersonation>,
  ): Promise<
    | StartedImpersonation
    | { readonly kind: 'refused'; readonly error: SallyportError }
    /** No such member in the tenant. */
    | { readonly kind: 'unknown' }
    /** The real session is not live any more. */
    | { readonly kind: 'session-ended' }
  >

  /**
   * Ends the rows of impersonations that are over already, by time or with the real session, so that each gets its row in the
   * audit log once, from however many nodes this is called.
   */
  endLapsed(audit: AuditOf<readonly LapsedImpersonation[]>): Promise<readonly LapsedImpersonation[]>

  /** Newest first, bound to one tenant. */
  register(query: {
    readonly tenantId: TenantId
    readonly limit: number
    readonly after?: { readonly startedAt: Date; readonly id: SessionId } | undefined
  }): Promise<readonly ImpersonationRow[]>
}
