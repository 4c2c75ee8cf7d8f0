/**
 * Looks at a refresh token and changes nothing.
 *
 * @module
 */

import type { Engine } from '../../engine.ts'
import { judge } from '../judge.ts'
import { parseRefreshToken } from '../token-format.ts'
import type { VerifiedToken } from './verdict.ts'
import { refusalOf, validToken } from './verdict.ts'

/** Neither consumes the token nor contains anything, whatever it finds. */
export async function verifyRefreshToken(engine: Engine, raw: unknown): Promise<VerifiedToken> {
  const parsed = parseRefreshToken(engine.secrets, raw)
  if (parsed === undefined) return { valid: false, reason: 'malformed' }
  const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
  if (facts === undefined) return { valid: false, reason: 'not_found' }
  const verdict = judge(facts, [], engine.settings)
  if (verdict.kind === 'rotate') return validToken(facts)
  return { valid: false, reason: refusalOf(verdict, facts), userId: facts.userId }
}
