/**
 * Consumes a refresh token, for one use.
 *
 * @module
 */

import type { Engine } from '../../engine.ts'
import { exchange } from './exchange.ts'
import type { VerifiedToken } from './verdict.ts'
import { validToken } from './verdict.ts'

/**
 * Of N concurrent calls exactly one is answered `valid`. The successor is issued to nobody; a second use is reuse and is contained.
 */
export async function consumeAndVerifyRefreshToken(engine: Engine, raw: unknown): Promise<VerifiedToken> {
  // Nobody gets the successor, so there is no lost response to forgive.
  const strict = { ...engine.settings, retry: { ...engine.settings.retry, mode: 'strict' as const } }
  const outcome = await exchange({ ...engine, settings: strict }, raw, engine.settings.refreshTtlMs, { handOut: false })
  if (outcome.kind === 'exchanged') return validToken(outcome.facts)
  const { reason, userId } = outcome
  return { valid: false, reason, ...(userId === undefined ? {} : { userId }) }
}
