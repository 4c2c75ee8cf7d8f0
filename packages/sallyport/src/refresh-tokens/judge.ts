/**
 * Decides the fate of a presented refresh token, from the facts alone: the state machine, in its order.
 *
 * @module
 */

import { judgeSession } from '../sessions/judge.ts'
import type { RevokeReason } from '../store/contract/ended-sessions.ts'
import type { Binding, RefreshFacts, RefreshSession } from '../store/contract/tokens.ts'
import type { Settings } from '../options.ts'

/** Why a spent token is answered with its successor once more. */
export type ReplayCause = 'lost-response' | 'concurrent'

/** What a refresh must do. Only `rotate` consumes the token. */
export type Verdict =
  | { readonly kind: 'rotate' }
  | { readonly kind: 'replay'; readonly cause: ReplayCause }
  /** A burst of tabs: a token further back than the retry rule reaches, but spent a moment ago. */
  | { readonly kind: 'try-again' }
  | { readonly kind: 'reuse' }
  | { readonly kind: 'family-ended'; readonly reason: RevokeReason | null }
  | { readonly kind: 'revoked-alone'; readonly reason: RevokeReason | null }
  /** The newest token of the family ran out, be it the one in hand or the successor that its holder never got. */
  | { readonly kind: 'expired' }
  | {
      readonly kind: 'session-over'
      readonly code: 'SESSION_INVALIDATED' | 'SESSION_REVOKED' | 'SESSION_EXPIRED'
      readonly reason: RevokeReason
    }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'proof-missing' }

type Rules = Pick<Settings, 'retry' | 'reuse' | 'maxSessionLifeMs' | 'idleMs' | 'preset'>

/**
 * @param facts As the store read them, with the database's `now`.
 * @param proofs What the request proved of bindings: a key's thumbprint, the device cookie's hash.
 */
export function judge(facts: RefreshFacts, proofs: readonly Binding[], rules: Rules): Verdict {
  const { token, family } = facts
  // A family is contained once, by the call that ended it alive: an old token must not log its owner out for ever.
  if (family.revokedAt !== null) return { kind: 'family-ended', reason: family.revokeReason }
  if (token.consumedAt !== null) return judgeSpent(facts, token.consumedAt, proofs, rules)
  if (token.isRevoked) {
    return rules.reuse.revoked === 'contain' ? { kind: 'reuse' } : { kind: 'revoked-alone', reason: token.revokeReason }
  }
  if (hasExpired(token, facts.now)) return { kind: 'expired' }
  // RFC 9449: every refresh of a key-bound family needs a proof by that key. A missing device cookie is for the risk score.
  if (family.binding.type === 'key' && !holds(family.binding, proofs)) return { kind: 'proof-missing' }
  return judgeBehind(facts, rules) ?? { kind: 'rotate' }
}

function judgeSpent(facts: RefreshFacts, consumedAt: Date, proofs: readonly Binding[], rules: Rules): Verdict {
  if (rules.retry.mode === 'strict') return { kind: 'reuse' }
  // The window is anchored at the first consumption and never slides: a replay changes nothing that it is measured by.
  const age = facts.now.getTime() - consumedAt.getTime()
  const cause = retryCause(facts, age, proofs, rules)
  if (cause !== undefined) {
    // An honest retry that came too late: the lineage ran out meanwhile, and nobody stole anything.
    if (hasExpired(facts.successor, facts.now)) return { kind: 'expired' }
    return judgeBehind(facts, rules) ?? { kind: 'replay', cause }
  }
  const furtherBack = facts.token.generation < facts.family.generation - 1
  if (furtherBack && age <= rules.retry.overlapMs) return { kind: 'try-again' }
  return { kind: 'reuse' }
}

/** The retry rule: whether the spent token in hand is an honest client's, and why it came again. */
function retryCause(
  facts: RefreshFacts,
  age: number,
  proofs: readonly Binding[],
  { retry }: Rules,
): ReplayCause | undefined {
  const { successor, family } = facts
  const newestAndUnused =
    successor !== null &&
    successor.generation === family.generation &&
    successor.consumedAt === null &&
    !successor.isRevoked
  if (!newestAndUnused) return undefined
  const bound = family.binding.type !== 'none'
  if (bound && !holds(family.binding, proofs)) return undefined
  // Nobody has shown the successor, nor an access token of its generation: the response got lost.
  if (successor.confirmedAt === null && (bound || age <= retry.unboundWindowMs)) return 'lost-response'
  return age <= retry.overlapMs ? 'concurrent' : undefined
}

function hasExpired(token: { readonly expiresAt: Date } | null, now: Date): boolean {
  return token !== null && token.expiresAt.getTime() <= now.getTime()
}

function judgeBehind(facts: RefreshFacts, rules: Rules): Verdict | undefined {
  const now = facts.now.getTime()
  if (facts.family.sessionStartedAt.getTime() + rules.maxSessionLifeMs <= now) {
    return { kind: 'session-over', code: 'SESSION_EXPIRED', reason: 'max_session_life' }
  }
  // A host that brings its own sessions judges them itself.
  if (facts.session === null) return undefined
  const lastSeen = lastActivity(facts, facts.session, rules)
  const verdict = judgeSession(facts.session, { now, lastSeen, idleMs: rules.idleMs })
  switch (verdict.kind) {
    case 'live':
      return undefined
    case 'waiting':
      return verdict
    case 'over':
      return {
        kind: 'session-over',
        code: verdict.code,
        reason: (verdict.code === 'SESSION_REVOKED' ? facts.session.revokeReason : null) ?? verdict.reason,
      }
  }
}

/** Idle counts from the last request or refresh; a refresh is known by its tokens, whether or not its touch was written. */
function lastActivity({ token }: RefreshFacts, session: RefreshSession, { preset }: Rules): number {
  // SP 800-63B-4 section 5.1.2: that a machine has a token says nothing of a person.
  if (preset !== 'standard') return session.lastSeenAt.getTime()
  return Math.max(session.lastSeenAt.getTime(), token.issuedAt.getTime(), token.consumedAt?.getTime() ?? 0)
}

/** Whether one of the proofs is of the very key or cookie that the family is bound to. */
function holds(binding: Binding, proofs: readonly Binding[]): boolean {
  if (binding.type === 'none') return false
  return proofs.some((proof) => proof.type === binding.type && proof.value === binding.value)
}
