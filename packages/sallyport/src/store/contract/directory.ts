/**
 * The port of the directory: tenants, users, their places in tenants, and the links sent by mail, in whole atomic operations.
 *
 * @module
 */

import type { Role } from '../../directory/roles.ts'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { AuditOf } from './audited.ts'
import type { EndedSessions } from './ended-sessions.ts'
import type { LiveLimits, SessionRow } from './sessions.ts'

export interface TenantRow {
  readonly id: TenantId
  readonly slug: string
  readonly name: string
}

export interface UserRow {
  readonly id: UserId
  /** As typed; null only for users whom a host named without one. */
  readonly email: string | null
  readonly name: string
  readonly emailVerifiedAt: Date | null
}

/** A user's place in a tenant. */
export interface StaffRow {
  readonly id: StaffId
  readonly role: Role
  /** Extra grants; the role's own permissions are not among them. */
  readonly permissions: readonly string[]
  readonly status: 'active' | 'disabled' | 'removed'
}

export interface Membership {
  readonly tenant: TenantRow & { readonly disabled: boolean }
  readonly staff: StaffRow
}

/** A user with all that a sign-in depends on. */
export interface Account {
  readonly user: UserRow & { readonly disabled: boolean }
  /** Null for users who never set one: their sign-in is the host's. */
  readonly passwordHash: string | null
  /** In every tenant, ended places included, oldest first. */
  readonly memberships: readonly Membership[]
}

/** A user, a tenant and the place of the one in the other. */
export interface Member {
  readonly user: UserRow
  readonly tenant: TenantRow
  readonly staff: StaffRow
}

export const LINK_KINDS = ['invitation', 'password_reset', 'email_verification', 'email_change'] as const
export type LinkKind = (typeof LINK_KINDS)[number]

/** A one-time token about to be sent by mail. The raw value is nowhere in it. */
export interface NewLink {
  readonly id: string
  readonly tokenHash: Uint8Array
  readonly ttlMs: number
}

/** What a sign-up asks for. `slugs` are tried in order until one is free; the last is long and random enough to be. */
export interface NewTenant {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  readonly tenantName: string
  readonly slugs: readonly string[]
  readonly email: string
  readonly userName: string
  readonly passwordHash: string
}

/** A sign-up that waits for its address to be confirmed. It is kept inside the link and gone with it. */
export type PendingSignUp = Pick<NewTenant, 'tenantName' | 'userName' | 'passwordHash'>

/** What a link that can still be used is about, as read before it is used. */
export type LinkFacts =
  | {
      readonly kind: 'invitation'
      readonly email: string
      readonly tenant: TenantRow
      readonly role: Role
      readonly name: string
      readonly expiresAt: Date
      /** Who invites, where they are still there. */
      readonly invitedBy: string | undefined
      /** The user who has that address by now. */
      readonly account: Account | undefined
    }
  | { readonly kind: 'password_reset'; readonly email: string; readonly account: Account }
  | {
      readonly kind: 'email_verification'
      readonly email: string
      readonly account: Account | undefined
      readonly signUp: PendingSignUp | undefined
    }

export interface InvitationRow {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly createdAt: Date
  readonly expiresAt: Date
}

export interface NewInvitation {
  readonly link: NewLink
  readonly tenantId: TenantId
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly invitedBy: UserId
}

/** Names a row by its own id or by the host's. */
export type Named<T extends string> = { readonly id: T } | { readonly externalId: string }

export interface EnsuredMember {
  readonly tenant: Named<TenantId> & {
    readonly name?: string | undefined
    /** For a tenant that is made now. */
    readonly slugs: readonly string[]
  }
  readonly user: Named<UserId> & { readonly email?: string | undefined; readonly name: string }
  /** Where it is given it also becomes the role of a member who is there already. */
  readonly role?: Role | undefined
  /** For rows that are made now. */
  readonly newIds: { readonly tenantId: TenantId; readonly userId: UserId; readonly staffId: StaffId }
}

/** What a call of {@link DirectoryStore.ensureMember} changed. Its audit is called only when something did. */
export interface EnsuredMemberFacts {
  readonly member: Member
  readonly tenantCreated: boolean
  readonly joined: boolean
  readonly roleBefore: Role | undefined
}

