/**
 * Trades a refresh token for its successor: what the rotating and the consuming operation have in common.
 *
 * @module
 */

import { auditRow } from '../../audit/record.ts'
import type { Engine } from '../../engine.ts'
import type { UserId } from '../../ids.ts'
import type { RefreshFacts } from '../../store/contract/tokens.ts'
import { contain } from '../contain.ts'
import { deriveAgain, issueSuccessor } from '../issue.ts'
import { judge } from '../judge.ts'
import { parseRefreshToken } from '../token-format.ts'
import { requestOf } from './owner.ts'
import type { TokenRefusal } from './verdict.ts'
import { refusalOf } from './verdict.ts'

type Exchange =
  | {
      readonly kind: 'exchanged'
      readonly raw: string
      readonly expiresAt: Date
      readonly facts: RefreshFacts
    }
  | { readonly kind: 'refused'; readonly reason: TokenRefusal; readonly userId?: UserId }

const ATTEMPTS = 3

interface ExchangeOptions {
  /** Whether the caller gets the successor. */
  readonly handOut: boolean
  /** Whose token it must be. */
  readonly userId?: UserId
}

/** Consumes the token as the state machine says, contains what comes twice, and looks again where another call was faster. */
export async function exchange(
  engine: Engine,
  raw: unknown,
  ttlMs: number,
  { handOut, userId }: ExchangeOptions,
): Promise<Exchange> {
  const parsed = parseRefreshToken(engine.secrets, raw)
  if (parsed === undefined) return { kind: 'refused', reason: 'malformed' }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
    if (facts === undefined) return { kind: 'refused', reason: 'not_found' }
    if (userId !== undefined && facts.userId !== userId) return { kind: 'refused', reason: 'not_owner' }
    const verdict = judge(facts, [], engine.settings)
    if (verdict.kind === 'replay') {
      const again = facts.successor && deriveAgain(engine, parsed, facts.successor)
      if (facts.successor && again) {
        return { kind: 'exchanged', raw: again, expiresAt: facts.successor.expiresAt, facts }
      }
    }
    if (verdict.kind === 'reuse' || verdict.kind === 'replay') {
      await contain(engine, facts, requestOf({ tenantId: facts.tenantId, userId: facts.userId }))
      return { kind: 'refused', reason: 'reused', userId: facts.userId }
    }
    if (verdict.kind !== 'rotate') return { kind: 'refused', reason: refusalOf(verdict, facts), userId: facts.userId }
    const request = requestOf({ tenantId: facts.tenantId, userId: facts.userId })
    const successor = issueSuccessor(engine, parsed, request)
    const claim = await engine.store.tokens.rotate({
      tenantId: facts.tenantId,
      familyId: facts.family.id,
      parentId: facts.token.id,
      generation: facts.token.generation,
      // Without its nonce a successor that nobody got can never be asked for again, by whatever call.
      successor: handOut ? successor.stored : { ...successor.stored, nonce: null },
      ttlMs,
      audit: auditRow(
        {
          tenantId: facts.tenantId,
          userId: facts.userId,
          action: 'AUTH_TOKEN_REFRESH',
          resource: 'refresh_token',
          resourceId: facts.token.id,
          metadata: { familyId: facts.family.id, generation: facts.token.generation + 1 },
          request,
        },
        facts.now,
      ),
    })
    if (claim === 'won') {
      const expiresAt = new Date(facts.now.getTime() + ttlMs)
      return { kind: 'exchanged', raw: successor.raw, expiresAt, facts }
    }
  }
  // Others were faster each time, and none of what was read accuses anyone.
  return { kind: 'refused', reason: 'retry' }
}
