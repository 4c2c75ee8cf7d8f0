/**
 * Replaces a refresh token that ran out.
 *
 * @module
 */

import { auditRow } from '../../audit/record.ts'
import type { Engine } from '../../engine.ts'
import type { UserId } from '../../ids.ts'
import type { Duration } from '../../internal/duration.ts'
import { issueSuccessor } from '../issue.ts'
import { judge } from '../judge.ts'
import { parseRefreshToken } from '../token-format.ts'
import { requestOf, ttlOf } from './owner.ts'
import type { RotatedToken } from './verdict.ts'
import { refusalOf } from './verdict.ts'

/** A day: how long after its expiry a token may be replaced. */
const GRACE_MS = 24 * 3_600_000

/**
 * Only a token that expired less than a day ago, was never consumed, and was not revoked for another reason than its expiry. Weaker
 * than a rotation: session life, risk and MFA are the caller's to check before. Audited.
 *
 * @param ttl How long the new token lives unused.
 * @param userId Whose token the caller takes it for: another's is refused, and left as it is.
 * @throws TypeError for a `ttl` that is no duration.
 */
export async function rotateInPlaceRefreshToken(
  engine: Engine,
  ttl: Duration,
  userId: UserId,
  raw: unknown,
): Promise<RotatedToken> {
  const ttlMs = ttlOf(ttl)
  const parsed = parseRefreshToken(engine.secrets, raw)
  if (parsed === undefined) return { rotated: false, reason: 'malformed' }
  const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
  if (facts === undefined) return { rotated: false, reason: 'not_found' }
  if (facts.userId !== userId) return { rotated: false, reason: 'not_owner' }
  const successor = issueSuccessor(engine, parsed, requestOf({ tenantId: facts.tenantId, userId }))
  const replaced = await engine.store.tokens.replaceExpired({
    tenantId: parsed.tenantId,
    userId,
    tokenHash: parsed.hash,
    graceMs: GRACE_MS,
    successor: successor.stored,
    ttlMs,
    audit: ({ familyId }, now) => [
      auditRow(
        {
          tenantId: parsed.tenantId,
          userId,
          action: 'AUTH_TOKEN_REFRESH',
          resource: 'refresh_token',
          resourceId: facts.token.id,
          metadata: { familyId, inPlace: true, expiredAt: facts.token.expiresAt.toISOString() },
        },
        now,
      ),
    ],
  })
  if (replaced !== undefined) return { rotated: true, raw: successor.raw, expiresAt: replaced.expiresAt }
  if (facts.token.consumedAt !== null) return { rotated: false, reason: 'reused' }
  return { rotated: false, reason: refusalOf(judge(facts, [], engine.settings), facts) }
}
