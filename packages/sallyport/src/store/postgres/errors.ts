/**
 * Turns what a driver throws into what Sallyport throws, without the values that the driver puts in its messages.
 *
 * @module
 */

import { SallyportError } from '../../errors.ts'

/** A unique constraint refused a row; an operation that expects one catches it by the constraint's name. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
  readonly constraint: string
  constructor(constraint: string) {
    super(`unique constraint ${constraint}`)
    this.constraint = constraint
  }
}

/** Deadlock victim, serialisation failure: the transaction left nothing behind and may run again. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain'
}

interface DriverError {
  readonly code?: unknown
  readonly constraint?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  readonly severity?: unknown
}

/**
 * Maps an error of node-postgres, PGlite or Drizzle. Only SQLSTATE and constraint survive: Drizzle 0.45 writes bound values
 * into its message and PostgreSQL writes row contents into its detail, and either would carry tokens and addresses to a log.
 */
export function mapDriverError(error: unknown, statement?: string): Error {
  if (error instanceof SallyportError || error instanceof UniqueViolation || error instanceof TryAgain) return error
  const source = rootOf(error)
  const code = typeof source.code === 'string' ? source.code : undefined
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) {
    // No SQLSTATE: either the connection (ECONNREFUSED, a time-out, "terminated unexpectedly") or a programmer's mistake.
    if (error instanceof TypeError && code === undefined) return error
    return unavailable(code ?? 'connection', statement)
  }
  if (code === '23505') return new UniqueViolation(typeof source.constraint === 'string' ? source.constraint : '')
  if (code === '40001' || code === '40P01') return new TryAgain(code)
  // 08 connection, 25006 read-only, 53 resources, 55P03 lock time-out, 57 operator intervention or statement time-out, 58 system.
  if (/^(?:08|53|57|58)/.test(code) || code === '25006' || code === '25P03' || code === '55P03') {
    return unavailable(code, statement)
  }
  return new SallyportError('INTERNAL', 'the database refused a statement', {
    cause: new Error(`SQLSTATE ${code}${statement ? ` in ${statement}` : ''}`),
  })
}

/** The answer when the database is away, slow or read-only: the outcome is unknown and the same request may be sent again. */
export function unavailable(why: string, statement?: string): SallyportError {
  return new SallyportError('UNAVAILABLE', 'the database did not answer; try again', {
    facts: { retryAfter: 1 },
    cause: new Error(`${why}${statement ? ` in ${statement}` : ''}`),
  })
}

function rootOf(error: unknown): DriverError {
  let current = error as DriverError
  // Drizzle wraps the driver's error as its cause.
  for (let depth = 0; depth < 4; depth++) {
    if (typeof current !== 'object' || current === null) return {}
    if (typeof current.code === 'string') return current
    current = current.cause as DriverError
  }
  return {}
}
