/**
 * Who is calling, as established by authenticating one request.
 *
 * @module
 */

import type { SessionId, StaffId, TenantId, UserId } from '../ids.ts'
import type { Role } from '../directory/roles.ts'

/** The live session behind a request. Role and permissions are read from the live view, not from the token. */
export interface Caller {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly sessionId: SessionId
  readonly kind: 'login' | 'impersonation'
  readonly role: Role
  /** The role's permissions and the staff member's extra grants together. */
  readonly permissions: ReadonlySet<string>
  /** As it is now; audit rows keep it as it was then. */
  readonly name: string
  readonly sessionVersion: number
  /** The refresh generation that the presented access token was minted with. */
  readonly generation: number
  /** When the person last truly authenticated; a refresh never moves it. */
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string
  /** Of the client's key (RFC 7638), where the access token is bound to one. */
  readonly keyThumbprint?: string | undefined
  /** Under impersonation, the person acting. */
  readonly realUserId?: UserId | undefined
  /** Under impersonation, the session it was started from. */
  readonly realSessionId?: SessionId | undefined
  /** Under impersonation, the acting person's place in the tenant. */
  readonly realStaffId?: StaffId | undefined
}
