/**
 * How people get into tenants in PostgreSQL: new tenants with their owner, invitations, and what a host says of its own.
 *
 * @module
 */

import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Role } from '../../directory/roles.ts'
import type { AuditOf } from '../contract/audited.ts'
import type {
  DirectoryStore,
  EnsuredMember,
  EnsuredMemberFacts,
  InvitationRow,
  Member,
  Named,
  NewInvitation,
  NewTenant,
  PendingSignUp,
} from '../contract/directory.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Drizzle, Tx } from './database.ts'
import { mapDriverError, UniqueViolation } from './errors.ts'
import type { LinkRow } from './directory-links.ts'
import { insertLink, lockLink, useLink } from './directory-links.ts'
import { memberOf, readAccount } from './directory-rows.ts'
import { oneTimeTokens, tenantStaff, tenants, users } from './schema.ts'

const EMAIL_KEY = 'users_email_key'

type Tenant = typeof tenants.$inferSelect
type User = typeof users.$inferSelect
type Staff = typeof tenantStaff.$inferSelect

export function membersOf(
  database: Database,
): Pick<
  DirectoryStore,
  'createTenant' | 'completeSignUp' | 'invite' | 'withdrawInvitation' | 'acceptInvitation' | 'ensureMember'
> {
  return {
    createTenant: ({ link, ...input }, audit) =>
      database.transaction(async (tx) => {
        const member = await insertTenantWithOwner(tx, input, null)
        if (member === undefined) return 'email-taken'
        await insertLink(tx, link, { kind: 'email_verification', email: input.email, userId: input.userId })
        await insertAudit(tx, audit(member, tx.now))
        return member
      }),

    completeSignUp: (tokenHash, input, audit) =>
      database.transaction(async (tx) => {
        const link = await lockLink(tx, 'email_verification', tokenHash)
        const signUp = link && signUpOf(link)
        if (link === undefined || signUp === undefined) return undefined
        // What was asked for is in the link, whatever the caller read there.
        const member = await insertTenantWithOwner(tx, { ...input, ...signUp, email: link.email }, tx.now)
        if (member === undefined) return 'email-taken'
        await mustUse(tx, link)
        await insertAudit(tx, audit(member, tx.now))
        return member
      }),

    invite: (input, audit) => database.transaction((tx) => invite(tx, input, audit)),

    withdrawInvitation: ({ tenantId, id }, audit) =>
      database.transaction(async (tx) => {
        const [row] = await tx.db
          .update(oneTimeTokens)
          .set({ usedAt: tx.now })
          .where(
            and(
              eq(oneTimeTokens.id, id),
              eq(oneTimeTokens.tenantId, tenantId),
              eq(oneTimeTokens.kind, 'invitation'),
              isNull(oneTimeTokens.usedAt),
              gt(oneTimeTokens.expiresAt, tx.now),
            ),
          )
          .returning()
        if (row === undefined) return undefined
        const invitation = invitationOf(row)
        // Used links keep no data, and one that was withdrawn is as good as used.
        await tx.db
          .update(oneTimeTokens)
          .set({ data: {} })
          .where(and(eq(oneTimeTokens.tenantId, tenantId), eq(oneTimeTokens.id, id)))
        await insertAudit(tx, audit(invitation, tx.now))
        return invitation
      }),

    acceptInvitation: ({ tokenHash, staffId, user: asked }, audit) =>
      database.transaction(async (tx) => {
        const link = await lockLink(tx, 'invitation', tokenHash)
        if (link?.tenantId == null) return undefined
        const [tenant] = await tx.db
          .select()
          .from(tenants)
          .where(and(eq(tenants.id, link.tenantId), isNull(tenants.disabledAt)))
        if (tenant === undefined) return undefined

        const user = 'known' in asked ? await provenUser(tx, link, asked) : await insertInvited(tx, link, asked)
        if (user === undefined) return 'moved'
        const staff = await joinTenant(tx, { id: staffId, tenant, user, role: roleOf(link) })
        if (staff === undefined) return 'already-member'
        await mustUse(tx, link)
        if (user.emailVerifiedAt === null) {
          await tx.db.update(users).set({ emailVerifiedAt: tx.now }).where(eq(users.id, user.id))
        }
        const member = memberOf(tenant, { ...user, emailVerifiedAt: user.emailVerifiedAt ?? tx.now }, staff)
        await insertAudit(tx, audit(member, tx.now))
        return member
      }),

    async ensureMember(input, audit) {
      const known = await unchangedMember(database.db, input)
      if (known !== undefined) return known
      try {
        return await database.transaction((tx) => ensure(tx, input, audit))
      } catch (error) {
        if (error instanceof UniqueViolation && error.constraint === EMAIL_KEY) return 'email-taken'
        throw error
      }
    },
  }
}

