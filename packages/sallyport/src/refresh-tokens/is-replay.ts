/**
 * Tells whether a presented refresh token is one that was spent before.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { judge } from './judge.ts'
import { parseRefreshToken } from './token-format.ts'

/**
 * Whether redeeming the token would be taken for a theft. It changes nothing: a rate limit asks, so that a replayed token reaches the
 * containment however often it comes. After it the family has ended, and this answers no.
 */
export async function isReplay(
  { secrets, store, settings }: Pick<Engine, 'secrets' | 'store' | 'settings'>,
  refreshToken: unknown,
): Promise<boolean> {
  const parsed = parseRefreshToken(secrets, refreshToken)
  if (parsed === undefined) return false
  const facts = await store.tokens.facts(parsed.tenantId, parsed.hash)
  return facts !== undefined && judge(facts, [], settings).kind === 'reuse'
}
