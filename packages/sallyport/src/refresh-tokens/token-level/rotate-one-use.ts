/**
 * Exchanges a refresh token for its successor.
 *
 * @module
 */

import type { Engine } from '../../engine.ts'
import type { UserId } from '../../ids.ts'
import type { Duration } from '../../internal/duration.ts'
import { exchange } from './exchange.ts'
import { ttlOf } from './owner.ts'
import type { RotatedToken } from './verdict.ts'

/**
 * A retry by the retry rule is answered with the same successor.
 *
 * @param ttl How long the successor lives unused.
 * @param userId Whose token the caller takes it for: another's is refused, and left as it is.
 * @throws TypeError for a `ttl` that is no duration.
 */
export async function rotateOneUseRefreshToken(
  engine: Engine,
  ttl: Duration,
  userId: UserId,
  raw: unknown,
): Promise<RotatedToken> {
  const outcome = await exchange(engine, raw, ttlOf(ttl), { handOut: true, userId })
  if (outcome.kind === 'exchanged') return { rotated: true, raw: outcome.raw, expiresAt: outcome.expiresAt }
  return { rotated: false, reason: outcome.reason }
}