/** The user first: a taken address is found before anything else is written. */
async function insertTenantWithOwner(
  tx: Tx,
  input: NewTenant,
  emailVerifiedAt: Date | null,
): Promise<Member | undefined> {
  const [user] = await tx.db
    .insert(users)
    .values({
      id: input.userId,
      email: input.email,
      emailVerifiedAt,
      passwordHash: input.passwordHash,
      name: input.userName,
      createdAt: tx.now,
    })
    .onConflictDoNothing()
    .returning()
  if (user === undefined) return undefined
  const tenant = await insertTenant(tx, { id: input.tenantId, name: input.tenantName, slugs: input.slugs })
  if (tenant === undefined) throw new UniqueViolation('tenants_slug_key')
  const staff = await insertStaff(tx, { id: input.staffId, tenantId: tenant.id, userId: user.id, role: 'owner' })
  return memberOf(tenant, user, staff as Staff)
}

/** Takes the first slug that is free; `undefined` when none is, or when the external id came into being meanwhile. */
async function insertTenant(
  tx: Tx,
  {
    id,
    name,
    slugs,
    externalId = null,
  }: Pick<Tenant, 'id' | 'name'> & {
    readonly slugs: readonly string[]
    readonly externalId?: string | null
  },
): Promise<Tenant | undefined> {
  for (const slug of slugs) {
    const [tenant] = await tx.db
      .insert(tenants)
      .values({ id, externalId, slug, name, createdAt: tx.now })
      .onConflictDoNothing()
      .returning()
    if (tenant !== undefined) return tenant
    if (externalId !== null && (await rowOf(tx.db, tenants, tenants.id, tenants.externalId, { externalId })))
      return undefined
  }
  return undefined
}

async function insertStaff(
  tx: Tx,
  place: Pick<Staff, 'id' | 'tenantId' | 'userId' | 'role'>,
): Promise<Staff | undefined> {
  const [staff] = await tx.db
    .insert(tenantStaff)
    .values({ ...place, createdAt: tx.now })
    .onConflictDoNothing()
    .returning()
  return staff
}

async function invite(
  tx: Tx,
  { link, tenantId, email, name, role, invitedBy }: NewInvitation,
  audit: AuditOf<InvitationRow>,
): Promise<InvitationRow | 'already-member'> {
  const account = await readAccount(tx, { email })
  const place = account?.memberships.find(({ tenant }) => tenant.id === tenantId)
  if (place !== undefined && place.staff.status !== 'removed') return 'already-member'
  await tx.db
    .update(oneTimeTokens)
    .set({ usedAt: tx.now, data: {} })
    .where(
      and(
        eq(oneTimeTokens.tenantId, tenantId),
        sql`lower(${oneTimeTokens.email}) = lower(${email})`,
        eq(oneTimeTokens.kind, 'invitation'),
        isNull(oneTimeTokens.usedAt),
      ),
    )
  const data = { name, role, invitedBy }
  const row = invitationOf(await insertLink(tx, link, { kind: 'invitation', email, tenantId, data }))
  await insertAudit(tx, audit(row, tx.now))
  return row
}

/** The user whom the caller has verified, if the address and the password are still theirs. */
async function provenUser(
  tx: Tx,
  { email }: LinkRow,
  { known, passwordHash }: { readonly known: string; readonly passwordHash: string },
): Promise<User | undefined> {
  const [user] = await tx.db
    .select()
    .from(users)
    .where(
      and(
        eq(users.id, known),
        sql`lower(${users.email}) = lower(${email})`,
        eq(users.passwordHash, passwordHash),
        isNull(users.disabledAt),
      ),
    )
    .for('no key update')
  return user
}

