/**
 * Lists a tenant's rules of address.
 *
 * @module
 */

import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import type { Caller } from '../sessions/caller.ts'
import type { TenantSettings } from '../tenant-settings/read.ts'
import { readTenantSettings } from '../tenant-settings/read.ts'
import type { IpRuleDescription } from './describe.ts'
import { describeIpRule } from './describe.ts'

export interface ListedIpRule extends IpRuleDescription {
  /** As they are called now; null where nobody is known to have made it. */
  readonly createdByName: string | null
}

/** Oldest first, with the mode that they work in. @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_VIEW`. */
export async function listIpRules(
  engine: Engine,
  caller: Caller,
): Promise<{ readonly rules: readonly ListedIpRule[]; readonly mode: TenantSettings['ipRules']['mode'] }> {
  requirePermission(caller, 'SETTINGS_SECURITY_VIEW')
  const { access, directory } = engine.store
  const policy = await access.policy(caller.tenantId)
  const rules = policy?.rules ?? []
  const names = await directory.names(
    caller.tenantId,
    rules.flatMap(({ createdBy }) => createdBy ?? []),
  )
  return {
    rules: rules.map((rule) => ({
      ...describeIpRule(rule),
      createdByName: names.get(rule.createdBy ?? '') ?? null,
    })),
    mode: readTenantSettings(policy?.settings ?? {}).ipRules.mode,
  }
}
