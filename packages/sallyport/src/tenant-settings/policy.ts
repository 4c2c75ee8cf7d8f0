/**
 * What a node keeps of a tenant to judge requests by: its settings, and its rules compiled.
 *
 * @module
 */

import type { TenantId } from '../ids.ts'
import type { AddressVerdict, IpMatcher } from '../ip-rules/matcher.ts'
import { compileRules } from '../ip-rules/matcher.ts'
import type { IpRuleRow, PolicyRow } from '../store/contract/access.ts'
import type { TenantSettings } from './read.ts'
import { readTenantSettings } from './read.ts'

/** A tenant's policy as of one reading. While `gone` (not in the live view, or no longer), whoever still holds it must look again. */
export interface TenantPolicy {
  readonly tenantId: TenantId
  readonly settings: TenantSettings
  readonly rules: readonly IpRuleRow[]
  /** `undefined` while no rule holds: then there is nothing to ask. */
  matcher: IpMatcher | undefined
  /** When the next rule expires, by the database's clock in milliseconds: what was compiled holds until then. */
  compiledUntil: number
  gone: boolean
  /** By this node's monotonic clock: how long it may answer without being read again. */
  goodUntil: number
}

/** Compiles what was read. */
export function policyFrom({ tenantId, settings, rules, now }: PolicyRow): TenantPolicy {
  const policy: TenantPolicy = {
    tenantId,
    settings: readTenantSettings(settings),
    rules,
    matcher: undefined,
    compiledUntil: 0,
    // Outside the live view no change reaches it: it is good for the check that read it, and no other.
    gone: true,
    goodUntil: Number.NEGATIVE_INFINITY,
  }
  compile(policy, now.getTime())
  return policy
}

/** Whether a request from `address` may pass, at `now` by the database's clock. The mode is not looked at. */
export function judgeAddress(policy: TenantPolicy, address: string | undefined, now: number): AddressVerdict {
  if (now >= policy.compiledUntil) compile(policy, now)
  return policy.matcher === undefined ? PASS : policy.matcher.judge(address)
}

const PASS: AddressVerdict = { kind: 'pass' }

function compile(policy: TenantPolicy, now: number): void {
  const holding = policy.rules.filter(({ expiresAt }) => expiresAt === null || expiresAt.getTime() > now)
  policy.matcher = holding.length === 0 ? undefined : compileRules(holding)
  policy.compiledUntil = holding.reduce(
    (first, { expiresAt }) => Math.min(first, expiresAt?.getTime() ?? first),
    Number.POSITIVE_INFINITY,
  )
}
