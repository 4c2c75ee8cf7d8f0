/**
 * A tenant's own limits and switches: their form, and how they tighten what the service allows.
 *
 * @module
 */

import type { Settings } from '../options.ts'
import type { StoredSettings } from '../store/contract/access.ts'

export const IP_RULE_MODES = ['enforce', 'monitor'] as const

/** What a tenant has set. Null: as the service has it. */
export interface TenantSettings {
  readonly session: { readonly idleMs: number | null; readonly maxLifeMs: number | null }
  readonly ipRules: { readonly mode: (typeof IP_RULE_MODES)[number] }
  readonly impersonation: {
    /** Refuses whatever changes something while somebody acts as another. */
    readonly readOnly: boolean
    /** Whether the person is told by mail that somebody acts as them. */
    readonly notify: boolean
  }
  readonly stepUp: {
    /** Whether a code by mail is a fallback for those who have enrolled nothing. */
    readonly emailCodes: boolean
  }
}

/** Reads what is stored. What is not there, or not of its form, is as the service has it. */
export function readTenantSettings(stored: StoredSettings): TenantSettings {
  const session = groupOf(stored['session'])
  const ipRules = groupOf(stored['ipRules'])
  const impersonation = groupOf(stored['impersonation'])
  const stepUp = groupOf(stored['stepUp'])
  return {
    session: { idleMs: durationOf(session['idleMs']), maxLifeMs: durationOf(session['maxLifeMs']) },
    ipRules: { mode: ipRules['mode'] === 'monitor' ? 'monitor' : 'enforce' },
    impersonation: { readOnly: impersonation['readOnly'] === true, notify: impersonation['notify'] === true },
    stepUp: { emailCodes: stepUp['emailCodes'] !== false },
  }
}

export type TenantLimits = Pick<Settings, 'idleMs' | 'maxSessionLifeMs' | 'impersonationReadOnly'>

/** The limits that hold in a tenant: its own where they are tighter. */
export function tightened(settings: TenantLimits, tenant: TenantSettings): TenantLimits {
  return {
    idleMs: Math.min(settings.idleMs, tenant.session.idleMs ?? settings.idleMs),
    maxSessionLifeMs: Math.min(settings.maxSessionLifeMs, tenant.session.maxLifeMs ?? settings.maxSessionLifeMs),
    impersonationReadOnly: settings.impersonationReadOnly || tenant.impersonation.readOnly,
  }
}

function groupOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function durationOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null
}
