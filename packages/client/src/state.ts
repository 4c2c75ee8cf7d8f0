/**
 * Who is signed in: one immutable object, replaced at each change.
 *
 * @module
 */

import type { ErrorCode } from './errors.ts'
import type { Operations, Session, Staff, Tenant, User } from './generated/api.ts'

/** Who acts in whose name, and until when. */
export type Impersonation = NonNullable<Operations['me']['output']['impersonation']>

/** Somebody is signed in. Under impersonation `user`, `tenant`, `staff` and `session` are those that are acted as. */
export interface SignedInState {
  readonly status: 'signed-in'
  readonly user: User
  readonly tenant: Tenant
  readonly staff: Staff
  readonly session: Session
  /** Set in the one tab that acts as another. */
  readonly impersonation: Impersonation | null
}

/** Who it is, without the impersonation. */
export type Identity = Pick<SignedInState, 'user' | 'tenant' | 'staff' | 'session'>

/** Nobody is. */
export interface SignedOutState {
  readonly status: 'signed-out'
  /** Why, where somebody was. */
  readonly reason?: SignedOutReason
}

/** What `client.state()` is. `unknown` before `session()` has looked. */
export type AuthState = { readonly status: 'unknown' } | SignedInState | SignedOutState

/** The code of the refusal that ended the session; `SIGNED_OUT` where the person did. */
export type SignedOutReason = ErrorCode

/** What `onSignedOut` is told. */
export interface SignedOut {
  readonly reason: SignedOutReason
}
