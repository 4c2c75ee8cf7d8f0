/**
 * What a client is handed when a session starts or goes on.
 *
 * @module
 */

import type { SessionRow } from '../store/contract/sessions.ts'

/** Fresh tokens. The raw refresh token leaves the server here and nowhere else. */
export interface IssuedTokens {
  readonly accessToken: string
  /** Seconds. */
  readonly expiresIn: number
  readonly refreshToken: string
}

/** A new session with its tokens. */
export interface IssuedSession extends IssuedTokens {
  readonly session: SessionRow
}
