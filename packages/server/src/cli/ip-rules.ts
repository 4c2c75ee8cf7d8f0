/**
 * `sallyport ip-rules`
 *
 * @module
 */

import type { GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'

/** Breaks the glass for a tenant that locked itself out: every rule goes, and the audit log says who did it. */
export async function ipRulesClear({ tenant, ...options }: GlobalOptions & { readonly tenant: string }): Promise<void> {
  const outcome = await withGuard(await configuration(), options, async ({ guard }) => {
    await guard.start()
    return guard.ipRules.clear(tenant, { actor: 'cli' })
  })
  const count = outcome.removed === 1 ? '1 rule' : `${outcome.removed} rules`
  answer(options, { tenant, ...outcome }, [`${count} removed: the tenant can be reached from everywhere`])
}
