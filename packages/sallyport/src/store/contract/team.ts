/**
 * The port of the team: what changes a member's place in a tenant, and what removes a person for good.
 *
 * @module
 */

import type { Role } from '../../directory/roles.ts'
import type { SallyportError } from '../../errors.ts'
import type { StaffId, TenantId, UserId } from '../../ids.ts'
import type { AuditOf } from './audited.ts'
import type { Member, StaffRow } from './directory.ts'
import type { EndedSessions } from './ended-sessions.ts'

/** What is left out stays. */
export interface MemberChange {
  readonly role?: Role | undefined
  /** The extra grants, all of them. */
  readonly permissions?: readonly string[] | undefined
  readonly status?: StaffRow['status'] | undefined
}

/** What a change is judged by, as it stands in the transaction that makes it. */
export interface MemberChangeFacts {
  /** Who asks for it. */
  readonly actor: StaffRow
  readonly member: Member
  /** Whether the tenant would have no enabled owner afterwards, and has one now. */
  readonly leavesNoOwner: boolean
}

export interface ChangedMember {
  readonly kind: 'changed'
  readonly before: StaffRow
  /** As it is now. */
  readonly member: Member
  readonly ended: EndedSessions
}

export type MemberChangeOutcome =
  | ChangedMember
  | { readonly kind: 'refused'; readonly error: SallyportError }
  /** No such member in the tenant, or one who was removed; or the one who asks is not a member any more. */
  | { readonly kind: 'unknown' }

/** What went with a deleted user, for the row that tells of it. */
export interface PurgedRows {
  readonly tenantId: TenantId | null
  readonly table: string
  readonly count: number
  /** SHA-256 over the ids, sorted and joined by line feeds. */
  readonly sha256: string
}

export type DeletedUser =
  | { readonly kind: 'deleted'; readonly ended: EndedSessions; readonly purged: readonly PurgedRows[] }
  /** The only enabled owner of a tenant. */
  | { readonly kind: 'last-owner'; readonly tenantId: TenantId }
  | { readonly kind: 'unknown' }

export interface TeamStore {
  /**
   * Changes a member's role, grants or status. The rule is asked inside the transaction, with the tenant's owners, the member
   * and the one who asks locked: of any number of concurrent changes none MUST leave the tenant without an enabled owner, and
   * one who has just lost a right MUST NOT use it here.
   *
   * A new status `disabled` or `removed` MUST end the member's sessions, families and open step-ups in the same transaction,
   * and the impersonations of them and by them, with the version raised. A role or a grant raises nothing. Whatever changed
   * MUST be told to the feed.
   */
  change(
    input: {
      readonly tenantId: TenantId
      readonly staffId: StaffId
      readonly actorStaffId: StaffId
      readonly actorUserId: UserId
      readonly change: MemberChange
      readonly refuse: (facts: MemberChangeFacts) => SallyportError | undefined
    },
    audit: AuditOf<ChangedMember>,
  ): Promise<MemberChangeOutcome>

  /**
   * Ends and removes the person's sessions, those included in which they acted as another, their tokens, step-ups, factors, trusted
   * devices, links, places and the person, in one transaction. Whatever else named them names them no longer. Audit rows keep the id.
   */
  deleteUser(userId: UserId, audit: AuditOf<Extract<DeletedUser, { readonly kind: 'deleted' }>>): Promise<DeletedUser>
}
