/**
 * An access token as it is held: in memory, and nowhere else.
 *
 * @module
 */

import { binary } from './base64url.ts'
import { SallyportError } from './errors.ts'

/** Moments are by this device's clock, from when it came on: one that is wrong is wrong twice, and cancels out. */
export interface Held {
  readonly token: string
  /** The session that it is of. */
  readonly sid: string
  /** The generation of the refresh token that it came with: the newest is the highest. */
  readonly gen: number
  readonly sentAt: number
  readonly doneAt: number
  /** From when on it is renewed ahead of its end. */
  readonly dueAt: number
  readonly endsAt: number
}

const AHEAD_MS = 30_000

/**
 * Takes it from an answer.
 *
 * @param answer With `expiresIn` in seconds.
 * @param sentAt When it was asked for.
 * @throws SallyportError `NETWORK` where there is none.
 */
export function hold(
  answer: { readonly accessToken: string; readonly expiresIn: number },
  doneAt: number,
  sentAt: number = doneAt,
): Held {
  const { accessToken: token, expiresIn } = answer
  // JSON it was, but of something else that stands in the way of the service.
  if (!token) throw new SallyportError('NETWORK', 'no answer')
  const { sid, gen } = JSON.parse(binary(token.split('.')[1] as string)) as {
    readonly sid: string
    readonly gen: number
  }
  const lifeMs = expiresIn * 1000
  const endsAt = doneAt + lifeMs
  return { token, sid, gen, sentAt, doneAt, dueAt: endsAt - Math.min(AHEAD_MS, lifeMs / 10), endsAt }
}
