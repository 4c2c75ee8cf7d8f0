/**
 * What a 428 becomes: one demand for each purpose, answered by the app's dialog.
 *
 * @module
 */

import type { PasskeyAssertion, PasskeyRequestOptions } from './generated/api.ts'

/** The kinds of second factor. */
export type Factor = 'totp' | 'passkey' | 'recovery_code' | 'email_code'

/** A second factor, as the person gives it. */
export type StepUpProof =
  | { readonly factor: Exclude<Factor, 'passkey'>; readonly code: string }
  /** Of `getPasskey(await demand.passkeyOptions())`. */
  | { readonly factor: 'passkey'; readonly assertion: PasskeyAssertion }

/**
 * A second factor is asked for. The action that was refused waits, and is sent again by the client once `verify` has resolved.
 *
 * @example
 * onStepUp: (demand) => dialog.open(demand)
 */
export interface StepUpDemand {
  /** What for: `revoke_session`, `sign_in`, `session_risk`, … */
  readonly purpose: string
  /** Those that this person can use. */
  readonly factors: readonly Factor[]
  /** The risk behind it, where it is for a risk. */
  readonly score?: number
  readonly reasons?: readonly string[]
  /** Rejects with the API's refusal (`INVALID_OTP`, `RATE_LIMITED`, …), to be shown at the field, and may then be called again. */
  verify(proof: StepUpProof): Promise<void>
  /** Has a code sent by mail. */
  emailCode(): Promise<void>
  /** What the browser is to sign: for `getPasskey`. */
  passkeyOptions(): Promise<PasskeyRequestOptions>
  /** Gives up: the action rejects with `STEP_UP_CANCELLED`. */
  cancel(): void
  /** Resolves once it is over: verified here or in another tab, cancelled, or moot. The dialog can be closed. */
  readonly settled: Promise<void>
}
