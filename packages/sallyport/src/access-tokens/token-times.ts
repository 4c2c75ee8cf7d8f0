/**
 * How this system's JWTs tell the time.
 *
 * @module
 */

/** How far the clocks of two nodes may be apart before a token is refused for it. */
export const LEEWAY_SECONDS = 30

/** RFC 7519 NumericDate: whole seconds since 1970. */
export function numericDate(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}
