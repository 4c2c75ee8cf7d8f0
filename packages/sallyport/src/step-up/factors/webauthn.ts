/**
 * The library of passkeys, loaded when the first one comes: it takes a fifth of the memory of a process that has none.
 *
 * @module
 */

export function webauthn(): Promise<typeof import('@simplewebauthn/server')> {
  return import('@simplewebauthn/server')
}
