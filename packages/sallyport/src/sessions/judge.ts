/**
 * Decides whether a session is still good: the one judgement behind every request and every refresh.
 *
 * @module
 */

import type { RevokeReason } from '../store/contract/ended-sessions.ts'

/** What the judgement rests on. */
export interface JudgedSession {
  readonly sessionVersion: number
  readonly expiresAt: Date
  readonly stepUpRequiredAt: Date | null
  readonly revokedAt: Date | null
  readonly staff: { readonly sessionVersion: number; readonly status: 'active' | 'disabled' | 'removed' }
  readonly user: { readonly disabled: boolean }
  readonly tenant: { readonly disabled: boolean }
  /** In an impersonation, what it rests on. */
  readonly real?: {
    readonly versionAtStart: number
    readonly revokedAt: Date | null
    readonly expiresAt: Date
    readonly staff: { readonly sessionVersion: number; readonly status: 'active' | 'disabled' | 'removed' }
    readonly user: { readonly disabled: boolean }
  } | null
}

/** When it is judged, in milliseconds by the database's clock. */
export interface JudgedAt {
  readonly now: number
  readonly lastSeen: number
  readonly idleMs: number
}

/** A session that is over says why, as the client's code and as the reason its family ends with; `idle` may be a stale reading. */
export type SessionVerdict =
  | { readonly kind: 'live' }
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'over'
      readonly code: 'SESSION_INVALIDATED' | 'SESSION_REVOKED' | 'SESSION_EXPIRED'
      readonly reason: RevokeReason
      readonly idle?: boolean
    }

const LIVE: SessionVerdict = { kind: 'live' }
const WAITING: SessionVerdict = { kind: 'waiting' }

export function judgeSession(session: JudgedSession, { now, lastSeen, idleMs }: JudgedAt): SessionVerdict {
  // The version first, and against the staff's own: a copy on the session row would never let a force logout bite.
  if (session.sessionVersion !== session.staff.sessionVersion) {
    return { kind: 'over', code: 'SESSION_INVALIDATED', reason: 'force_logout' }
  }
  if (session.revokedAt !== null) return { kind: 'over', code: 'SESSION_REVOKED', reason: 'manual' }
  if (session.staff.status === 'removed') return { kind: 'over', code: 'SESSION_INVALIDATED', reason: 'member_removed' }
  if (session.staff.status !== 'active' || session.user.disabled || session.tenant.disabled) {
    return { kind: 'over', code: 'SESSION_INVALIDATED', reason: 'member_disabled' }
  }
  if (session.real != null && !stands(session.real, now)) {
    return { kind: 'over', code: 'SESSION_REVOKED', reason: 'impersonation_ended' }
  }
  if (session.expiresAt.getTime() <= now) return { kind: 'over', code: 'SESSION_EXPIRED', reason: 'max_session_life' }
  if (lastSeen + idleMs <= now) {
    return { kind: 'over', code: 'SESSION_EXPIRED', reason: 'session_expired', idle: true }
  }
  return session.stepUpRequiredAt === null ? LIVE : WAITING
}

/** An impersonation rests on the real session and on the person acting, both as they are now. */
function stands(real: NonNullable<JudgedSession['real']>, now: number): boolean {
  return (
    real.versionAtStart === real.staff.sessionVersion &&
    real.revokedAt === null &&
    real.expiresAt.getTime() > now &&
    real.staff.status === 'active' &&
    !real.user.disabled
  )
}
