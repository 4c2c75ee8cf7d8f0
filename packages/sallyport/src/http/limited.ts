/**
 * Holds a request to its rate limits.
 *
 * @module
 */

import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Limited } from '../rate-limits/rules.ts'
import type { ApiEngine } from './routes/engine.ts'

/** What a request is refused for that guesses. The rest (it waits, it raced, the database is away) says nothing of who asks. */
const FAILURES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_CREDENTIALS',
  'INVALID_OTP',
  'TOTP_NOT_ENABLED',
  'NO_FACTOR',
  'INVALID_TOKEN',
  'LINK_INVALID',
  'REFRESH_TOKEN_INVALID',
  'REFRESH_TOKEN_REVOKED',
  'REFRESH_TOKEN_REUSED',
  'REFRESH_TOKEN_EXPIRED',
])

export interface LimitedRequest {
  readonly guard: ApiEngine
  readonly request: RequestFacts
  /** The account, token or session that it is about. */
  readonly subject: string | undefined
  /** Asked where a limit was met: whether the request must go on all the same. Defaults to never. */
  readonly despite?: () => Promise<boolean>
}

/**
 * Does the work where the limits let it.
 *
 * @throws SallyportError `RATE_LIMITED`; else as `work` does.
 */
export async function limited<T>(
  what: Limited,
  { guard, request, subject, despite }: LimitedRequest,
  work: () => Promise<T>,
): Promise<T> {
  const { rateLimits } = guard.engine
  const admission = await rateLimits
    .enter(what, { address: request.ipAddress, subject })
    .catch(async (error: unknown) => {
      if (!(error instanceof SallyportError) || error.code !== 'RATE_LIMITED') throw error
      if ((await despite?.()) === true) return undefined
      throw error
    })
  try {
    const done = await work()
    await admission?.succeeded()
    return done
  } catch (error) {
    if (error instanceof SallyportError && FAILURES.has(error.code)) await admission?.failed()
    throw error
  }
}
