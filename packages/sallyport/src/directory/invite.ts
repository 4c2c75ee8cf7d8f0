/**
 * Invites a person to the caller's tenant.
 *
 * @module
 */

import { actor, auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import type { InvitationRow } from '../store/contract/directory.ts'
import { emailAddress } from './email-address.ts'
import { newLink } from './link-token.ts'
import { invitationMail } from './mails.ts'
import type { Role } from './roles.ts'
import { outranks } from './roles.ts'
import { sendMail } from './send-mail.ts'

export interface InviteInput {
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly request: RequestFacts
}

/**
 * The caller holds `SETTINGS_TEAM_EDIT` and stands behind the step-up `team_change`. A new invitation takes the place of an
 * older one to the same address.
 *
 * @throws SallyportError `FORBIDDEN` for a role above the caller's own or with a permission that the caller lacks,
 * `ALREADY_MEMBER`, `INVALID_REQUEST`.
 */
export async function invite(engine: Engine, caller: Caller, input: InviteInput): Promise<InvitationRow> {
  const { role, name, request } = input
  const email = emailAddress(input.email)
  if (!caller.permissions.has('SETTINGS_TEAM_EDIT')) {
    throw new SallyportError('FORBIDDEN', 'this needs the permission SETTINGS_TEAM_EDIT')
  }
  const beyond = engine.settings.permissions.ofRole(role).some((permission) => !caller.permissions.has(permission))
  if (outranks(role, caller.role) || beyond) {
    throw new SallyportError('FORBIDDEN', `a role above your own is not yours to give: ${role}`)
  }

  const { raw, link } = newLink('invitation')
  const profile = await engine.store.directory.profile(caller)
  if (profile === undefined) throw new SallyportError('SESSION_REVOKED', 'this session has ended; sign in again')
  const invitation = await engine.store.directory.invite(
    { link, tenantId: caller.tenantId, email, name, role, invitedBy: caller.userId },
    (row, now) => [
      auditRow(
        {
          ...actor(caller),
          action: 'USER_INVITED',
          resource: 'user',
          resourceId: row.id,
          newValue: { email, name, role },
          request,
        },
        now,
      ),
    ],
  )
  if (invitation === 'already-member') throw alreadyMember()
  sendMail(
    engine,
    invitationMail({
      to: email,
      issuer: engine.settings.issuer,
      token: raw,
      tenantName: profile.member.tenant.name,
      inviterName: caller.name,
      role,
    }),
  )
  return invitation
}

export function alreadyMember(): SallyportError {
  return new SallyportError('ALREADY_MEMBER', 'this person is in the tenant already')
}
