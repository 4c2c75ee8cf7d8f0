/**
 * What goes along between the pages of those who are not signed in: where they wanted to go, and what they typed already. It stands in
 * the state of the history's entry and never in the address, which ends in logs.
 *
 * @module
 */

interface SignInState {
  readonly next?: unknown
  readonly reason?: unknown
  readonly email?: unknown
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

/** The address that was typed on the page before; empty where there was none. */
export function emailOf(state: unknown): string {
  const { email } = (state ?? {}) as SignInState
  return typeof email === 'string' ? email : ''
}

/** The same state for another of these pages, with the address that is typed by now. */
export function withEmail(state: unknown, email: string): object {
  return { ...(state as SignInState | null), email: email.trim() }
}
