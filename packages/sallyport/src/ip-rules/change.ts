/**
 * Adds, changes and removes rules of address.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import { actor, auditRow } from '../audit/record.ts'
import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { IpRuleId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { IpRuleChange, IpRuleChangeFacts, IpRuleType, PolicyRow } from '../store/contract/access.ts'
import { judgeAddress, policyFrom } from '../tenant-settings/policy.ts'
import type { IpRuleDescription } from './describe.ts'
import { describeIpRule, ruleValues } from './describe.ts'
import { parseCidr } from './parse.ts'

/** How many rules a tenant may have. */
export const MAX_IP_RULES = 10_000

/** A rule as a person gives it. */
export interface IpRuleInput {
  readonly type: IpRuleType
  /** A network, or an address for the network of it alone. */
  readonly cidr: string
  readonly label?: string | null | undefined
  /** In the future. Defaults to never. */
  readonly expiresAt?: Date | null | undefined
}

/** What is given of a rule; the rest stays. */
export type IpRulePart = { readonly [Field in keyof IpRuleInput]?: IpRuleInput[Field] | undefined }

interface Asked {
  readonly request: RequestFacts
  /** Whether to do it even if it keeps the caller out. Defaults to false. */
  readonly force?: boolean | undefined
}

/**
 * A change bites at the next request from everywhere; sessions that it keeps out are not ended and go on once they are back
 * at an allowed address. The caller stands behind the step-up `ip_rule_change`.
 *
 * @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_EDIT`; `INVALID_REQUEST` for what is no network;
 * `WOULD_LOCK_OUT` when the caller could not come back from where they are, unless forced; `CONFLICT` for a rule that there is,
 * and for one too many.
 */
export async function addIpRule(
  engine: Engine,
  caller: Caller,
  { request, force, ...input }: IpRuleInput & Asked,
): Promise<IpRuleDescription> {
  const rule = {
    id: newId<IpRuleId>(),
    type: input.type,
    cidr: canonical(input.cidr),
    label: input.label ?? null,
    createdBy: caller.userId,
    expiresAt: input.expiresAt ?? null,
  }
  const { newRule } = await apply(engine, caller, { kind: 'add', rule }, 'IP_RULE_CREATED', { request, force })
  if (newRule === undefined) throw new TypeError('ip rules: a rule was added and is not there')
  return describeIpRule(newRule)
}

/**
 * Changes what is given and leaves the rest.
 *
 * @throws SallyportError as {@link addIpRule}, and `NOT_FOUND`.
 */
export async function updateIpRule(
  engine: Engine,
  caller: Caller,
  { id, request, force, ...input }: { readonly id: IpRuleId } & IpRulePart & Asked,
): Promise<IpRuleDescription> {
  const to = {
    ...(input.type !== undefined && { type: input.type }),
    ...(input.cidr !== undefined && { cidr: canonical(input.cidr) }),
    ...(input.label !== undefined && { label: input.label }),
    ...(input.expiresAt !== undefined && { expiresAt: input.expiresAt }),
  }
  const { newRule } = await apply(engine, caller, { kind: 'update', id, to }, 'IP_RULE_UPDATED', { request, force })
  if (newRule === undefined) throw new TypeError('ip rules: a rule was changed and is not there')
  return describeIpRule(newRule)
}

/** @throws SallyportError as {@link addIpRule}, and `NOT_FOUND`. */
export async function removeIpRule(
  engine: Engine,
  caller: Caller,
  { id, ...asked }: { readonly id: IpRuleId } & Asked,
): Promise<void> {
  await apply(engine, caller, { kind: 'remove', id }, 'IP_RULE_DELETED', asked)
}

async function apply(
  engine: Engine,
  caller: Caller,
  change: IpRuleChange,
  action: AuditAction,
  { request, force = false }: Asked,
): Promise<IpRuleChangeFacts> {
  requirePermission(caller, 'SETTINGS_SECURITY_EDIT')
  const outcome = await engine.store.access.changeRule(
    {
      tenantId: caller.tenantId,
      change,
      most: MAX_IP_RULES,
      refuse: (facts) => expired(facts) ?? (force ? undefined : lockedOut(facts.after, request.ipAddress)),
    },
    ({ oldRule, newRule }, now) => [
      auditRow(
        {
          ...actor(caller),
          action,
          resource: 'ip_rule',
          resourceId: (newRule ?? oldRule)?.id,
          ...(oldRule !== undefined && { oldValue: ruleValues(oldRule) }),
          ...(newRule !== undefined && { newValue: ruleValues(newRule) }),
          metadata: { forced: force },
          request,
        },
        now,
      ),
    ],
  )
  switch (outcome.kind) {
    case 'changed':
      engine.live.forget({ kind: 'ip_rules', ref: caller.tenantId })
      return outcome.facts
    case 'refused':
      throw outcome.error
    case 'unknown':
      throw new SallyportError('NOT_FOUND', 'There is no such rule in this tenant.')
    case 'duplicate':
      throw conflict('There is such a rule already.', 'duplicate')
    case 'too-many':
      throw conflict(`A tenant has ${MAX_IP_RULES} rules at most.`, 'too_many')
  }
}

/** @throws SallyportError `INVALID_REQUEST` naming the rule that was broken. */
export function canonical(cidr: string): string {
  const parsed = parseCidr(cidr)
  if (parsed.kind === 'invalid') throw invalidField('cidr', parsed.rule)
  return parsed.cidr.text
}

/**
 * What a change is refused with that would keep out the one who makes it. A tenant that only watches keeps nobody out.
 *
 * @param address Where the change is asked for from.
 */
export function lockedOut(after: PolicyRow, address: string | undefined): SallyportError | undefined {
  const policy = policyFrom(after)
  if (policy.settings.ipRules.mode === 'monitor') return undefined
  if (judgeAddress(policy, address, after.now.getTime()).kind === 'pass') return undefined
  return new SallyportError(
    'WOULD_LOCK_OUT',
    'You could not come back from where you are. Send force to do it all the same.',
  )
}

function expired({ newRule, oldRule, after }: IpRuleChangeFacts): SallyportError | undefined {
  const expiresAt = newRule?.expiresAt
  if (expiresAt == null || expiresAt.getTime() === oldRule?.expiresAt?.getTime()) return undefined
  return expiresAt.getTime() > after.now.getTime() ? undefined : invalidField('expiresAt', 'must be in the future')
}

function conflict(message: string, reason: string): SallyportError {
  return new SallyportError('CONFLICT', message, { facts: { reason } })
}
