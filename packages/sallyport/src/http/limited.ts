/**
 * Holds a request to its rate limits, and tells the client of them.
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
  readonly addHeader: (name: string, value: string) => void
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
  { guard, request, subject, addHeader, despite }: LimitedRequest,
  work: () => Promise<T>,
): Promise<T> {
  const { rateLimits } = guard.engine
  const admission = await rateLimits
    .enter(what, { address: request.ipAddress, subject })
    .catch(async (error: unknown) => {
      if (!(error instanceof SallyportError) || error.code !== 'RATE_LIMITED') throw error
      if ((await despite?.()) === true) return undefined
      tell(error, addHeader)
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

/** draft-ietf-httpapi-ratelimit-headers: the policy, what is left of it, and when there is more. */
function tell({ facts }: SallyportError, addHeader: LimitedRequest['addHeader']): void {
  const { limit, limitName, retryAfter } = facts as Readonly<Record<string, string | number>>
  addHeader('ratelimit-policy', `"${limitName}";q=${limit};w=60`)
  addHeader('ratelimit', `"${limitName}";r=0;t=${retryAfter}`)
}
