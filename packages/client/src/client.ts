/**
 * The face of a client.
 *
 * @module
 */

import type { Operations } from './generated/api.ts'
import type { AuthState, SignedInState } from './state.ts'

/** What may accompany a call. */
export interface CallOptions {
  /** Ends the wait; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Operations that have a method of their own: they change who is signed in. */
type OwnOperation =
  | 'signUp'
  | 'login'
  | 'loginStepUp'
  | 'acceptInvitation'
  | 'refresh'
  | 'logout'
  | 'startImpersonation'
  | 'exitImpersonation'

type Call<Input, Output> =
  Partial<Input> extends Input
    ? (input?: Input, options?: CallOptions) => Promise<Output>
    : (input: Input, options?: CallOptions) => Promise<Output>

/**
 * One typed call an operation of the API. Path parameters, query and body fields stand in one flat object; what is answered as a file
 * resolves to the `Response`, to be read as a stream.
 */
export type Api = {
  readonly [Name in Exclude<keyof Operations, OwnOperation>]: Call<
    Operations[Name]['input'],
    Operations[Name]['output']
  >
}

/** What the client fills in by itself. */
type Filled = 'delivery' | 'deviceFingerprint' | 'deviceInfo'

/** What a person signs in with. */
export type SignIn = Omit<Operations['login']['input'], Filled>
/** What a tenant is signed up with. */
export type SignUp = Omit<Operations['signUp']['input'], Filled>
/** What an invitation is accepted with. */
export type AcceptInvitation = Omit<Operations['acceptInvitation']['input'], Filled>

/** A client of one service. All of it rejects with `SallyportError`. */
export interface Client {
  /** Signs in; a 428 goes through `onStepUp`. `TENANT_REQUIRED` names the `facts.tenants` to choose from. */
  signIn(input: SignIn): Promise<SignedInState>
  /** Signs a tenant up. Resolves to `undefined` where it goes on by mail. */
  signUp(input: SignUp): Promise<SignedInState | undefined>
  /** Joins a tenant by the token of an invitation. */
  acceptInvitation(input: AcceptInvitation): Promise<SignedInState>
  /**
   * Ends the session, and tells every tab. Where the service could not be told it rejects, nothing has changed, and it may be called
   * again: whoever is told that they are signed out is.
   */
  signOut(): Promise<void>
  /**
   * Who is signed in, resumed from the cookie or the storage where a page has just been loaded; `undefined` where nobody is.
   *
   * @param options `reload` asks the service anew: after a change of name or role.
   */
  session(options?: { readonly reload?: boolean | undefined }): Promise<SignedInState | undefined>
  /**
   * `fetch` for the app's own backend: with the access token, renewed where it is due, and with step-up. Resolves to the answer whatever
   * its status, but for a 401 and a 428 that stand after that: these reject, as does an origin that is not to have the token.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  readonly api: Api
  /**
   * Acts as another member, in this tab alone, until `exitImpersonation`, until the time is up, or until the page is left. The own session
   * stays as it is.
   */
  impersonate(input: Operations['startImpersonation']['input'], options?: CallOptions): Promise<SignedInState>
  /** Back to the own session; `undefined` where that has ended meanwhile. */
  exitImpersonation(): Promise<SignedInState | undefined>
  /** The state of now; the same object until something changes. */
  state(): AuthState
  /** Calls `listener` after each change of state, whichever tab made it. Returns what ends that. */
  subscribe(listener: () => void): () => void
  /** Releases everything. Whatever still waits rejects with `CLOSED`; nobody is signed out. */
  close(): void
}
