/**
 * Revokes one refresh token by its raw value.
 *
 * @module
 */

import { auditRow } from '../../audit/record.ts'
import type { Engine } from '../../engine.ts'
import { parseRefreshToken } from '../token-format.ts'

/** Its row stays, so that reuse is still recognised. Succeeds for a token that was revoked before, and for none that is unknown. */
export async function revokeRefreshToken(engine: Engine, raw: unknown): Promise<{ readonly success: boolean }> {
  const parsed = parseRefreshToken(engine.secrets, raw)
  if (parsed === undefined) return { success: false }
  const facts = await engine.store.tokens.facts(parsed.tenantId, parsed.hash)
  if (facts === undefined) return { success: false }
  await engine.store.tokens.revokeToken({
    tenantId: parsed.tenantId,
    tokenHash: parsed.hash,
    reason: 'manual',
    audit: ({ tokenId, familyId, userId }, now) => [
      auditRow(
        {
          tenantId: parsed.tenantId,
          userId,
          action: 'SESSION_REVOKED',
          resource: 'refresh_token',
          resourceId: tokenId,
          metadata: { reason: 'manual', familyId },
        },
        now,
      ),
    ],
  })
  return { success: true }
}
