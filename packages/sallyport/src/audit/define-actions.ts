/**
 * The host's own audit actions, beside the built-in ones.
 *
 * @module
 */

import { ACTIONS } from './actions.ts'

declare const hostAction: unique symbol

/** The name of an action of the host's. Only {@link defineActions} makes one, so that a misspelt name does not compile. */
export type HostAction = string & { readonly [hostAction]: true }

/** What there is to say of an action of the host's. */
export interface HostActionRule {
  /** Whether it belongs in the `security-events` export. Defaults to false. */
  readonly security?: boolean
}

/** The host's actions by their names. */
export type HostActions<Name extends string = string> = Readonly<
  Record<Name, { readonly action: HostAction; readonly security: boolean }>
>

/**
 * Defines actions. Give them to the instance as `audit.actions`, and record with `actions.INVOICE_APPROVED.action`.
 *
 * @example
 * const actions = defineActions({ INVOICE_APPROVED: {}, PAYOUT_RELEASED: { security: true } })
 * @throws TypeError for a name that is not in upper snake case, or is a built-in one.
 */
export function defineActions<const Name extends string>(
  rules: Readonly<Record<Name, HostActionRule>>,
): HostActions<Name> {
  const entries = Object.entries<HostActionRule>(rules).map(([name, { security = false }]) => {
    if (!/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/.test(name) || name.length > 64) {
      throw new TypeError(`defineActions: ${name} must be in upper snake case, of at most 64 characters`)
    }
    // The auditor reads a built-in action as something that Sallyport itself did.
    if ((ACTIONS as readonly string[]).includes(name)) throw new TypeError(`defineActions: ${name} is built in`)
    return [name, { action: name as HostAction, security }] as const
  })
  return Object.freeze(Object.fromEntries(entries)) as HostActions<Name>
}
