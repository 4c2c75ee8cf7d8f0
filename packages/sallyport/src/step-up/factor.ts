/**
 * What each factor says of itself.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { ErrorCode } from '../errors.ts'
import type { UserId } from '../ids.ts'
import type { Factors, Proof } from '../store/contract/step-up.ts'

/** What a client gave, for what, and whose it should be. */
export interface Given {
  readonly userId: UserId
  readonly purpose: string
  /** What was typed. Empty for the factors that answer with an assertion. */
  readonly code: string
  /** What a passkey answered, as the browser gives it. */
  readonly assertion?: unknown
}

export interface Factor {
  /** As mails and refusals call it. */
  readonly named: string
  /** The authentication method (RFC 8176, where it has a value). */
  readonly amr: string
  /** The field of a request in which it is given. */
  readonly field: 'code' | 'assertion'
  /** What a person without it is answered who asked for it. */
  readonly missing: Extract<ErrorCode, 'TOTP_NOT_ENABLED' | 'NO_FACTOR'>
  /** Whether a person who has enrolled these could pass a step-up with it now. A code by mail is decided elsewhere. */
  usable(factors: Factors): boolean
  /** What a client presented, ready to be held against what is stored. Reads nothing but keys and settings. */
  proofOf(engine: Pick<Engine, 'secrets' | 'settings'>, given: Given): Proof
}
