/**
 * Takes a member's second factors away, for one who has lost them all.
 *
 * @module
 */

import { and, eq, ne } from 'drizzle-orm'
import type { UserId } from '../../ids.ts'
import type { EnrolledType, FactorReset, FactorResetOutcome, StepUpStore } from '../contract/step-up.ts'
import type { Tx } from './database.ts'
import { endSessions } from './end-sessions.ts'
import { guessBudgets, mfaFactors, recoveryCodes, tenantStaff } from './schema.ts'
import { lockBudget, ownerOf } from './step-up-rows.ts'

export async function resetFactors(
  tx: Tx,
  { tenantId, staffId, by }: Parameters<StepUpStore['resetFactors']>[0],
): Promise<FactorResetOutcome | undefined> {
  const [staff] = await tx.db
    .select({ userId: tenantStaff.userId })
    .from(tenantStaff)
    .where(and(eq(tenantStaff.tenantId, tenantId), eq(tenantStaff.id, staffId), ne(tenantStaff.status, 'removed')))
  if (staff === undefined) return undefined
  const userId = staff.userId as UserId
  const elsewhere = await tx.db
    .select({ id: tenantStaff.id })
    .from(tenantStaff)
    .where(and(eq(tenantStaff.userId, userId), ne(tenantStaff.tenantId, tenantId), ne(tenantStaff.status, 'removed')))
    .limit(1)
  if (elsewhere.length > 0) return { kind: 'elsewhere' }

  for (const factor of ['totp', 'passkey', 'recovery_code'] as const) await lockBudget(tx, userId, factor)
  const removed = await tx.db
    .delete(mfaFactors)
    .where(eq(mfaFactors.userId, userId))
    .returning({ type: mfaFactors.type, verifiedAt: mfaFactors.verifiedAt })
  await tx.db.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId))
  // The rows of wrong guesses were about secrets that are gone; the windows go on.
  await tx.db.update(guessBudgets).set({ consecutive: 0 }).where(eq(guessBudgets.userId, userId))
  const ended = await endSessions(
    tx,
    { of: 'user', userId },
    { reason: 'factor_changed', revokedBy: by, bumpVersion: true },
  )
  const types = new Set(removed.filter(({ verifiedAt }) => verifiedAt !== null).map(({ type }) => type))
  const reset: FactorReset = {
    kind: 'reset',
    userId,
    owner: await ownerOf(tx, { userId }),
    types: [...types] as EnrolledType[],
    ended: ended ?? { sessions: [], versions: [] },
  }
  return reset
}
