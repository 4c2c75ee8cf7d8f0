/**
 * Verifies once more after rereading the ring, for a token whose key this node has not heard of.
 *
 * @module
 */

import type { TokenOutcome } from './verify-token.ts'

/**
 * Runs `verify`, and again when the token names an unknown key and a reread of the ring took place. The ring allows one
 * reread a second, however many tokens ask for it: an invented key id costs the database nothing more.
 */
export async function retryOnUnknownKey<Claims>(
  keys: { reloadForUnknownKey(): Promise<boolean> },
  verify: () => TokenOutcome<Claims>,
): Promise<TokenOutcome<Claims>> {
  const outcome = verify()
  if (outcome.kind !== 'invalid' || outcome.reason !== 'unknown-key') return outcome
  return (await keys.reloadForUnknownKey()) ? verify() : outcome
}
