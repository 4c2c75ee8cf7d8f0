/**
 * Signs a person in with email and password.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import { failureRecorded } from '../internal/recorded-failure.ts'
import { enforceIpRules } from '../ip-rules/enforce.ts'
import type { Account, Member, Membership } from '../store/contract/directory.ts'
import { emailAddress } from './email-address.ts'
import { filedUnder, isNamed } from './filed-under.ts'
import { hashPassword, isOutdated, verifyPassword } from './passwords.ts'
import type { SessionWish, SignedIn } from './signed-in.ts'
import { startJudged } from './start-judged.ts'

export interface SignInInput extends SessionWish {
  readonly email: string
  readonly password: string
  /** The id or the slug of the tenant; needed by those who are in several. */
  readonly tenant?: string | undefined
}

/**
 * Checks the password and starts a session.
 *
 * An unknown address, a wrong password, a tenant that is not the person's, and a disabled or removed person, place or tenant
 * are all answered alike, after the same work. Each failure is audited here.
 *
 * @throws SallyportError `INVALID_CREDENTIALS`; `TENANT_REQUIRED` with the tenants to choose from, once the password was
 * right; `IP_BLOCKED`, `IP_NOT_ALLOWED`; `STEP_UP_REQUIRED`, `SESSION_BLOCKED`, `SESSION_LIMIT`; `INVALID_REQUEST`;
 * `UNAVAILABLE`.
 */
export async function signIn(engine: Engine, input: SignInInput): Promise<SignedIn> {
  const email = emailAddress(input.email)
  await refuseByAddress(engine, input)
  const account = await engine.store.directory.account({ email })
  // Before anything is decided: what comes after it takes no time worth measuring.
  const right = await verifyPassword(account?.passwordHash, input.password)
  if (!right || account === undefined || account.user.disabled) {
    throw await recorded(engine, input, account, invalidCredentials(), false)
  }

  const places = account.memberships.filter(({ staff, tenant }) => staff.status === 'active' && !tenant.disabled)
  const fitting = input.tenant === undefined ? places : places.filter((place) => isNamed(place, input.tenant as string))
  if (fitting.length > 1) throw await recorded(engine, input, account, tenantRequired(fitting), true)
  const [place] = fitting
  if (place === undefined) throw await recorded(engine, input, account, invalidCredentials(), false)

  const member = memberOf(account, place)
  // Before a second factor is asked for: from elsewhere none can be tried.
  await enforceIpRules(engine, {
    tenantId: member.tenant.id,
    request: input.request,
    at: 'sign-in',
    who: { userId: member.user.id, actorName: member.user.name, staffId: member.staff.id },
  })
  const issued = await startJudged(engine, member, input, { amr: ['pwd'], metadata: { method: 'password' } })
  // Disabled while the password was checked.
  if (issued === undefined) throw await recorded(engine, input, account, invalidCredentials(), false)
  await strengthen(engine, account, input.password)
  return { member, issued }
}

/** Where the tenant is named its rules come before the password: from elsewhere no password can be tried. */
async function refuseByAddress(engine: Engine, { tenant, request }: SignInInput): Promise<void> {
  const tenantId = tenant === undefined ? undefined : await engine.store.access.tenantNamed(tenant)
  if (tenantId !== undefined) await enforceIpRules(engine, { tenantId, request, at: 'sign-in' })
}

/** The answer to every sign-in that is refused for who asks. */
export function invalidCredentials(): SallyportError {
  return new SallyportError('INVALID_CREDENTIALS', 'email or password is wrong')
}

function memberOf({ user }: Account, { tenant, staff }: Membership): Member {
  return { user, tenant, staff }
}

function tenantRequired(places: readonly Membership[]): SallyportError {
  return new SallyportError('TENANT_REQUIRED', 'you are in several tenants; name the one to sign in to', {
    facts: { tenants: places.map(({ tenant: { id, slug, name } }) => ({ id, slug, name })) },
  })
}

/** What was typed as an address is not kept: now and then it is the password. */
async function recorded(
  engine: Engine,
  { request, tenant }: SignInInput,
  account: Account | undefined,
  error: SallyportError,
  proven: boolean,
): Promise<SallyportError> {
  await engine.refusals.record({
    tenantId: filedUnder(account, tenant),
    action: 'AUTH_LOGIN_FAILED',
    failureReason: error.code,
    // Without the right password nobody knows who it was: the account is whom it happened to.
    userId: proven ? account?.user.id : null,
    actorName: proven ? account?.user.name : null,
    resource: 'user',
    resourceId: account?.user.id,
    metadata: { method: 'password' },
    request,
  })
  return failureRecorded(error)
}

/** The password is in hand only now; a hash of weaker parameters is replaced, and a failure to do so stops nobody. */
async function strengthen({ store, log }: Engine, { user, passwordHash }: Account, password: string): Promise<void> {
  if (passwordHash === null || !isOutdated(passwordHash)) return
  try {
    await store.directory.rehash({ userId: user.id, from: passwordHash, to: await hashPassword(password) })
  } catch (error) {
    log.warn({ err: error, userId: user.id }, 'a password hash could not be strengthened')
  }
}
