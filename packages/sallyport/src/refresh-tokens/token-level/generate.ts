/**
 * Issues the first token of a new family to a user whom the host has signed in.
 *
 * @module
 */

import type { Engine } from '../../engine.ts'
import type { Duration } from '../../internal/duration.ts'
import { issueFirst } from '../issue.ts'
import type { TokenOwner } from './owner.ts'
import { NO_BINDING, requestOf, ttlOf } from './owner.ts'

/**
 * The raw value is in the answer and nowhere else: the database holds its hash.
 *
 * @param ttl How long it lives unused.
 * @param sessionStartedAt When the host's own session began; defaults to now. `maxSessionLife` counts from it.
 * @throws TypeError for a `ttl` that is no duration.
 */
export async function generateRefreshToken(
  engine: Engine,
  ttl: Duration,
  owner: TokenOwner,
  sessionStartedAt?: Date,
): Promise<{ readonly raw: string; readonly expiresAt: Date }> {
  const ttlMs = ttlOf(ttl)
  const first = issueFirst(engine, { tenantId: owner.tenantId, request: requestOf(owner) })
  const { expiresAt } = await engine.store.tokens.insertFamily({
    tenantId: owner.tenantId,
    familyId: first.familyId,
    userId: owner.userId,
    staffId: null,
    sessionId: null,
    binding: NO_BINDING,
    sessionStartedAt,
    token: first.stored,
    ttlMs,
  })
  return { raw: first.raw, expiresAt }
}
