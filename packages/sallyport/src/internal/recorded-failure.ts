/**
 * Marks an error whose FAIL row is already in the audit log, so that nobody further out writes a second one.
 *
 * @module
 */

// Beside the error and not on it: no answer, no log line and no test that compares errors ever meets the mark.
const recorded = new WeakSet<Error>()

/**
 * Says that the operation which throws `error` has itself written the row that names this request.
 *
 * @example throw failureRecorded(new SallyportError('INVALID_OTP', 'The code is not right.'))
 */
export function failureRecorded<E extends Error>(error: E): E {
  recorded.add(error)
  return error
}

/** Whether the audit log already names this failure. */
export function isFailureRecorded(error: unknown): boolean {
  return error instanceof Error && recorded.has(error)
}
