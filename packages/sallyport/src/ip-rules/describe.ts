/**
 * A rule in the words of the API.
 *
 * @module
 */

import type { IpRuleId, UserId } from '../ids.ts'
import type { IpRuleRow, IpRuleType } from '../store/contract/access.ts'

export interface IpRuleDescription {
  readonly id: IpRuleId
  readonly type: IpRuleType
  readonly cidr: string
  readonly label: string | null
  readonly createdBy: UserId | null
  readonly createdAt: string
  readonly expiresAt: string | null
}

export function describeIpRule(rule: IpRuleRow): IpRuleDescription {
  const { id, type, cidr, label, createdBy, createdAt, expiresAt } = rule
  return {
    id,
    type,
    cidr,
    label,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  }
}

/** What of a rule an audit row keeps before and after a change. */
export function ruleValues({ type, cidr, label, expiresAt }: IpRuleRow): Readonly<Record<string, unknown>> {
  return { type, cidr, label, expiresAt: expiresAt?.toISOString() ?? null }
}
