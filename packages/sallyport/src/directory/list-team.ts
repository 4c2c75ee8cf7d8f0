/**
 * Lists who is in the caller's tenant, and who is invited.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import type { InvitationRow, Member, StaffRow } from '../store/contract/directory.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import type { StaffDescription, UserDescription } from './describe.ts'
import { describeStaff, describeUser } from './describe.ts'

export interface TeamMember extends StaffDescription {
  /** What the person holds beyond the role. */
  readonly extraPermissions: readonly string[]
  readonly status: StaffRow['status']
  readonly createdAt: string
  readonly user: UserDescription
}

/** A member with what an admin looks at first. */
export interface ListedMember extends TeamMember {
  /** Null for one who never signed in, or whose last session was long ago. */
  readonly lastSeenAt: string | null
  /** 100 at most. */
  readonly liveSessions: number
  /** The kinds of second factor that they have. */
  readonly factors: readonly ('totp' | 'passkey')[]
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: InvitationRow['role']
  readonly createdAt: string
  readonly expiresAt: string
}

/** @throws SallyportError `FORBIDDEN` without `SETTINGS_TEAM_VIEW`. */
export async function listTeam(
  engine: Pick<Engine, 'store' | 'settings' | 'live'>,
  caller: Caller,
): Promise<{ readonly members: readonly ListedMember[]; readonly invitations: readonly Invitation[] }> {
  if (!caller.permissions.has('SETTINGS_TEAM_VIEW')) {
    throw new SallyportError('FORBIDDEN', 'this needs the permission SETTINGS_TEAM_VIEW')
  }
  const { tenantId } = caller
  const { directory } = engine.store
  const { idleMs, maxSessionLifeMs } = await limitsOf(engine, tenantId)
  const [{ members, invitations }, activity] = await Promise.all([
    directory.team(tenantId),
    directory.teamActivity({ tenantId, idleMs, maxSessionLifeMs }),
  ])
  return {
    members: members.map((member) => {
      const { lastSeenAt = null, liveSessions = 0, factors = [] } = activity.get(member.staff.id) ?? {}
      return {
        ...describeTeamMember(engine, member),
        lastSeenAt: lastSeenAt?.toISOString() ?? null,
        liveSessions,
        factors,
      }
    }),
    invitations: invitations.map(describeInvitation),
  }
}

/** A member as the team shows them. */
export function describeTeamMember(
  { settings }: Pick<Engine, 'settings'>,
  { user, staff, createdAt }: Pick<Member, 'user' | 'staff'> & { readonly createdAt: Date },
): TeamMember {
  return {
    ...describeStaff(staff, settings.permissions),
    extraPermissions: staff.permissions,
    status: staff.status,
    createdAt: createdAt.toISOString(),
    user: describeUser(user),
  }
}

export function describeInvitation({ id, email, name, role, createdAt, expiresAt }: InvitationRow): Invitation {
  return { id, email, name, role, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }
}