async function insertInvited(
  tx: Tx,
  { email }: LinkRow,
  { created, name, passwordHash }: { readonly created: string; readonly name: string; readonly passwordHash: string },
): Promise<User | undefined> {
  const [user] = await tx.db
    .insert(users)
    .values({ id: created, email, name, passwordHash, emailVerifiedAt: tx.now, createdAt: tx.now })
    .onConflictDoNothing()
    .returning()
  return user
}

/** `undefined`, and nothing written, for one who is in the tenant. */
async function joinTenant(
  tx: Tx,
  {
    id,
    tenant,
    user,
    role,
  }: { readonly id: string; readonly tenant: Tenant; readonly user: User; readonly role: Role },
): Promise<Staff | undefined> {
  const inserted = await insertStaff(tx, { id, tenantId: tenant.id, userId: user.id, role })
  if (inserted !== undefined) return inserted
  const [back] = await tx.db
    .update(tenantStaff)
    .set({ status: 'active', role, permissions: [] })
    .where(and(eq(tenantStaff.tenantId, tenant.id), eq(tenantStaff.userId, user.id), eq(tenantStaff.status, 'removed')))
    .returning()
  if (back !== undefined) await insertChanges(tx, [{ tenantId: tenant.id, kind: 'staff', ref: back.id }])
  return back
}

/** The link is locked by this transaction: nobody else can have used it. */
async function mustUse(tx: Tx, link: LinkRow): Promise<void> {
  if ((await useLink(tx, link.kind, link.tokenHash)) === undefined) throw new TypeError('a locked link was used')
}

async function ensure(tx: Tx, input: EnsuredMember, audit: AuditOf<EnsuredMemberFacts>): Promise<Member | undefined> {
  const { newIds, role } = input
  const knownTenant = await rowOf<Tenant>(tx.db, tenants, tenants.id, tenants.externalId, input.tenant)
  const knownUser = await rowOf<User>(tx.db, users, users.id, users.externalId, input.user)
  // Before anything is written: an id names what is there, and makes nothing.
  if (knownTenant === undefined && 'id' in input.tenant) return undefined
  if (knownUser === undefined && 'id' in input.user) return undefined

  const tenantMade = knownTenant === undefined ? await insertShadowTenant(tx, input) : undefined
  const tenant =
    knownTenant ?? tenantMade ?? (await rowOf<Tenant>(tx.db, tenants, tenants.id, tenants.externalId, input.tenant))
  const userMade = knownUser === undefined ? await insertShadowUser(tx, input) : undefined
  const user = knownUser ?? userMade ?? (await rowOf<User>(tx.db, users, users.id, users.externalId, input.user))
  if (tenant === undefined) throw new UniqueViolation('tenants_slug_key')
  // Neither made nor there: it was the address that stood in the way. Thrown, so that the tenant goes too.
  if (user === undefined) throw new UniqueViolation(EMAIL_KEY)

  const place = { id: newIds.staffId, tenantId: tenant.id, userId: user.id, role: role ?? 'member' }
  const joined = await insertStaff(tx, place)
  const staff = joined ?? (await lockStaff(tx, tenant.id, user.id))
  const roleBefore = role !== undefined && staff.role !== role ? staff.role : undefined

  const changed = memberOf(await renameTenant(tx, tenant, input), await followUser(tx, user, input), {
    ...staff,
    role: roleBefore === undefined ? staff.role : (role ?? staff.role),
  })
  if (roleBefore !== undefined) {
    await tx.db
      .update(tenantStaff)
      .set({ role: changed.staff.role })
      .where(and(eq(tenantStaff.tenantId, tenant.id), eq(tenantStaff.id, staff.id)))
    await insertChanges(tx, [{ tenantId: tenant.id, kind: 'staff', ref: staff.id }])
  }
  if (tenantMade !== undefined || joined !== undefined || roleBefore !== undefined) {
    const facts = {
      member: changed,
      tenantCreated: tenantMade !== undefined,
      joined: joined !== undefined,
      roleBefore,
    }
    await insertAudit(tx, audit(facts, tx.now))
  }
  return changed
}