export interface Profile {
  readonly member: Member
  readonly impersonation:
    | {
        readonly realUser: { readonly id: UserId; readonly name: string }
        readonly startedAt: Date
        readonly expiresAt: Date
        readonly reason: string | null
      }
    | undefined
}

export interface ChangedPassword {
  /** The session that stayed, at its staff's new version. */
  readonly session: SessionRow
  /** The key that its family is bound to, which a new access token names again. */
  readonly keyThumbprint: string | null
  readonly ended: EndedSessions
}

export interface TeamListing {
  /** Oldest first, without removed ones. */
  readonly members: readonly (Member & { readonly createdAt: Date })[]
  /** Those that can still be accepted, newest first. */
  readonly invitations: readonly InvitationRow[]
}

/** What an admin looks at first. */
export interface MemberActivity {
  /** Of the sessions that were signed in for; null where there is none any more. */
  readonly lastSeenAt: Date | null
  /** Live ones, 100 at most: beyond that a number tells nothing more. */
  readonly liveSessions: number
  /** The kinds of second factor that are enrolled and work. */
  readonly factors: readonly ('totp' | 'passkey')[]
}

/**
 * The directory.
 *
 * Email addresses are unique without regard to case (as `lower()` has it) and are kept as typed. A link MUST be used by one
 * conditional write, together with what it is for: of all concurrent uses of one link exactly one MUST take effect, and an
 * expired, used or replaced one, or one of another kind, MUST change nothing. Used links keep no data. Whatever changes who
 * may do what MUST write a row of the change feed in its transaction.
 */
export interface DirectoryStore {
  /** `undefined` for an unknown user. MUST take one round trip whether or not there is one. */
  account(key: { readonly email: string } | { readonly userId: UserId }): Promise<Account | undefined>

  findUser(userId: UserId): Promise<UserRow | undefined>

  /** The member behind a session, and who acts where it is impersonated. `undefined` for one of another tenant. */
  profile(input: {
    readonly tenantId: TenantId
    readonly staffId: StaffId
    readonly sessionId: SessionId
  }): Promise<Profile | undefined>

  team(tenantId: TenantId): Promise<TeamListing>

  /** What each member of the tenant has open and enrolled; members without either may be missing. */
  teamActivity(of: { readonly tenantId: TenantId } & LiveLimits): Promise<ReadonlyMap<StaffId, MemberActivity>>

  /** The names of those people who have a place in the tenant, or had one. */
  names(tenantId: TenantId, userIds: readonly string[]): Promise<ReadonlyMap<string, string>>

  /**
   * Creates a tenant with its owner, and the link that verifies the owner's address. Resolves to `'email-taken'`, and
   * changes nothing, when the address is known: of all concurrent calls for one address exactly one MUST create.
   */
  createTenant(input: NewTenant & { readonly link: NewLink }, audit: AuditOf<Member>): Promise<Member | 'email-taken'>

  /** Replaces the hash by a stronger one of the same password. Resolves to `false` unless it is still `from`. */
  rehash(input: { readonly userId: UserId; readonly from: string; readonly to: string }): Promise<boolean>

  /**
   * Stores the link of a password reset and invalidates the user's older ones. Without a user it MUST write as much, for a
   * link that no one can use, so that the time taken does not tell who is known.
   */
  requestReset(
    input: { readonly link: NewLink; readonly userId: UserId | undefined; readonly email: string },
    audit: AuditOf<undefined>,
  ): Promise<void>

  /**
   * Keeps a sign-up until its address is confirmed. For a known address (`signUp` undefined) it MUST write as much, for a
   * link that no one can use. Older sign-ups of the address stay as they are: a stranger could else take them away.
   */
  requestSignUp(input: {
    readonly link: NewLink
    readonly email: string
    readonly signUp: PendingSignUp | undefined
  }): Promise<void>

  /** What a link that can still be used is about. It does not use it. */
  link(kind: LinkKind, tokenHash: Uint8Array): Promise<LinkFacts | undefined>

  /**
   * Uses the link of a verification: marks the address of its user as verified, where it is still the user's.
   * Resolves to `undefined` when there is nothing to use.
   */
  verifyEmail(tokenHash: Uint8Array, audit: AuditOf<Account>): Promise<Account | undefined>

