/**
 * Makes the compiler find the forgotten variant.
 *
 * @module
 */

/** Unreachable when every variant of a union is handled. */
export function assertNever(value: never): never {
  throw new TypeError(`Unhandled variant: ${JSON.stringify(value)}`)
}
