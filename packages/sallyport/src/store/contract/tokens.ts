/**
 * The port of refresh tokens and their families, in whole atomic operations.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'
import type { ChallengeId, FamilyId, SessionId, StaffId, TenantId, TokenId, UserId } from '../../ids.ts'
import type { Role } from '../../directory/roles.ts'
import type { Place } from '../../risk/facts.ts'
import type { AuditOf } from './audited.ts'
import type { EndedSessions, RevokeReason } from './ended-sessions.ts'
import type { WaitReason } from './risk.ts'
import type { LiveLimits } from './sessions.ts'

/** What a family is bound to. `value` is the key's thumbprint or the device cookie's hash. */
export type Binding =
  | { readonly type: 'none' }
  | { readonly type: 'key'; readonly value: string }
  | { readonly type: 'cookie'; readonly value: string }

/** The presented token and all that its fate depends on, as of one instant of the database's clock. */
export interface RefreshFacts {
  readonly now: Date
  readonly token: {
    readonly id: TokenId
    readonly generation: number
    readonly issuedAt: Date
    readonly expiresAt: Date
    readonly consumedAt: Date | null
    readonly isRevoked: boolean
    readonly revokeReason: RevokeReason | null
    readonly ipAddress: string | null
    readonly userAgent: string | null
    readonly deviceFingerprint: string | null
  }
  readonly family: {
    readonly id: FamilyId
    readonly generation: number
    readonly binding: Binding
    readonly sessionStartedAt: Date
    readonly revokedAt: Date | null
    readonly revokeReason: RevokeReason | null
    /** The last generation that was handed out twice as no honest retry is, -1 for none. */
    readonly sharedGeneration: number
    /** How many of them came one after the other. */
    readonly sharedRun: number
  }
  /** The token's direct successor, once it was consumed. */
  readonly successor: {
    readonly id: TokenId
    readonly tokenHash: Uint8Array
    readonly nonce: Uint8Array | null
    readonly secretId: string
    readonly generation: number
    readonly expiresAt: Date
    readonly consumedAt: Date | null
    readonly confirmedAt: Date | null
    readonly isRevoked: boolean
    /** Of the request that it was made for. */
    readonly ipAddress: string | null
    readonly userAgent: string | null
    readonly deviceFingerprint: string | null
  } | null
  readonly tenantId: TenantId
  readonly userId: UserId
  /** Null for tokens of hosts that bring their own sessions. */
  readonly session: RefreshSession | null
}

/** The session behind a refresh, with those whom it depends on. */
export interface RefreshSession {
  readonly id: SessionId
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
  readonly latitude: number | null
  readonly longitude: number | null
  readonly userAgent: string | null
  readonly deviceFingerprint: string | null
  /** Hex. */
  readonly deviceCookieHash: string | null
  readonly amr: readonly string[]
  readonly authTime: Date
  readonly stepUpRequiredAt: Date | null
  /** Why it waits. */
  readonly stepUpRisk: WaitReason | null
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  readonly staff: {
    readonly role: Role
    readonly sessionVersion: number
    readonly status: 'active' | 'disabled' | 'removed'
  }
  readonly user: { readonly name: string; readonly disabled: boolean; readonly lastMfaAt: Date | null }
  readonly tenant: { readonly disabled: boolean }
  /** The member's live sign-in sessions in the tenant, this one among them. */
  readonly liveSessions: number
  /** Of these, those made within the window of rapid creation; 0 where this session is older than that. */
  readonly youngSessions: number
  /** Failed sign-ins and step-ups on the account within the last hour. */
  readonly recentFailures: number
  /** Whether a step-up was passed on the presented device lately. */
  readonly deviceTrusted: boolean
}

/** What a session is known by from now on: where its refresh came from, and the device that it came from. */
export interface SessionMark extends Place {
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly deviceFingerprint: string | null
  /** Hex. */
  readonly deviceCookieHash: string | null
}

