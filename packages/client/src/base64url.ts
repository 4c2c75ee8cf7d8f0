/**
 * Bytes as base64url, as tokens and WebAuthn write them.
 *
 * @module
 */

import type { Platform } from './platform.ts'

export function toBase64url(bytes: ArrayBuffer | Uint8Array): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)))
  return text.replace(/[+/=]/g, (one) => ({ '+': '-', '/': '_' })[one] ?? '')
}

/** A character for each byte. */
export function binary(text: string): string {
  return atob(text.replace(/[-_]/g, (one) => (one > '-' ? '/' : '+')))
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(binary(text), (one) => one.charCodeAt(0))
}

/** Nobody guesses it, and no two are the same. */
export function randomId({ crypto }: Platform): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)))
}
