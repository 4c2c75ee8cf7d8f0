/**
 * The port of sessions, in whole atomic operations.
 *
 * @module
 */

import type { FamilyId, SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { Role } from '../../directory/roles.ts'
import type { Place } from '../../risk/facts.ts'
import type { AuditOf } from './audited.ts'
import type { EndedSessions, EndOptions, EndScope, RevokeReason } from './ended-sessions.ts'
import type { WaitReason } from './risk.ts'
import type { Binding, NewToken } from './tokens.ts'

/** A session as its listing shows it. No token is in it. */
export interface SessionRow {
  readonly id: SessionId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly kind: 'login' | 'impersonation'
  readonly delivery: 'body' | 'cookie'
  readonly sessionVersion: number
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly ipAddress: string | null
  readonly country: string | null
  readonly city: string | null
  readonly userAgent: string | null
  readonly deviceInfo: unknown
  readonly amr: readonly string[]
  readonly authTime: Date
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  readonly realUserId: UserId | null
  /** In a listing, who acts in an impersonation. */
  readonly impersonator?: { readonly id: UserId; readonly name: string } | null
}

/** The other half of an impersonation: it lives no longer than the session behind it and the rights of the person acting. */
export interface RealFacts {
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly staffId: StaffId
  /** The version that the person acting had at the start. */
  readonly versionAtStart: number
  readonly createdAt: Date
  readonly revokedAt: Date | null
  readonly expiresAt: Date
  readonly staff: LiveFacts['staff']
  readonly user: LiveFacts['user']
}

/** What authenticating a request needs to know of a session and of those whom it depends on. */
export interface LiveFacts {
  readonly sessionId: SessionId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly kind: 'login' | 'impersonation'
  /** The version that the session was made with. */
  readonly sessionVersion: number
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly stepUpRequiredAt: Date | null
  /** Why it waits, as the refresh was answered; null for one that does not wait. */
  readonly stepUpRisk: WaitReason | null
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  readonly realUserId: UserId | null
  /** In an impersonation, the session it was started from and the person acting, as they are now. */
  readonly real: RealFacts | null
  /** The newest generation of its family that was confirmed, -1 for none. */
  readonly confirmedGeneration: number
  readonly staff: {
    /** The staff's current version, never the copy on the session row. */
    readonly sessionVersion: number
    readonly status: 'active' | 'disabled' | 'removed'
    readonly role: Role
    readonly permissions: readonly string[]
  }
  readonly user: { readonly name: string; readonly disabled: boolean }
  readonly tenant: { readonly disabled: boolean }
}

/**
 * The limits that hold in a tenant now, whatever its sessions were made with: one older than the one, or not seen for longer than
 * the other, MUST NOT be listed as active nor counted as live.
 */
export interface LiveLimits {
  readonly idleMs: number
  readonly maxSessionLifeMs: number
}

export interface NewSession {
  readonly id: SessionId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly delivery: 'body' | 'cookie'
  readonly lifeMs: number
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly place: Place
  readonly deviceFingerprint: string | null
  /** Hex. */
  readonly deviceCookieHash: string | null
  readonly deviceInfo: unknown
  readonly amr: readonly string[]
  readonly familyId: FamilyId
  readonly binding: Binding
  readonly token: NewToken
  readonly tokenTtlMs: number
  /** What may keep it from being made. Without it nothing does. */
  readonly limits?: SessionLimits | undefined
}

/** How many sessions a member may have, and how fast they may come. Judged in the transaction that creates one. */
export interface SessionLimits extends LiveLimits {
  /** No new one while more than these were made within the window and are live. */
  readonly rapid: { readonly sessions: number; readonly windowMs: number } | undefined
  readonly cap:
    | {
        readonly max: number
        /** Ends the oldest in place of refusing the new one. */
        readonly evict: boolean
        /** The cap is suspended while a second factor was given within this time. */
        readonly graceMs: number
      }
    | undefined
}

export type SessionCreation =
  | {
      readonly kind: 'created'
      readonly session: SessionRow
      /** Those that made room for it. */
      readonly evicted: EndedSessions
    }
  /** The staff member, the user or the tenant is not there or not enabled. */
  | { readonly kind: 'not-enabled' }
  | { readonly kind: 'rapid'; readonly sessions: number }
  | { readonly kind: 'over-cap'; readonly sessions: number }

/** Newest seen first; `after` is the last row of the page before. */
export interface SessionQuery extends LiveLimits {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly state: 'active' | 'ended' | 'all'
  readonly after?: { readonly lastSeenAt: Date; readonly id: SessionId } | undefined
  readonly limit: number
}

/**
 * Sessions. Every method is bound to the tenant it is given: a row of another tenant MUST behave as one that does not
 * exist. Whatever ends a session MUST end its family and tokens in the same transaction, and MUST write a row of the
 * change feed there.
 */
export interface SessionStore {
  /**
   * Creates a session, its family and its first token. The session takes the staff's current version. However many are created at
   * once, its limits MUST hold. `audit` is called only for a session that is created.
   */
  create(
    session: NewSession,
    audit: AuditOf<Extract<SessionCreation, { readonly kind: 'created' }>>,
  ): Promise<SessionCreation>

  /** With the database's `now`; `undefined` for an unknown session. */
  live(tenantId: TenantId, sessionId: SessionId): Promise<{ readonly facts: LiveFacts; readonly now: Date } | undefined>

  find(tenantId: TenantId, sessionId: SessionId): Promise<SessionRow | undefined>

  list(query: SessionQuery): Promise<readonly SessionRow[]>

  /** Moves `last_seen_at` forward, never backwards, in one batch. */
  touch(
    seen: readonly { readonly tenantId: TenantId; readonly sessionId: SessionId; readonly at: Date }[],
  ): Promise<void>

  /**
   * Ends sessions with their families and tokens. Already ended ones are left as they are and are not in the result.
   * The version is raised (where asked) even when no session was live, and even when all had ended before.
   * Resolves to `undefined` when the named session or staff member is not in the tenant.
   */
  end(scope: EndScope, options: EndOptions, audit: AuditOf<EndedSessions>): Promise<EndedSessions | undefined>
}
