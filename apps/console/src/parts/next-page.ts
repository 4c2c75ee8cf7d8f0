/**
 * Where somebody wanted to go before they had to sign in.
 *
 * @module
 */

interface SignInState {
  readonly next?: unknown
  readonly reason?: unknown
}

/** A path of this console, and nothing that could lead elsewhere. */
export function nextPage(state: unknown): string {
  const { next } = (state ?? {}) as SignInState
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/'
}

/** The code of what ended the session before. */
export function reasonOf(state: unknown): string | undefined {
  const { reason } = (state ?? {}) as SignInState
  return typeof reason === 'string' ? reason : undefined
}
