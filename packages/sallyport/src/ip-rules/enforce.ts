/**
 * Holds a request to its tenant's rules of address, and records what they refuse.
 *
 * @module
 */

import type { AuditEvent } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { TenantId } from '../ids.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { TenantPolicy } from '../tenant-settings/policy.ts'
import { judgeAddress } from '../tenant-settings/policy.ts'
import type { AddressVerdict } from './matcher.ts'

/** Who was held to the rules, and where. */
export interface AddressedRequest {
  readonly tenantId: TenantId
  readonly request: Partial<RequestFacts>
  readonly at: 'sign-in' | 'refresh' | 'request'
  readonly who?: Pick<AuditEvent, 'userId' | 'actorName' | 'staffId' | 'sessionId' | 'realUserId'>
}

type Refused = Extract<AddressVerdict, { readonly kind: 'refused' }>

/**
 * Resolves when the tenant lets itself be reached from there.
 *
 * @throws SallyportError `IP_BLOCKED` (a rule denies the address), `IP_NOT_ALLOWED` (rules allow others, and not this one).
 */
export async function enforceIpRules(engine: Engine, asked: AddressedRequest): Promise<void> {
  const refused = await refusedBy(engine, asked)
  if (refused !== undefined) await actOn(engine, refused.policy, refused.verdict, asked)
}

/**
 * The same for a later request of something that was held to the rules before: what a tenant that only watches would have
 * refused is left to {@link watchAddress}, so that one sign-in is not told as several.
 *
 * @throws SallyportError as {@link enforceIpRules}.
 */
export async function enforceIpRulesAgain(engine: Engine, asked: AddressedRequest): Promise<void> {
  const refused = await refusedBy(engine, asked)
  if (refused?.policy.settings.ipRules.mode === 'enforce') await actOn(engine, refused.policy, refused.verdict, asked)
}

/** Records what the rules of a tenant that only watches would have refused, and refuses nothing. */
export async function watchAddress(engine: Engine, asked: AddressedRequest): Promise<void> {
  const refused = await refusedBy(engine, asked)
  if (refused?.policy.settings.ipRules.mode === 'monitor') await actOn(engine, refused.policy, refused.verdict, asked)
}

async function refusedBy(
  engine: Engine,
  { tenantId, request }: AddressedRequest,
): Promise<{ readonly policy: TenantPolicy; readonly verdict: Refused } | undefined> {
  const policy = engine.live.policy(tenantId) ?? (await engine.live.loadPolicy(tenantId))
  // A tenant that does not exist has no rules; what was asked of it fails by itself.
  if (policy === undefined) return undefined
  const verdict = judgeAddress(policy, request.ipAddress, engine.live.now() as number)
  return verdict.kind === 'refused' ? { policy, verdict } : undefined
}

/**
 * The requests of which it was told what a watching tenant would have refused. One request is held to the rules at several of
 * its steps, and may be so until it ends: it is no more than one refusal.
 */
const told = new WeakSet<Partial<RequestFacts>>()

/** Records what the rules refuse, and refuses it unless the tenant only watches. */
export async function actOn(
  engine: Engine,
  { settings }: TenantPolicy,
  verdict: Refused,
  { tenantId, request, at, who }: AddressedRequest,
): Promise<void> {
  const { mode } = settings.ipRules
  const event: AuditEvent = {
    tenantId,
    ...who,
    action: 'IP_ACCESS_DENIED',
    // Nothing was refused where the tenant only watches: the row must not read as if it had been.
    outcome: mode === 'monitor' ? 'SUCCESS' : 'FAIL',
    failureReason: verdict.code,
    resource: 'ip_rule',
    resourceId: verdict.code === 'IP_BLOCKED' ? verdict.ruleId : undefined,
    metadata: { at, mode },
    ...(request.correlationId !== undefined && { request: { ...request, correlationId: request.correlationId } }),
  }
  if (mode === 'monitor') {
    if (told.has(request)) return
    told.add(request)
    await engine.refusals.record(event).catch((err: unknown) => {
      engine.log.warn({ err }, 'what the IP rules would have refused could not be recorded')
    })
    return
  }
  await engine.refusals.record(event)
  throw failureRecorded(
    verdict.code === 'IP_BLOCKED'
      ? new SallyportError('IP_BLOCKED', 'This address is blocked by the tenant.')
      : new SallyportError('IP_NOT_ALLOWED', 'The tenant cannot be reached from this address.'),
  )
}
