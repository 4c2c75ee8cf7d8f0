/**
 * The port of a tenant's own rules: from where it may be reached, and what it tightens of the service's limits.
 *
 * @module
 */

import type { SallyportError } from '../../errors.ts'
import type { IpRuleId, SessionId, TenantId, UserId } from '../../ids.ts'
import type { AuditOf } from './audited.ts'
import type { LiveLimits } from './sessions.ts'

export const IP_RULE_TYPES = ['ALLOW', 'DENY'] as const
export type IpRuleType = (typeof IP_RULE_TYPES)[number]

export interface IpRuleRow {
  readonly id: IpRuleId
  readonly type: IpRuleType
  /** In the one form that `parseCidr` gives. */
  readonly cidr: string
  readonly label: string | null
  readonly createdBy: UserId | null
  readonly createdAt: Date
  /** From then on the rule is as good as gone. */
  readonly expiresAt: Date | null
}

/** What a tenant has set, as stored: read it with `readTenantSettings`. */
export type StoredSettings = Readonly<Record<string, unknown>>

/** Everything that judging a request to a tenant needs of it. */
export interface PolicyRow {
  readonly tenantId: TenantId
  readonly settings: StoredSettings
  /** Oldest first; expired ones included. */
  readonly rules: readonly IpRuleRow[]
  readonly now: Date
}

export type IpRuleChange =
  | { readonly kind: 'add'; readonly rule: Omit<IpRuleRow, 'createdAt'> }
  | {
      readonly kind: 'update'
      readonly id: IpRuleId
      readonly to: Partial<Pick<IpRuleRow, 'type' | 'cidr' | 'label' | 'expiresAt'>>
    }
  | { readonly kind: 'remove'; readonly id: IpRuleId }

/** A change of one rule, as it is judged and recorded: with all rules before and after it. */
export interface IpRuleChangeFacts {
  readonly before: PolicyRow
  readonly after: PolicyRow
  /** `undefined` for a rule that is new. */
  readonly oldRule: IpRuleRow | undefined
  /** `undefined` for a rule that goes. */
  readonly newRule: IpRuleRow | undefined
}

export type IpRuleChangeOutcome =
  | { readonly kind: 'changed'; readonly facts: IpRuleChangeFacts }
  | { readonly kind: 'refused'; readonly error: SallyportError }
  | { readonly kind: 'unknown' }
  /** There is such a rule already. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'too-many' }

/** A live session and where it was last seen from. */
export interface SessionPlace {
  readonly sessionId: SessionId
  readonly userId: UserId
  readonly userName: string
  readonly ipAddress: string | null
  readonly lastSeenAt: Date
}

/**
 * Every method is bound to the tenant it is given. Changes of one tenant MUST happen one after the other, so that what one of
 * them was judged by is what it changes; each MUST be told to the feed (`ip_rules`, `settings`).
 */
export interface AccessStore {
  /** In one round trip; `undefined` for an unknown tenant. */
  policy(tenantId: TenantId): Promise<PolicyRow | undefined>

  /** The tenant of this id or slug. */
  tenantNamed(named: string): Promise<TenantId | undefined>

  /** The rule is asked inside the transaction, about all rules as they would be. */
  changeRule(
    input: {
      readonly tenantId: TenantId
      readonly change: IpRuleChange
      readonly most: number
      readonly refuse: (facts: IpRuleChangeFacts) => SallyportError | undefined
    },
    audit: AuditOf<IpRuleChangeFacts>,
  ): Promise<IpRuleChangeOutcome>

  /** Removes all rules: the way back in for a tenant that locked itself out. */
  clearRules(tenantId: TenantId, audit: AuditOf<readonly IpRuleRow[]>): Promise<readonly IpRuleRow[]>

  /** Replaces the settings by what `change` makes of them; an error that it answers refuses the change. */
  changeSettings(
    input: {
      readonly tenantId: TenantId
      readonly change: (before: PolicyRow) => StoredSettings | SallyportError
    },
    audit: AuditOf<{ readonly before: StoredSettings; readonly after: StoredSettings }>,
  ): Promise<StoredSettings | SallyportError | undefined>

  /** Live sessions of the tenant, newest seen first, and where each was last seen from. */
  places(input: { readonly tenantId: TenantId; readonly limit: number } & LiveLimits): Promise<readonly SessionPlace[]>
}