/** A token about to be stored. The raw value is nowhere in it. */
export interface NewToken {
  readonly id: TokenId
  readonly tokenHash: Uint8Array
  /** Null for the first of a family, whose secret is random. */
  readonly nonce: Uint8Array | null
  readonly secretId: string
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly deviceFingerprint: string | null
  readonly deviceInfo: unknown
}

export interface Rotation {
  readonly tenantId: TenantId
  readonly familyId: FamilyId
  readonly parentId: TokenId
  /** The generation of the presented token: the family MUST still be at it. */
  readonly generation: number
  readonly successor: NewToken
  readonly ttlMs: number
  /** Where it differs from what the session is known by. */
  readonly mark?: SessionMark | undefined
  /**
   * The passed step-up that this refresh waited for. It MUST be consumed in the same transaction, and the session MUST stop
   * waiting; one that was consumed before makes the rotation lose.
   */
  readonly stepUp?: ChallengeId | undefined
  /**
   * What the rotation rests on besides, where it was not read for this very refresh. The rotation MUST lose where the database
   * says anything else by now.
   */
  readonly relied?: ReliedFacts | undefined
  readonly audit: AuditRow
}

/** Facts that a score was computed from, with what they were counted within. */
export interface ReliedFacts {
  readonly windows: RiskWindows
  readonly liveSessions: number
  readonly youngSessions: number
  readonly recentFailures: number
  readonly deviceTrusted: boolean
  readonly lastMfaAt: Date | null
  readonly userName: string
  readonly sharedGeneration: number
  readonly sharedRun: number
}

export interface Containment {
  readonly tenantId: TenantId
  readonly familyId: FamilyId
  readonly tokenId: TokenId
  readonly reach: 'family' | 'staff' | 'user'
  readonly reason: 'reuse_detected' | 'high_risk'
  /** Called only when this call ended the family. */
  readonly audit: AuditOf<EndedSessions>
}

/** What the facts of risk are about, and what they are counted within. */
export interface RiskWindows extends LiveLimits {
  /** The digest of the presented device; `undefined` where none was shown. */
  readonly device: string | undefined
  readonly rapidWindowMs: number
}

export interface NewFamily {
  readonly tenantId: TenantId
  readonly familyId: FamilyId
  readonly userId: UserId
  readonly staffId: StaffId | null
  readonly sessionId: SessionId | null
  readonly binding: Binding
  /** Defaults to the moment of the insert by the database's clock. */
  readonly sessionStartedAt?: Date | undefined
  readonly token: NewToken
  readonly ttlMs: number
}

/** A family as it is kept, for whoever looks into what became of it. */
export interface FamilyRecord {
  readonly familyId: FamilyId
  readonly sessionId: SessionId | null
  readonly userId: UserId
  readonly staffId: StaffId | null
  readonly binding: Binding['type']
  readonly generation: number
  readonly startedAt: Date
  readonly revokedAt: Date | null
  readonly revokeReason: RevokeReason | null
  /** In the order of their generations. */
  readonly tokens: readonly FamilyToken[]
}

export interface FamilyToken {
  readonly generation: number
  readonly issuedAt: Date
  readonly consumedAt: Date | null
  readonly suspiciousReuseAt: Date | null
  /** Of the request that it was made for. */
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly deviceFingerprint: string | null
}

/**
 * Refresh tokens. Every method is bound to the tenant it is given: a row of another tenant MUST behave as one that does
 * not exist. Every write MUST be durable once its promise resolves, and MUST be safe beside any number of concurrent
 * calls from any number of processes. Ages are judged by the database's clock.
 */
export interface TokenStore {
  /**
   * Everything about a presented token in one round trip; `undefined` for an unknown one. Without windows what is counted for the
   * risk score says nothing.
   */
  facts(tenantId: TenantId, tokenHash: Uint8Array, windows?: RiskWindows): Promise<RefreshFacts | undefined>

