/**
 * Tells what a change of the rules would do before it is made: whom it would cut off.
 *
 * @module
 */

import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { IpRuleId, SessionId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { IpRuleRow } from '../store/contract/access.ts'
import { judgeAddress, policyFrom } from '../tenant-settings/policy.ts'
import { tightened } from '../tenant-settings/read.ts'
import type { IpRulePart } from './change.ts'
import { canonical, lockedOut } from './change.ts'

/** How many live sessions are looked at, newest seen first. */
const MOST = 1000

export interface IpRulePreview {
  /** The network as it would be kept. Null where a rule would go. */
  readonly cidr: string | null
  /** Whether it would be refused without `force`. */
  readonly wouldLockOut: boolean
  /** Live sessions that pass now and would not any more, by where they were last seen from. */
  readonly cutOff: readonly {
    readonly sessionId: SessionId
    readonly userId: UserId
    readonly userName: string
    readonly ipAddress: string | null
    readonly code: string
  }[]
  /** How many live sessions were looked at. */
  readonly looked: number
}

export interface IpRulePreviewInput extends IpRulePart {
  /** A rule that is there: it would become what is given beside it, or go where nothing is. */
  readonly id?: IpRuleId | undefined
  readonly request: RequestFacts
}

/**
 * Changes nothing. The mode is left out of account: what a tenant that only watches would see is what it would refuse.
 *
 * @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_EDIT`, `NOT_FOUND`, `INVALID_REQUEST`.
 */
export async function previewIpRule(
  engine: Engine,
  caller: Caller,
  { id, request, ...input }: IpRulePreviewInput,
): Promise<IpRulePreview> {
  requirePermission(caller, 'SETTINGS_SECURITY_EDIT')
  const row = await engine.store.access.policy(caller.tenantId)
  const known = row?.rules.find((rule) => rule.id === id)
  if (row === undefined || (id !== undefined && known === undefined)) {
    throw new SallyportError('NOT_FOUND', 'There is no such rule in this tenant.')
  }
  const given = input.cidr === undefined ? known?.cidr : canonical(input.cidr)
  const goes = id !== undefined && Object.values(input).every((value) => value === undefined)
  const rule: IpRuleRow | undefined =
    goes || given === undefined
      ? undefined
      : {
          id: id ?? newId<IpRuleId>(),
          type: input.type ?? known?.type ?? 'ALLOW',
          cidr: given,
          label: input.label ?? known?.label ?? null,
          createdBy: known?.createdBy ?? caller.userId,
          createdAt: known?.createdAt ?? row.now,
          expiresAt: input.expiresAt === undefined ? (known?.expiresAt ?? null) : input.expiresAt,
        }
  const after = { ...row, rules: [...row.rules.filter((one) => one.id !== id), ...(rule === undefined ? [] : [rule])] }
  const now = row.now.getTime()
  const [before, then] = [policyFrom(row), policyFrom(after)]
  const { idleMs, maxSessionLifeMs } = tightened(engine.settings, before.settings)
  const places = await engine.store.access.places({
    tenantId: caller.tenantId,
    idleMs,
    maxSessionLifeMs,
    limit: MOST,
  })
  return {
    cidr: rule?.cidr ?? null,
    wouldLockOut: lockedOut({ ...after, settings: {} }, request.ipAddress) !== undefined,
    cutOff: places.flatMap(({ sessionId, userId, userName, ipAddress }) => {
      const address = ipAddress ?? undefined
      const verdict = judgeAddress(then, address, now)
      if (verdict.kind === 'pass' || judgeAddress(before, address, now).kind === 'refused') return []
      return [{ sessionId, userId, userName, ipAddress, code: verdict.code }]
    }),
    looked: places.length,
  }
}
