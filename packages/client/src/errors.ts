/**
 * The one error class of the client, and its codes: those of the API, and the few that are the client's own.
 *
 * @module
 */

import type { ApiErrorCode, ProblemFacts } from './generated/api.ts'

/**
 * What only the client itself says.
 *
 * - `NETWORK`: nothing was answered in time, or something that is no answer of the service. Transient.
 * - `SIGNED_OUT`: nobody is signed in here; nothing was sent.
 * - `STEP_UP_CANCELLED`: the person closed the dialog.
 * - `PASSKEY_CANCELLED`: the browser made no passkey and signed nothing; `cause` says why.
 * - `UNEXPECTED`: an error that is no problem document, such as a proxy's page. Transient from status 500 on.
 * - `CLOSED`: the client was closed.
 */
export type ClientErrorCode =
  | 'NETWORK'
  | 'SIGNED_OUT'
  | 'STEP_UP_CANCELLED'
  | 'PASSKEY_CANCELLED'
  | 'UNEXPECTED'
  | 'CLOSED'

/** Every stable code. */
export type ErrorCode = ApiErrorCode | ClientErrorCode

/** What may accompany an error. */
export interface SallyportErrorOptions {
  /** The status of the answer; 0 where there was none. */
  readonly status?: number
  readonly facts?: ProblemFacts
  readonly requestId?: string | undefined
  readonly cause?: unknown
}

/** What does not succeed rejects with this. `code` is stable, `message` is for people. */
export class SallyportError extends Error {
  declare readonly code: ErrorCode
  declare readonly status: number
  /** What the refusal says beside its code: `field`, `tenants`, `retryAfter`, … */
  declare readonly facts: ProblemFacts
  /** Leads to the cause in the service's log. */
  declare readonly requestId: string | undefined

  constructor(code: ErrorCode, message: string, options?: SallyportErrorOptions) {
    super(message)
    Object.assign(this, { name: 'SallyportError', status: 0, facts: {} }, options, { code })
  }

  /** Whether the same can be tried again and may then succeed, with nothing changed. */
  get transient(): boolean {
    const { code, status } = this
    return code === 'NETWORK' || code === 'RETRY' || status === 429 || status >= 500
  }
}