  /**
   * Consumes the presented token and inserts its successor, in one atomic unit with the audit row.
   *
   * Of all concurrent calls for one generation exactly one MUST resolve to `'won'`. It MUST resolve to `'lost'` and change
   * nothing when the family was ended or has moved on, when the token was consumed, revoked or has expired, or when the
   * session behind it is no longer what a refresh relies on: revoked, waiting, past its end, of an older version than its
   * staff's, or of a disabled staff member, user or tenant. No successor MUST survive a containment that runs beside it.
   */
  rotate(rotation: Rotation): Promise<'won' | 'lost'>

  /**
   * Records that the successor of a spent token was handed out once more. `shared` says that no honest retry explains it: the
   * family then counts it, once for each generation.
   */
  replayed(input: {
    readonly tenantId: TenantId
    readonly familyId: FamilyId
    readonly generation: number
    readonly shared: boolean
    readonly audit: AuditRow
  }): Promise<void>

  /** What is kept of a family, with its tokens from a generation on. `undefined` for an unknown one, and once it was cleaned up. */
  family(of: {
    readonly tenantId: TenantId
    readonly familyId: string
    readonly fromGeneration: number
    readonly limit: number
  }): Promise<FamilyRecord | undefined>

  /** How many families of these sessions have ended. */
  endedFamilies(tenantId: TenantId, sessionIds: readonly string[]): Promise<number>

  /**
   * Ends the family and what `reach` names with it. A family is contained once: resolves to `undefined`, and changes
   * nothing, when the family had ended before. With the reason `reuse_detected` the token gets `suspicious_reuse_at`.
   */
  contain(containment: Containment): Promise<EndedSessions | undefined>

  /** Ends one family, its tokens and its session. Resolves to whether this call ended it; repeating it resolves to `false`. */
  endFamily(input: {
    readonly tenantId: TenantId
    readonly familyId: FamilyId
    readonly reason: RevokeReason
    readonly audit: AuditOf<EndedSessions>
  }): Promise<boolean>

  /**
   * Ends the family of an unconsumed, expired token with the reason `session_expired`, its tokens and its session with it, and clears
   * the user's `last_mfa_at` and the trust of the session's device. Of concurrent calls one MUST end it; the others, and those for a
   * token that is not expired or is consumed, MUST change nothing and resolve to `undefined`. The audit row is written either way.
   */
  expire(input: {
    readonly tenantId: TenantId
    readonly familyId: FamilyId
    readonly tokenId: TokenId
    readonly audit: AuditOf<EndedSessions>
  }): Promise<EndedSessions | undefined>

  /** Sets `confirmed_at` on the tokens of these generations, where it is unset. */
  confirm(
    seen: readonly { readonly tenantId: TenantId; readonly sessionId: SessionId; readonly generation: number }[],
  ): Promise<void>

  /** Starts a family outside a sign-in of Sallyport's own (the token-level API). */
  insertFamily(family: NewFamily): Promise<{ readonly issuedAt: Date; readonly expiresAt: Date }>

  /** Revokes one token and keeps its row, so that a replay is still recognised. Resolves to whether this call did it. */
  revokeToken(input: {
    readonly tenantId: TenantId
    readonly tokenHash: Uint8Array
    readonly reason: RevokeReason
    readonly audit: AuditOf<{ readonly tokenId: TokenId; readonly familyId: FamilyId; readonly userId: UserId }>
  }): Promise<boolean>

  /** Ends every family of a user in every tenant, with the sessions behind them. */
  revokeAllOfUser(input: {
    readonly userId: UserId
    readonly reason: RevokeReason
    readonly audit: AuditOf<EndedSessions & { readonly families: number }>
  }): Promise<EndedSessions & { readonly families: number }>

  /**
   * Replaces a token that ran out in place: expired within `graceMs`, never consumed, not revoked for another reason than
   * its expiry, of that user. A family that ended by nothing but that expiry lives again. Of concurrent calls one MUST win.
   */
  replaceExpired(input: {
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly tokenHash: Uint8Array
    readonly graceMs: number
    readonly successor: NewToken
    readonly ttlMs: number
    readonly audit: AuditOf<{ readonly familyId: FamilyId }>
  }): Promise<{ readonly expiresAt: Date } | undefined>
}
