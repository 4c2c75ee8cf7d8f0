/**
 * Accepts an invitation: the person joins the tenant, as a new user or as the one they are, and is signed in.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { StaffId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import type { SignInProof } from '../step-up/hold-sign-in.ts'
import type { LinkFacts, Member } from '../store/contract/directory.ts'
import { alreadyMember } from './invite.ts'
import { hashOfPresented, linkInvalid } from './link-token.ts'
import { acceptPassword } from './password-policy.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import { invalidCredentials } from './sign-in.ts'
import type { SessionWish, SignedIn } from './signed-in.ts'
import { startSession } from './signed-in.ts'
import { startJudged } from './start-judged.ts'

export interface AcceptInvitationInput extends SessionWish {
  readonly token: string
  /** For a new user; a known one keeps theirs. */
  readonly name: string
  /** A new one for a new user; a known one gives their own. */
  readonly password: string
}

/**
 * The link proves the mailbox; for a known user it does not stand in for the password. A user without one (whose sign-in is
 * the host's) joins through the host. Nor does it stand in for a second factor: who is known has joined and then signs in as
 * always, scored and asked for what they have enrolled.
 *
 * @throws SallyportError `LINK_INVALID`, `INVALID_CREDENTIALS`, `PASSWORD_REJECTED`, `ALREADY_MEMBER`, `CONFLICT`; `STEP_UP_REQUIRED`,
 * `SESSION_BLOCKED`, `SESSION_LIMIT` and `UNAVAILABLE` as a sign-in, of one who has joined by then.
 */
export async function acceptInvitation(engine: Engine, input: AcceptInvitationInput): Promise<SignedIn> {
  const tokenHash = hashOfPresented(input.token)
  const joined = (await join(engine, input, tokenHash)) ?? (await join(engine, input, tokenHash))
  if (joined === undefined) throw new SallyportError('CONFLICT', 'the account changed meanwhile; try again')
  const { member, isNew } = joined
  const metadata = { method: 'password', after: 'invitation' }
  const signedIn = isNew
    ? await startSession(engine, member, input, metadata)
    : await signInKnown(engine, member, input, metadata)
  if (signedIn === undefined) throw invalidCredentials()
  return signedIn
}

async function signInKnown(
  engine: Engine,
  member: Member,
  wish: SessionWish,
  metadata: SignInProof['metadata'],
): Promise<SignedIn | undefined> {
  const issued = await startJudged(engine, member, wish, { amr: ['pwd'], metadata })
  return issued && { member, issued }
}

interface Joined {
  readonly member: Member
  readonly isNew: boolean
}

/** @returns `undefined` when the address got or lost its user, or the user another password, between reading and writing. */
async function join(engine: Engine, input: AcceptInvitationInput, tokenHash: Uint8Array): Promise<Joined | undefined> {
  const { directory } = engine.store
  const link = await directory.link('invitation', tokenHash)
  if (link?.kind !== 'invitation') throw linkInvalid()
  // Before the link is used: it stays good for an address that the tenant lets in.
  await enforceIpRules(engine, { tenantId: link.tenant.id, request: input.request, at: 'sign-in' })
  const user = await provenUser(engine, link, input)
  const outcome = await directory.acceptInvitation({ tokenHash, staffId: newId<StaffId>(), user }, (member, now) =>
    joinedRows(member, input.request, now),
  )
  if (outcome === 'moved') return undefined
  if (outcome === 'already-member') throw alreadyMember()
  if (outcome === undefined) throw linkInvalid()
  return { member: outcome, isNew: 'created' in user }
}

async function provenUser(
  { settings }: Pick<Engine, 'settings'>,
  { account, email, tenant }: Extract<LinkFacts, { readonly kind: 'invitation' }>,
  { name, password }: AcceptInvitationInput,
) {
  if (account === undefined) {
    acceptPassword(settings, password, { email, name, words: [tenant.name] }, 'password')
    return { created: newId<UserId>(), name, passwordHash: await hashPassword(password) }
  }
  const right = await verifyPassword(account.passwordHash, password)
  if (!right || account.passwordHash === null || account.user.disabled) throw invalidCredentials()
  return { known: account.user.id, passwordHash: account.passwordHash }
}

function joinedRows({ tenant, user, staff }: Member, request: RequestFacts, now: Date): readonly AuditRow[] {
  return [
    auditRow(
      {
        tenantId: tenant.id,
        userId: user.id,
        actorName: user.name,
        staffId: staff.id,
        action: 'USER_JOINED',
        resource: 'tenant_staff',
        resourceId: staff.id,
        newValue: { role: staff.role },
        metadata: { by: 'invitation' },
        request,
      },
      now,
    ),
  ]
}
