/**
 * What it means to end sessions: the reasons, the scope and the result that all who end them share.
 *
 * @module
 */

import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'

/** Why a session, a family or a token was revoked. A rotation is `consumedAt`, not a reason. */
export const REVOKE_REASONS = [
  'manual',
  'revoke_others',
  'logout',
  'force_logout',
  'session_expired',
  'max_session_life',
  'reuse_detected',
  'high_risk',
  'rapid_creation',
  'evicted',
  'password_changed',
  'password_reset',
  'member_disabled',
  'member_removed',
  'factor_changed',
  'impersonation_ended',
] as const
export type RevokeReason = (typeof REVOKE_REASONS)[number]

/** Whose sessions end. */
export type EndScope =
  | { readonly of: 'session'; readonly tenantId: TenantId; readonly sessionId: SessionId }
  | { readonly of: 'staff'; readonly tenantId: TenantId; readonly staffId: StaffId }
  /** In every tenant: the one scope that crosses tenants, for what belongs to the person (password, factors). */
  | { readonly of: 'user'; readonly userId: UserId }

/** How they end. */
export interface EndOptions {
  readonly reason: RevokeReason
  readonly revokedBy?: UserId | undefined
  /** Leaves the impersonations of the person as they are: "revoke others" is about sessions of one's own. */
  readonly loginsOnly?: boolean | undefined
  /** The session that stays: the current one of "revoke others" and of a password change. */
  readonly exceptSessionId?: SessionId | undefined
  /** Raise `session_version` by an atomic increment, so that access tokens die whatever row they name. */
  readonly bumpVersion: boolean
}

/** What ended, for the audit rows and for the node's own live view. */
export interface EndedSessions {
  readonly sessions: readonly {
    readonly tenantId: TenantId
    readonly sessionId: SessionId
    readonly userId: UserId
    readonly staffId: StaffId
    readonly kind: 'login' | 'impersonation'
    /** Who acted, in an impersonation. */
    readonly realUserId: UserId | null
  }[]
  readonly versions: readonly {
    readonly tenantId: TenantId
    readonly staffId: StaffId
    readonly sessionVersion: number
  }[]
}
