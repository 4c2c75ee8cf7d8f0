/**
 * The limits that hold in a tenant now: those of the service, tightened by its own.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId } from '../ids.ts'
import type { TenantLimits } from './read.ts'
import { tightened } from './read.ts'

/** From memory where that may answer. */
export async function limitsOf(
  { live, settings }: Pick<Engine, 'live' | 'settings'>,
  tenantId: TenantId,
): Promise<TenantLimits> {
  const policy = live.policy(tenantId) ?? (await live.loadPolicy(tenantId))
  return policy === undefined ? settings : tightened(settings, policy.settings)
}
