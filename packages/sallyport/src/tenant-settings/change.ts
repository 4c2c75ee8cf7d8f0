/**
 * Shows and changes a tenant's own limits and switches.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import { requirePermission } from '../directory/require-permission.ts'
import type { Engine } from '../engine.ts'
import { invalidField, SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { lockedOut } from '../ip-rules/change.ts'
import type { Caller } from '../sessions/caller.ts'
import type { TenantSettings } from './read.ts'
import { readTenantSettings, tightened } from './read.ts'

/** The tenant's settings, and what holds with the service's own. Durations in seconds. */
export interface SettingsDescription {
  readonly session: { readonly idle: number | null; readonly maxLife: number | null }
  readonly ipRules: { readonly mode: TenantSettings['ipRules']['mode'] }
  readonly impersonation: { readonly readOnly: boolean; readonly notify: boolean }
  readonly stepUp: { readonly emailCodes: boolean }
  readonly effective: {
    readonly idle: number
    readonly maxLife: number
    readonly impersonationReadOnly: boolean
    readonly emailCodes: boolean
  }
}

/** What is left out stays; null takes a limit back to the service's. */
export interface SettingsChange {
  readonly session?:
    | { readonly idle?: number | null | undefined; readonly maxLife?: number | null | undefined }
    | undefined
  readonly ipRules?: { readonly mode?: TenantSettings['ipRules']['mode'] | undefined } | undefined
  readonly impersonation?:
    | { readonly readOnly?: boolean | undefined; readonly notify?: boolean | undefined }
    | undefined
  readonly stepUp?: { readonly emailCodes?: boolean | undefined } | undefined
  readonly force?: boolean | undefined
}

/** @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_VIEW`. */
export async function showSettings(engine: Engine, caller: Caller): Promise<SettingsDescription> {
  requirePermission(caller, 'SETTINGS_SECURITY_VIEW')
  const policy = await engine.store.access.policy(caller.tenantId)
  return describe(engine, readTenantSettings(policy?.settings ?? {}))
}

/**
 * A tenant may only tighten what the service allows. The caller stands behind the step-up `security_settings`.
 *
 * @throws SallyportError `FORBIDDEN` without `SETTINGS_SECURITY_EDIT`; `INVALID_REQUEST` for a limit that is looser than the
 * service's; `WOULD_LOCK_OUT` when rules that were only watched would keep the caller out, unless forced.
 */
export async function changeSettings(
  engine: Engine,
  caller: Caller,
  { request, force = false, ...change }: SettingsChange & { readonly request: RequestFacts },
): Promise<SettingsDescription> {
  requirePermission(caller, 'SETTINGS_SECURITY_EDIT')
  refuseLooser(engine, change)
  const outcome = await engine.store.access.changeSettings(
    {
      tenantId: caller.tenantId,
      change(before) {
        const after = { ...before.settings, ...merged(readTenantSettings(before.settings), change) }
        const locked = force ? undefined : lockedOut({ ...before, settings: after }, request.ipAddress)
        return locked ?? after
      },
    },
    ({ before, after }, now) => {
      const [oldValue, newValue] = difference(readTenantSettings(before), readTenantSettings(after))
      return [
        auditRow(
          {
            ...actor(caller),
            action: 'SETTINGS_UPDATED',
            resource: 'security',
            resourceId: caller.tenantId,
            oldValue,
            newValue,
            metadata: { forced: force },
            request,
          },
          now,
        ),
      ]
    },
  )
  if (outcome === undefined) throw new SallyportError('NOT_FOUND', 'There is no such tenant.')
  if (outcome instanceof SallyportError) throw outcome
  engine.live.forget({ kind: 'settings', ref: caller.tenantId })
  return describe(engine, readTenantSettings(outcome))
}

function refuseLooser({ settings }: Engine, { session, impersonation, stepUp }: SettingsChange): void {
  const limits = [
    ['session.idle', session?.idle, settings.idleMs],
    ['session.maxLife', session?.maxLife, settings.maxSessionLifeMs],
  ] as const
  for (const [field, seconds, most] of limits) {
    if (seconds != null && seconds * 1000 > most) {
      throw invalidField(field, `must be at most ${Math.floor(most / 1000)}, which is the service's own limit`)
    }
  }
  if (impersonation?.readOnly === false && settings.impersonationReadOnly) {
    throw invalidField('impersonation.readOnly', 'is on for the whole service and cannot be turned off here')
  }
  if (stepUp?.emailCodes === true && !settings.emailCodes) {
    throw invalidField('stepUp.emailCodes', 'is off for the whole service and cannot be turned on here')
  }
}

function merged(before: TenantSettings, { session, ipRules, impersonation, stepUp }: SettingsChange): TenantSettings {
  const ms = (seconds: number | null | undefined, otherwise: number | null): number | null =>
    seconds === undefined ? otherwise : seconds === null ? null : seconds * 1000
  return {
    session: {
      idleMs: ms(session?.idle, before.session.idleMs),
      maxLifeMs: ms(session?.maxLife, before.session.maxLifeMs),
    },
    ipRules: { mode: ipRules?.mode ?? before.ipRules.mode },
    impersonation: {
      readOnly: impersonation?.readOnly ?? before.impersonation.readOnly,
      notify: impersonation?.notify ?? before.impersonation.notify,
    },
    stepUp: { emailCodes: stepUp?.emailCodes ?? before.stepUp.emailCodes },
  }
}

/** Only what changed, so that the row says what was done and not what there is. */
function difference(before: TenantSettings, after: TenantSettings): readonly [Flat, Flat] {
  const [was, is] = [flat(before), flat(after)]
  const names = Object.keys(is).filter((name) => was[name] !== is[name])
  const pick = (from: Flat): Flat => Object.fromEntries(names.map((name) => [name, from[name]]))
  return [pick(was), pick(is)]
}

type Flat = Readonly<Record<string, unknown>>

function flat(settings: TenantSettings): Flat {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([group, values]: [string, object]) =>
      Object.entries(values).map(([name, value]: [string, unknown]) => [`${group}.${name}`, value]),
    ),
  )
}

function describe({ settings }: Engine, own: TenantSettings): SettingsDescription {
  const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000))
  const held = tightened(settings, own)
  return {
    session: { idle: seconds(own.session.idleMs), maxLife: seconds(own.session.maxLifeMs) },
    ipRules: own.ipRules,
    impersonation: own.impersonation,
    stepUp: own.stepUp,
    effective: {
      idle: Math.floor(held.idleMs / 1000),
      maxLife: Math.floor(held.maxSessionLifeMs / 1000),
      impersonationReadOnly: held.impersonationReadOnly,
      emailCodes: settings.emailCodes && own.stepUp.emailCodes,
    },
  }
}
