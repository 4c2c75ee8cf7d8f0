/**
 * Breaks the glass: removes every rule of a tenant that has locked itself out. For the operator, on the server.
 *
 * @module
 */

import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { newId } from '../ids.ts'
import { ruleValues } from './describe.ts'

/**
 * One `IP_RULE_DELETED` row for each rule, with the operator as the actor. Every node forgets the rules by the change feed.
 *
 * @param tenant The id or the slug of the tenant.
 * @returns How many rules there were.
 * @throws SallyportError `NOT_FOUND`, `UNAVAILABLE`.
 */
export async function clearIpRules(
  engine: Pick<Engine, 'store' | 'live'>,
  tenant: string,
  by: { readonly actor: string } = { actor: 'host' },
): Promise<{ readonly removed: number }> {
  const tenantId = await engine.store.access.tenantNamed(tenant)
  if (tenantId === undefined) throw new SallyportError('NOT_FOUND', `there is no tenant ${tenant}`)
  const correlationId = newId()
  const rules = await engine.store.access.clearRules(tenantId, (gone, now) =>
    gone.map((rule) =>
      auditRow(
        {
          tenantId,
          action: 'IP_RULE_DELETED',
          resource: 'ip_rule',
          resourceId: rule.id,
          oldValue: ruleValues(rule),
          metadata: { actor: by.actor, reason: 'break_glass' },
          correlationId,
        },
        now,
      ),
    ),
  )
  engine.live.forget({ kind: 'ip_rules', ref: tenantId })
  return { removed: rules.length }
}
