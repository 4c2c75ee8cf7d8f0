/**
 * Codes of an authenticator app that a test has to have more than one of.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { totpCode } from '../../packages/server/src/demo/totp.ts'

/** RFC 6238 section 4.2: how long a code is shown. */
export const STEP_MS = 30_000
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

/** Six digits that are no code of now, nor of the steps on both sides of it. */
export function wrongTotpCode(secret: string, nowMs: number): string {
  const right = [-1, 0, 1].map((step) => totpCode(secret, new Date(nowMs + step * STEP_MS)))
  for (let guess = 0; ; guess++) {
    const code = String(guess).padStart(6, '0')
    if (!right.includes(code)) return code
  }
}
