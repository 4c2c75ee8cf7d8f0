/**
 * The table of factors: one row each, and the one place that a new factor is added to.
 *
 * @module
 */

import type { FactorType } from '../store/contract/step-up.ts'
import type { Factor } from './factor.ts'
import { emailCode } from './factors/email-code.ts'
import { passkey } from './factors/passkey.ts'
import { recoveryCode } from './factors/recovery-code.ts'
import { totp } from './factors/totp.ts'

/** In the order in which they are offered. */
export const FACTORS: Readonly<Record<FactorType, Factor>> = {
  totp,
  passkey,
  recovery_code: recoveryCode,
  email_code: emailCode,
}
