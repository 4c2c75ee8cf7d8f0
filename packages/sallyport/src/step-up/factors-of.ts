/**
 * Tells what a person has enrolled, and what of it they could use now.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import type { Factors, FactorType } from '../store/contract/step-up.ts'
import { FACTOR_TYPES } from '../store/contract/step-up.ts'
import { onlyWithoutEnrolled } from './factors/email-code.ts'
import { FACTORS } from './factors.ts'

export interface FactorsOfUser extends Factors {
  /** The enrolled types that a step-up can be passed with at this moment, in the order to offer them. */
  readonly usable: readonly FactorType[]
}

/** The factors of a person: nothing secret is in the answer. */
export async function factorsOf(engine: Pick<Engine, 'store'>, userId: UserId): Promise<FactorsOfUser> {
  const factors = await engine.store.stepUp.factors(userId)
  return { ...factors, usable: usableOf(factors) }
}

/** What of these a step-up can be passed with. */
export function usableOf(factors: Factors): readonly FactorType[] {
  return FACTOR_TYPES.filter((type) => FACTORS[type].usable(factors))
}

/**
 * The types that this purpose can be passed with at this moment: what is enrolled, and a code by mail where the purpose, the
 * service and the tenant take one and there is an address to send it to.
 */
export async function factorsFor(
  { store, settings }: Pick<Engine, 'store' | 'settings'>,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  purpose: string,
): Promise<FactorsOfUser> {
  const [factors, mail] = await Promise.all([
    store.stepUp.factors(userId),
    settings.emailCodes ? store.stepUp.emailCodeFacts({ tenantId, userId }) : undefined,
  ])
  const byMail =
    mail?.address === true && mail.switchedOn && !(onlyWithoutEnrolled(purpose) && factors.enrolled.length > 0)
  return { ...factors, usable: [...usableOf(factors), ...(byMail ? (['email_code'] as const) : [])] }
}
