/**
 * The one error class of Sallyport, its closed list of codes, and the HTTP status of each.
 *
 * @module
 */

/**
 * Every code that Sallyport answers or throws, with its HTTP status. Append only: codes are API, messages are not.
 * A code without a status does not compile; the API's documentation page lists each with its meaning.
 */
const STATUS = {
  INVALID_REQUEST: 400,
  INVALID_RANGE: 400,
  INVALID_OTP: 400,
  TOTP_NOT_ENABLED: 400,
  NO_FACTOR: 400,
  LINK_INVALID: 400,
  PASSWORD_REJECTED: 400,
  MISSING_TOKEN: 401,
  INVALID_TOKEN: 401,
  TOKEN_EXPIRED: 401,
  INVALID_CREDENTIALS: 401,
  INVALID_DPOP_PROOF: 401,
  WRONG_DELIVERY: 401,
  REFRESH_TOKEN_INVALID: 401,
  REFRESH_TOKEN_REVOKED: 401,
  REFRESH_TOKEN_REUSED: 401,
  REFRESH_TOKEN_EXPIRED: 401,
  SESSION_INVALIDATED: 401,
  SESSION_REVOKED: 401,
  SESSION_EXPIRED: 401,
  SESSION_BLOCKED: 401,
  FORBIDDEN: 403,
  CSRF_REFUSED: 403,
  NOT_WHILE_IMPERSONATING: 403,
  CANNOT_IMPERSONATE: 403,
  IP_BLOCKED: 403,
  IP_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  RETRY: 409,
  EMAIL_TAKEN: 409,
  TENANT_REQUIRED: 409,
  ALREADY_MEMBER: 409,
  LAST_OWNER: 409,
  SESSION_LIMIT: 409,
  ALREADY_ENROLLED: 409,
  CONFLICT: 409,
  WOULD_LOCK_OUT: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  STEP_UP_REQUIRED: 428,
  RATE_LIMITED: 429,
  CONFIG_INVALID: 500,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const

/** The stable code of a refusal or fault. */
export type ErrorCode = keyof typeof STATUS

/** The HTTP status that each code is answered with. */
export const ERROR_STATUS: Readonly<Record<ErrorCode, number>> = STATUS

/** What may accompany an error. */
export interface SallyportErrorOptions {
  /** Facts for the client, answered beside the code (`field`, `purpose`, `tenants`, `retryAfter`, …). Never a secret. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** For logs only; never sent to a client. */
  readonly cause?: unknown
}

/** What Sallyport throws: `code` is stable, `status` follows from it, `message` and `facts` may reach a client. */
export class SallyportError extends Error {
  override readonly name = 'SallyportError'
  readonly code: ErrorCode
  readonly status: number
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, { facts = {}, cause }: SallyportErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = ERROR_STATUS[code]
    this.facts = facts
  }
}

/** A 400 that names the field which was wrong and the rule it broke. */
export function invalidField(field: string, rule: string): SallyportError {
  return new SallyportError('INVALID_REQUEST', `${field}: ${rule}`, { facts: { field } })
}
