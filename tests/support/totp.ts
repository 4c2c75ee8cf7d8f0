/**
 * Codes of an authenticator app that a test has to have more than one of.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { totpCode } from '../../packages/server/src/demo/totp.ts'

const STEP_MS = 30_000
/** What a slow machine may take between the making of a code and its check. */
const MARGIN_MS = 5_000

/**
 * The code of the step before, which is good until this step ends and leaves the code of now unspent. Close to the end it waits for
 * the next step.
 */
export async function earlierTotpCode(secret: string): Promise<string> {
  const left = STEP_MS - (Date.now() % STEP_MS)
  if (left < MARGIN_MS) await sleep(left)
  return totpCode(secret, new Date(Date.now() - STEP_MS))
}
