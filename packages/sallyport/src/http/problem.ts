/**
 * The one place where a refusal or fault becomes an answer (RFC 9457), and the list of fields that may leave in it.
 *
 * @module
 */

import { z } from 'zod'
import type { ErrorCode } from '../errors.ts'
import { SallyportError } from '../errors.ts'
import { USE_NONCE } from '../key-binding/prove-key.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** Every fact that any problem may carry beside its code, and its form. */
export const FACTS = {
  field: z.string().describe('The field that was wrong; inner fields are separated by dots.'),
  purpose: z.string().describe('What the step-up is for.'),
  factors: z.array(z.string()).describe('The factors that this user can use.'),
  stepUpToken: z.string().describe('For the step-up endpoints of this one session or sign-in, as Bearer.'),
  score: z.int().min(0).max(100).describe('The risk that was seen.'),
  reasons: z.array(z.string()).describe('The signals behind the score.'),
  reason: z.string().describe('Why, in one stable word.'),
  retryAfter: z.int().min(1).describe('Seconds until another try can pass; also in the Retry-After header.'),
  tenants: z
    .array(z.object({ id: z.string(), slug: z.string().nullable().optional(), name: z.string() }))
    .describe('The tenants to choose from.'),
} as const satisfies Readonly<Record<string, z.ZodType>>

export type Fact = keyof typeof FACTS

/** Which facts go out with which code. Whatever an error carries beyond these stays on the server. */
export const FACTS_OF: Readonly<Partial<Record<string, readonly Fact[]>>> = {
  INVALID_REQUEST: ['field'],
  INVALID_RANGE: ['field'],
  PASSWORD_REJECTED: ['field', 'reason'],
  LINK_INVALID: ['reason'],
  NO_FACTOR: ['factors'],
  STEP_UP_REQUIRED: ['purpose', 'factors', 'score', 'reasons', 'stepUpToken'],
  INVALID_DPOP_PROOF: ['reason'],
  SESSION_BLOCKED: ['reason', 'score', 'reasons'],
  SESSION_EXPIRED: ['reason'],
  SESSION_REVOKED: ['reason'],
  REFRESH_TOKEN_REVOKED: ['reason'],
  TENANT_REQUIRED: ['tenants'],
  CANNOT_IMPERSONATE: ['reason'],
  NOT_WHILE_IMPERSONATING: ['purpose'],
  CONFLICT: ['field', 'reason'],
  RETRY: ['retryAfter'],
  RATE_LIMITED: ['retryAfter'],
  UNAVAILABLE: ['retryAfter'],
}

/** A header's name and value. */
export type HeaderLine = readonly [name: string, value: string]

/** What a problem is answered with besides the error itself. */
export interface ProblemOptions {
  readonly requestId: string
  /** Where the API is mounted; `type` points into its documentation. */
  readonly basePath: string
  /** What every answer carries. Defaults to what it must. */
  readonly always?: Readonly<Record<string, string>> | undefined
  /** Headers that the route added, or that the refusal itself needs (`Allow`). */
  readonly headers?: readonly HeaderLine[] | undefined
}

/** What a client is told of a fault. The cause is in the log, under the request id. */
const INTERNAL = 'Something went wrong on our side. The request id leads to the cause in the log.'

/** The answer to a request that was refused or failed. */
export function problem(
  error: SallyportError,
  { requestId, basePath, always = SECURITY_HEADERS, headers = [] }: ProblemOptions,
): Response {
  // Configuration and internal faults look alike from outside; only an outage is worth telling apart, since it passes.
  const hidden = error.status >= 500 && error.code !== 'UNAVAILABLE'
  const code: ErrorCode = hidden ? 'INTERNAL' : error.code
  const status = hidden ? 500 : error.status
  const facts = hidden ? {} : listedFacts(code, error.facts)
  const retryAfter = retryAfterOf(code, facts)
  if (retryAfter !== undefined) facts.retryAfter = retryAfter

  const answer = new Headers(always)
  answer.set('content-type', 'application/problem+json; charset=utf-8')
  answer.set('x-request-id', requestId)
  const challenge = challengeOf(status, code, facts.reason)
  if (challenge !== undefined) answer.set('www-authenticate', challenge)
  if (retryAfter !== undefined) answer.set('retry-after', String(retryAfter))
  // RFC 9449 section 8: the same again, with this nonce in its proof.
  if (typeof error.facts['nonce'] === 'string') answer.set('dpop-nonce', error.facts['nonce'])
  if (code === 'RATE_LIMITED') tellLimit(answer, error.facts, retryAfter)
  for (const [name, value] of headers) answer.append(name, value)

  return new Response(
    JSON.stringify({
      type: `${basePath}/docs#${code}`,
      title: titleOf(code),
      status,
      detail: hidden ? INTERNAL : error.message,
      error: code,
      requestId,
      ...facts,
    }),
    { status, headers: answer },
  )
}

/** `INVALID_REQUEST` as a person reads it: "Invalid request". */
export function titleOf(code: string): string {
  if (code === 'INTERNAL') return 'Internal error'
  const words = code
    .toLowerCase()
    .replaceAll('_', ' ')
    .replace('step up', 'step-up')
    .replace(/\b(?:otp|totp|ip|csrf|dpop)\b/, (word) => (word === 'dpop' ? 'DPoP' : word.toUpperCase()))
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function listedFacts(code: string, facts: Readonly<Record<string, unknown>>): Partial<Record<Fact, unknown>> {
  const listed: Partial<Record<Fact, unknown>> = {}
  for (const name of FACTS_OF[code] ?? []) {
    if (facts[name] !== undefined) listed[name] = facts[name]
  }
  return listed
}

function retryAfterOf(code: ErrorCode, facts: Partial<Record<Fact, unknown>>): number | undefined {
  const { retryAfter } = facts
  if (typeof retryAfter === 'number' && Number.isFinite(retryAfter)) return Math.max(1, Math.ceil(retryAfter))
  if (code === 'RATE_LIMITED') return 60
  return code === 'UNAVAILABLE' ? 1 : undefined
}

/**
 * draft-ietf-httpapi-ratelimit-headers: that nothing is left, and when there is more; and the policy, where one number says it. A budget
 * of guesses has several windows, and which of them is full is nobody's business.
 */
function tellLimit(
  headers: Headers,
  { limitName, limit }: Readonly<Record<string, unknown>>,
  retryAfter: number | undefined,
): void {
  if (typeof limitName !== 'string') return
  headers.set('ratelimit', `"${limitName}";r=0;t=${retryAfter}`)
  if (typeof limit === 'number') headers.set('ratelimit-policy', `"${limitName}";q=${limit};w=60`)
}

/** RFC 6750 section 3 for 401 (no error code where nothing was sent), RFC 9470's header for 428. */
function challengeOf(status: number, code: ErrorCode, reason: unknown): string | undefined {
  if (status === 428) return 'Bearer error="insufficient_user_authentication", max_age=600'
  if (status !== 401) return undefined
  if (code === 'MISSING_TOKEN') return 'Bearer'
  if (code !== 'INVALID_DPOP_PROOF') return 'Bearer error="invalid_token"'
  // RFC 9449 section 7.1.
  return `DPoP error="${reason === USE_NONCE ? USE_NONCE : 'invalid_dpop_proof'}", algs="ES256 EdDSA Ed25519"`
}

/** Whatever was thrown, as something that can be answered. */
export function asSallyportError(thrown: unknown): SallyportError {
  if (thrown instanceof SallyportError) return thrown
  return new SallyportError('INTERNAL', INTERNAL, { cause: thrown })
}
