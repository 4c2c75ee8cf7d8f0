/**
 * What a client is made with.
 *
 * @module
 */

import type { SignedOut } from './state.ts'
import type { StepUpDemand } from './step-up.ts'

/**
 * Where the refresh token is kept under body delivery. `localStorage` is one, shared by all tabs. `sessionStorage` is none: a tab that
 * is duplicated takes a copy along, which goes stale.
 */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>
  setItem(key: string, value: string): void | Promise<void>
  removeItem(key: string): void | Promise<void>
}

/** The options of `createClient`. */
export interface ClientOptions {
  /** The service's origin, such as `https://auth.example.com`. Defaults to the page's own. */
  readonly baseUrl?: string | undefined
  /** Where the API is mounted there. Defaults to `/api`. */
  readonly basePath?: string | undefined
  /** The service's `issuer`, where it differs from `baseUrl`: proofs of keys name it. */
  readonly publicUrl?: string | undefined
  /** How the refresh token is kept: in a cookie that no script reads, or in `storage`. Defaults to `cookie` in a browser, else `body`. */
  readonly delivery?: 'cookie' | 'body' | undefined
  /** For body delivery. Defaults to memory, which ends with the page. */
  readonly storage?: ClientStorage | undefined
  /** Whether new sessions are bound to a key of this browser, where it can keep one. Defaults to true. */
  readonly bindKey?: boolean | undefined
  /** Further origins that `fetch` may send the access token to. The page's and the service's own may always get it. */
  readonly origins?: readonly string[] | undefined
  /** Opens the app's dialog. Without it an action that needs a second factor rejects with `STEP_UP_REQUIRED`. */
  readonly onStepUp?: ((demand: StepUpDemand) => unknown) | undefined
  /** Told once in each tab when whoever was signed in no longer is. */
  readonly onSignedOut?: ((event: SignedOut) => void) | undefined
}
