/**
 * Tells whoever holds the link of an invitation what it invites them to, and whether their address has an account already.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import type { Role } from './roles.ts'
import { hashOfPresented, linkInvalid } from './link-token.ts'

export interface InvitationPreview {
  readonly email: string
  /** As the inviter wrote it. */
  readonly name: string
  readonly role: Role
  readonly tenant: { readonly name: string }
  /** Null where whoever invited is gone. */
  readonly invitedBy: string | null
  readonly expiresAt: Date
  /** Whether the address has an account, whose own password is then asked for. The link proves the mailbox, so its holder may know. */
  readonly hasAccount: boolean
}

/** It uses nothing up. @throws SallyportError `LINK_INVALID`; `IP_BLOCKED` and `IP_NOT_ALLOWED` by the rules of the tenant. */
export async function showInvitation(
  engine: Engine,
  { token, request }: { readonly token: string; readonly request: RequestFacts },
): Promise<InvitationPreview> {
  const link = await engine.store.directory.link('invitation', hashOfPresented(token))
  if (link?.kind !== 'invitation') throw linkInvalid()
  const { email, name, role, tenant, invitedBy, expiresAt, account } = link
  await enforceIpRules(engine, { tenantId: tenant.id, request, at: 'sign-in' })
  return {
    email,
    name,
    role,
    tenant: { name: tenant.name },
    invitedBy: invitedBy ?? null,
    expiresAt,
    hasAccount: account !== undefined,
  }
}
