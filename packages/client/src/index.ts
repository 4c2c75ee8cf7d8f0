/**
 * Sallyport in a browser or in Node: who is signed in, requests with their token, step-up, and every operation of the API.
 *
 * @module
 */

export type { AcceptInvitation, Api, CallOptions, Client, SignIn, SignUp } from './client.ts'
export { createClient } from './create-client.ts'
export type { ClientErrorCode, ErrorCode, SallyportErrorOptions } from './errors.ts'
export { SallyportError } from './errors.ts'
export type {
  ApiErrorCode,
  AuditEvent,
  Incident,
  IncidentEvent,
  Invitation,
  IpRule,
  Operations,
  PasskeyAssertion,
  PasskeyCreationOptions,
  PasskeyRegistration,
  PasskeyRequestOptions,
  ProblemFacts,
  SecuritySettings,
  Session,
  Staff,
  TeamMember,
  Tenant,
  User,
} from './generated/api.ts'
export { memoryStorage } from './memory-storage.ts'
export type { ClientOptions, ClientStorage } from './options.ts'
export { createPasskey, getPasskey, hasPasskeys } from './passkeys.ts'
export type { AuthState, Impersonation, SignedInState, SignedOut, SignedOutReason, SignedOutState } from './state.ts'
export type { Factor, StepUpDemand, StepUpProof } from './step-up.ts'