async function insertShadowTenant(tx: Tx, { tenant, newIds }: EnsuredMember): Promise<Tenant | undefined> {
  const externalId = 'externalId' in tenant ? tenant.externalId : null
  return insertTenant(tx, {
    id: newIds.tenantId,
    name: tenant.name ?? externalId ?? '',
    slugs: tenant.slugs,
    externalId,
  })
}

async function insertShadowUser(tx: Tx, { user, newIds }: EnsuredMember): Promise<User | undefined> {
  const [made] = await tx.db
    .insert(users)
    .values({
      id: newIds.userId,
      externalId: 'externalId' in user ? user.externalId : null,
      email: user.email ?? null,
      name: user.name,
      createdAt: tx.now,
    })
    .onConflictDoNothing()
    .returning()
  return made
}

async function lockStaff(tx: Tx, tenantId: string, userId: string): Promise<Staff> {
  const [staff] = await tx.db
    .select()
    .from(tenantStaff)
    .where(and(eq(tenantStaff.tenantId, tenantId), eq(tenantStaff.userId, userId)))
    .for('no key update')
  return staff as Staff
}

async function renameTenant(tx: Tx, tenant: Tenant, { tenant: { name } }: EnsuredMember): Promise<Tenant> {
  if (name === undefined || name === tenant.name) return tenant
  await tx.db.update(tenants).set({ name }).where(eq(tenants.id, tenant.id))
  return { ...tenant, name }
}

/** A changed address is not a verified one. The feed is told, since the live view shows names. */
async function followUser(tx: Tx, user: User, { user: { name, email } }: EnsuredMember): Promise<User> {
  const moved = email !== undefined && email !== user.email
  if (!moved && name === user.name) return user
  const now = { name, ...(moved ? { email, emailVerifiedAt: null } : {}) }
  await tx.db.update(users).set(now).where(eq(users.id, user.id))
  await insertChanges(tx, [{ tenantId: null, kind: 'user', ref: user.id }])
  return { ...user, ...now }
}

/** The member, where nothing that the host says is news. */
async function unchangedMember(db: Drizzle, { tenant, user, role }: EnsuredMember): Promise<Member | undefined> {
  try {
    const [row] = await db
      .select({ tenant: tenants, user: users, staff: tenantStaff })
      .from(tenants)
      .innerJoin(tenantStaff, eq(tenantStaff.tenantId, tenants.id))
      .innerJoin(users, eq(users.id, tenantStaff.userId))
      .where(and(named(tenants.id, tenants.externalId, tenant), named(users.id, users.externalId, user)))
    const same =
      row !== undefined &&
      (tenant.name === undefined || tenant.name === row.tenant.name) &&
      (user.email === undefined || user.email === row.user.email) &&
      user.name === row.user.name &&
      (role === undefined || role === row.staff.role)
    return same ? memberOf(row.tenant, row.user, row.staff) : undefined
  } catch (error) {
    throw mapDriverError(error, 'ensure member')
  }
}

async function rowOf<Row>(
  db: Drizzle,
  table: typeof tenants | typeof users,
  id: PgColumn,
  externalId: PgColumn,
  key: Named<string>,
): Promise<Row | undefined> {
  const [row] = await db
    .select()
    .from(table as typeof tenants)
    .where(named(id, externalId, key))
  return row as Row | undefined
}

function named(id: PgColumn, externalId: PgColumn, key: Named<string>): SQL {
  return 'id' in key ? eq(id, key.id) : eq(externalId, key.externalId)
}

export function signUpOf({ data }: LinkRow): PendingSignUp | undefined {
  return data['signUp'] as PendingSignUp | undefined
}

function roleOf({ data }: LinkRow): Role {
  return data['role'] as Role
}

export function invitationOf(row: LinkRow): InvitationRow {
  const { id, email, createdAt, expiresAt } = row
  return { id, email, createdAt, expiresAt, name: row.data['name'] as string, role: roleOf(row) }
}
