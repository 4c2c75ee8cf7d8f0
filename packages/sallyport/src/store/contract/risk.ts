/**
 * The port of risk: what a score is computed from, sessions that wait, and proofs of keys that were seen.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'
import type { ChallengeId, SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { SeenSession } from '../../risk/facts.ts'
import type { AuditOf } from './audited.ts'
import type { LiveLimits } from './sessions.ts'

/** How many of the most recent sign-in sessions are looked at. */
export const HISTORY_SESSIONS = 12
/** Failures are counted within this time. */
export const FAILURES_WITHIN_MS = 3_600_000

export interface SignInFacts {
  readonly now: Date
  /** Newest seen first. */
  readonly history: readonly SeenSession[]
  readonly liveSessions: number
  readonly youngSessions: number
  readonly recentFailures: number
  readonly lastMfaAt: Date | null
  readonly deviceTrusted: boolean
}

/** What a refresh asks for beside the token's own facts, where something about it is new. */
export interface RefreshHistory {
  readonly history: readonly SeenSession[]
  /** The step-up that this refresh was waiting for: of this session, this token and this device, and not used yet. */
  readonly stepUp: ChallengeId | null
}

/** Why a session waits, as it was answered. */
export interface WaitReason {
  readonly score: number
  readonly reasons: readonly string[]
}

/** A page of audit rows goes on after the last one of the page before. */
export interface AfterRow {
  readonly createdAt: Date
  readonly id: string
}

/** Every method is bound to the tenant it is given. Ages are judged by the database's clock. */
export interface RiskStore {
  /** In one round trip. */
  signInFacts(
    input: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly staffId: StaffId
      /** The digest of the presented device; `undefined` where none was shown. */
      readonly device: string | undefined
      readonly rapidWindowMs: number
    } & LiveLimits,
  ): Promise<SignInFacts>

  /** In one round trip. */
  refreshHistory(input: {
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly staffId: StaffId
    readonly sessionId: SessionId
    /** A digest of the presented refresh token's hash. */
    readonly presented: string
    /** What a step-up would be bound to that this request may redeem. */
    readonly boundTo: string | undefined
  }): Promise<RefreshHistory>

  /**
   * Makes a session wait for a step-up, with a row of the change feed. One that waits already keeps its reason. Resolves to whether
   * the session is there to wait; the audit rows are written in any case.
   */
  wait(input: {
    readonly tenantId: TenantId
    readonly sessionId: SessionId
    readonly reason: WaitReason
    readonly audit: AuditOf<undefined>
  }): Promise<boolean>

  /**
   * Notes that a proof was seen, for `ttlMs` at least. Of all calls with one proof, on however many nodes, exactly one MUST resolve to
   * `true`.
   */
  useProof(proofHash: Uint8Array, ttlMs: number): Promise<boolean>

  /** Detected thefts and stops, newest first. */
  incidents(query: {
    readonly tenantId: TenantId
    readonly after?: AfterRow | undefined
    readonly limit: number
  }): Promise<readonly AuditRow[]>

  /** Scored sign-ins and refreshes of all tenants, oldest first: for whoever runs the service. */
  scored(query: {
    readonly from: Date
    readonly to: Date
    readonly after?: AfterRow | undefined
    readonly limit: number
  }): Promise<readonly AuditRow[]>
}
