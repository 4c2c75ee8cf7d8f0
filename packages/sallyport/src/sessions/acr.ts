/**
 * The authentication context class of a sign-in, from the methods that it used.
 *
 * @module
 */

const SECOND_FACTORS: ReadonlySet<string> = new Set(['otp', 'hwk', 'swk', 'mfa'])

/** `aal2` when a second factor was among the methods, else `aal1` (NIST SP 800-63B). */
export function acrOf(amr: readonly string[]): 'aal1' | 'aal2' {
  return isStrong(amr) ? 'aal2' : 'aal1'
}

/** Whether a second factor was among the methods. */
export function isStrong(amr: readonly string[]): boolean {
  return amr.some((method) => SECOND_FACTORS.has(method))
}
