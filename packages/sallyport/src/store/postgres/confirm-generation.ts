/**
 * Confirms the newest refresh generation of a session that is being raised.
 *
 * @module
 */

import { and, asc, eq, isNull } from 'drizzle-orm'
import type { SessionId, TenantId } from '../../ids.ts'
import type { Tx } from './database.ts'
import { refreshTokens, tokenFamilies } from './schema.ts'

/**
 * What raises a session confirms its newest generation, so that an older token cannot inherit it. The family is locked for it: a
 * rotation that was first is waited for, and its successor is the one that is confirmed.
 */
export async function confirmGeneration(
  tx: Tx,
  { tenantId, sessionId }: { readonly tenantId: TenantId; readonly sessionId: SessionId },
): Promise<void> {
  const families = await tx.db
    .select({ id: tokenFamilies.id, generation: tokenFamilies.generation })
    .from(tokenFamilies)
    .where(
      and(
        eq(tokenFamilies.tenantId, tenantId),
        eq(tokenFamilies.sessionId, sessionId),
        isNull(tokenFamilies.revokedAt),
      ),
    )
    .orderBy(asc(tokenFamilies.id))
    .for('no key update')
  for (const { id, generation } of families) {
    await tx.db
      .update(refreshTokens)
      .set({ confirmedAt: tx.now })
      .where(
        and(
          eq(refreshTokens.tenantId, tenantId),
          eq(refreshTokens.familyId, id),
          eq(refreshTokens.generation, generation),
          isNull(refreshTokens.confirmedAt),
        ),
      )
  }
}