  /**
   * Keeps the wish for another address until it is confirmed, and invalidates the person's older ones. For an address that somebody
   * has (`free` false) it MUST write as much, for a link that no one can use. Resolves to `false`, and changes nothing, when the
   * session is no longer live.
   */
  requestEmailChange(
    input: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly sessionId: SessionId
      readonly link: NewLink
      readonly email: string
      readonly free: boolean
    },
    audit: AuditOf<undefined>,
  ): Promise<boolean>

  /**
   * Uses the link of such a wish: the address is the person's, and verified by it; their reset links, which went to the old one, are
   * invalidated. Resolves to `undefined` when there is nothing to use, when somebody else has the address by now, or when the person
   * is disabled.
   */
  changeEmail(
    tokenHash: Uint8Array,
    audit: AuditOf<{ readonly account: Account; readonly before: string | null }>,
  ): Promise<{ readonly account: Account; readonly before: string | null } | undefined>

  /**
   * Uses the link of a sign-up that waited: creates the tenant with its owner, whose address is verified by it. Resolves to
   * `'email-taken'`, and leaves the link as it is, when somebody else has the address by now.
   */
  completeSignUp(
    tokenHash: Uint8Array,
    input: NewTenant,
    audit: AuditOf<Member>,
  ): Promise<Member | 'email-taken' | undefined>

  /**
   * Uses the link of a reset: sets the password, ends the user's sessions in every tenant with their versions raised
   * (`password_reset`), invalidates the user's other reset links, and verifies the address that the link went to. Factors
   * stay. Resolves to `undefined` when there is nothing to use, or when the user is disabled by now.
   */
  resetPassword(
    input: { readonly tokenHash: Uint8Array; readonly passwordHash: string },
    audit: AuditOf<{ readonly account: Account; readonly ended: EndedSessions; readonly emailVerified: boolean }>,
  ): Promise<{ readonly account: Account; readonly ended: EndedSessions } | undefined>

  /**
   * Changes the password, ends the user's other sessions in every tenant with their versions raised (`password_changed`),
   * gives the current session its staff's new version, and invalidates reset links. Resolves to `'stale'`, and changes
   * nothing, unless the hash is still `from`: of all concurrent calls with one `from` exactly one MUST take effect.
   * Resolves to `'session-ended'`, and changes nothing, when the current session is no longer live.
   */
  changePassword(
    input: {
      readonly tenantId: TenantId
      readonly userId: UserId
      readonly sessionId: SessionId
      readonly from: string
      readonly to: string
    },
    audit: AuditOf<EndedSessions>,
  ): Promise<ChangedPassword | 'stale' | 'session-ended'>

  /**
   * Stores an invitation and invalidates older ones of the address in that tenant. Resolves to `'already-member'`, and
   * changes nothing, when the address belongs to an active or disabled member.
   */
  invite(input: NewInvitation, audit: AuditOf<InvitationRow>): Promise<InvitationRow | 'already-member'>

  /**
   * Ends an invitation that can still be accepted, by its id. Resolves to `undefined`, and changes nothing, when the tenant has
   * no such one.
   */
  withdrawInvitation(
    input: { readonly tenantId: TenantId; readonly id: string },
    audit: AuditOf<InvitationRow>,
  ): Promise<InvitationRow | undefined>

  /**
   * Uses an invitation: the user joins its tenant with its role, and the address is verified by it. `user` says whom the
   * caller has made sure of: a user who is there, or one to be created. Resolves to `'moved'`, and changes nothing, when
   * that no longer fits the address; to `'already-member'`, and leaves the link as it is, for an active or disabled
   * member; to `undefined` when there is nothing to use. A removed member comes back with the invitation's role alone.
   */
  acceptInvitation(
    input: {
      readonly tokenHash: Uint8Array
      readonly staffId: StaffId
      readonly user:
        | { readonly known: UserId; readonly passwordHash: string }
        | { readonly created: UserId; readonly name: string; readonly passwordHash: string }
    },
    audit: AuditOf<Member>,
  ): Promise<Member | 'already-member' | 'moved' | undefined>

  /**
   * Makes sure that tenant, user and membership are there. Of all concurrent calls for the same names one MUST create each
   * row and all MUST resolve to the same ids. Names, addresses and the role follow what the host says; a disabled or
   * removed member stays so. Resolves to `undefined` when an `id` names nothing, to `'email-taken'`, changing nothing, when
   * another user has the address.
   */
  ensureMember(input: EnsuredMember, audit: AuditOf<EnsuredMemberFacts>): Promise<Member | 'email-taken' | undefined>
}
