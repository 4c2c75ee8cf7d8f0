/**
 * The directory in PostgreSQL: what is read of it, and what changes a person's address or password.
 *
 * @module
 */

import { and, asc, desc, eq, gt, isNull, ne, sql } from 'drizzle-orm'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import { isId } from '../../ids.ts'
import type {
  Account,
  DirectoryStore,
  LinkFacts,
  LinkKind,
  MemberActivity,
  Profile,
  TeamListing,
  UserRow,
} from '../contract/directory.ts'
import type { LiveLimits, SessionRow } from '../contract/sessions.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { insertLink, replaceLinks, usable, useLink } from './directory-links.ts'
import { invitationOf, membersOf, signUpOf } from './directory-members.ts'
import { memberOf, readAccount, userOf } from './directory-rows.ts'
import { endSessions } from './end-sessions.ts'
import { mapDriverError, UniqueViolation } from './errors.ts'
import { liveSql } from './live-sessions.ts'
import { oneTimeTokens, tenantStaff, tenants, tokenFamilies, userSessions, users } from './schema.ts'

export function directoryStore(database: Database): DirectoryStore {
  return {
    ...membersOf(database),

    account: (key) => readAccount(database, key),
    findUser: (userId) => reading('find user', () => findUser(database, userId)),
    profile: (of) => reading('profile', () => profile(database, of)),
    team: (tenantId) => reading('team', () => team(database, tenantId)),
    teamActivity: (of) => teamActivity(database, of),
    names: (tenantId, userIds) => names(database, tenantId, userIds),
    link: (kind, tokenHash) => reading('link', () => link(database, kind, tokenHash)),

    rehash: ({ userId, from, to }) =>
      database.transaction(async (tx) => (await setPassword(tx, userId, to, from)) !== undefined),

    requestReset: ({ link: fresh, userId, email }, audit) =>
      database.transaction(async (tx) => {
        // Nobody has the link's own id as theirs: the same statement, and no row.
        await replaceLinks(tx, 'password_reset', userId ?? fresh.id)
        await insertLink(tx, fresh, { kind: 'password_reset', email: userId === undefined ? '' : email, userId })
        await insertAudit(tx, audit(undefined, tx.now))
      }),

    requestSignUp: ({ link: fresh, email, signUp }) =>
      database.transaction(async (tx) => {
        const data = signUp === undefined ? {} : { signUp }
        await insertLink(tx, fresh, { kind: 'email_verification', email: signUp === undefined ? '' : email, data })
      }),

    verifyEmail: (tokenHash, audit) =>
      database.transaction(async (tx) => {
        const used = await useLink(tx, 'email_verification', tokenHash)
        if (used?.userId == null) return undefined
        const [user] = await tx.db
          .update(users)
          .set({ emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, ${tx.now.toISOString()}::timestamptz)` })
          .where(and(eq(users.id, used.userId), sql`lower(${users.email}) = lower(${used.email})`))
          .returning({ id: users.id })
        const account = user && (await readAccount(tx, { userId: user.id as UserId }))
        if (account === undefined) return undefined
        await insertAudit(tx, audit(account, tx.now))
        await insertChanges(tx, [{ tenantId: null, kind: 'user', ref: account.user.id }])
        return account
      }),

    requestEmailChange: ({ tenantId, userId, sessionId, link, email, free }, audit) =>
      database.transaction(async (tx) => {
        if (!(await isLive(tx, tenantId, userId, sessionId))) return false
        await replaceLinks(tx, 'email_change', userId)
        // Without a user it is the link of nobody.
        await insertLink(tx, link, { kind: 'email_change', email, userId: free ? userId : undefined })
        await insertAudit(tx, audit(undefined, tx.now))
        return true
      }),

    changeEmail: (tokenHash, audit) =>
      untilTaken(() =>
        database.transaction(async (tx) => {
          const used = await useLink(tx, 'email_change', tokenHash)
          const userId = used?.userId as UserId | null | undefined
          if (used === undefined || userId == null) return undefined
          const [person] = await tx.db
            .select({ email: users.email })
            .from(users)
            .where(and(eq(users.id, userId), isNull(users.disabledAt)))
            .for('no key update')
          if (person === undefined) return undefined
          const changed = await tx.db
            .update(users)
            .set({ email: used.email, emailVerifiedAt: tx.now })
            .where(
              and(
                eq(users.id, userId),
                sql`not exists (select 1 from users other where lower(other.email) = lower(${used.email}) and other.id <> ${userId})`,
              ),
            )
            .returning({ id: users.id })
          if (changed.length === 0) return undefined
          await replaceLinks(tx, 'password_reset', userId)
          const account = (await readAccount(tx, { userId })) as Account
          await insertAudit(tx, audit({ account, before: person.email }, tx.now))
          await insertChanges(tx, [{ tenantId: null, kind: 'user', ref: userId }])
          return { account, before: person.email }
        }),
      ),

    resetPassword: ({ tokenHash, passwordHash }, audit) =>
      database.transaction(async (tx) => {
        const used = await useLink(tx, 'password_reset', tokenHash)
        const userId = used?.userId as UserId | null | undefined
        if (used === undefined || userId == null) return undefined
        const person = await setPassword(tx, userId, passwordHash)
        if (person === undefined) return undefined
        const emailVerified = person.emailVerifiedAt === null && sameAddress(person.email, used.email)
        if (emailVerified) await tx.db.update(users).set({ emailVerifiedAt: tx.now }).where(eq(users.id, userId))
        await replaceLinks(tx, 'password_reset', userId)
        const ended = await endAll(tx, userId, { reason: 'password_reset' })
        const account = (await readAccount(tx, { userId })) as Account
        await insertAudit(tx, audit({ account, ended, emailVerified }, tx.now))
        return { account, ended }
      }),

    changePassword: ({ tenantId, userId, sessionId, from, to }, audit) =>
      database.transaction(async (tx) => {
        if (!(await isLive(tx, tenantId, userId, sessionId))) return 'session-ended'
        if ((await setPassword(tx, userId, to, from)) === undefined) return 'stale'
        await replaceLinks(tx, 'password_reset', userId)
        const ended = await endAll(tx, userId, {
          reason: 'password_changed',
          revokedBy: userId,
          exceptSessionId: sessionId,
        })
        const [session] = await tx.db
          .select()
          .from(userSessions)
          .where(and(eq(userSessions.tenantId, tenantId), eq(userSessions.id, sessionId)))
        const [family] = await tx.db
          .select({ binding: tokenFamilies.binding, value: tokenFamilies.bindingValue })
          .from(tokenFamilies)
          .where(and(eq(tokenFamilies.tenantId, tenantId), eq(tokenFamilies.sessionId, sessionId)))
        await insertAudit(tx, audit(ended, tx.now))
        const keyThumbprint = family?.binding === 'key' ? family.value : null
        return { session: session as unknown as SessionRow, keyThumbprint, ended }
      }),
  }
}

/** Drizzle's errors carry bound values: none leaves unmapped. */
async function reading<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw mapDriverError(error, what)
  }
}

async function findUser({ db }: Database, userId: UserId): Promise<UserRow | undefined> {
  const [row] = await db.select().from(users).where(eq(users.id, userId))
  return row && userOf(row)
}

async function profile(
  { db }: Database,
  {
    tenantId,
    staffId,
    sessionId,
  }: { readonly tenantId: TenantId; readonly staffId: StaffId; readonly sessionId: SessionId },
): Promise<Profile | undefined> {
  const [row] = await db
    .select({ tenant: tenants, user: users, staff: tenantStaff, session: userSessions })
    .from(tenantStaff)
    .innerJoin(tenants, eq(tenants.id, tenantStaff.tenantId))
    .innerJoin(users, eq(users.id, tenantStaff.userId))
    .innerJoin(
      userSessions,
      and(
        eq(userSessions.tenantId, tenantStaff.tenantId),
        eq(userSessions.staffId, tenantStaff.id),
        eq(userSessions.id, sessionId),
      ),
    )
    .where(and(eq(tenantStaff.tenantId, tenantId), eq(tenantStaff.id, staffId)))
  if (row === undefined) return undefined
  const member = memberOf(row.tenant, row.user, row.staff)
  const { realUserId, createdAt, expiresAt, reason } = row.session
  const real = realUserId === null ? undefined : await findUser({ db } as Database, realUserId as UserId)
  if (real === undefined) return { member, impersonation: undefined }
  const realUser = { id: real.id, name: real.name }
  return { member, impersonation: { realUser, startedAt: createdAt, expiresAt, reason } }
}

async function team({ db, clock }: Database, tenantId: TenantId): Promise<TeamListing> {
  const members = await db
    .select({ tenant: tenants, user: users, staff: tenantStaff })
    .from(tenantStaff)
    .innerJoin(tenants, eq(tenants.id, tenantStaff.tenantId))
    .innerJoin(users, eq(users.id, tenantStaff.userId))
    .where(and(eq(tenantStaff.tenantId, tenantId), ne(tenantStaff.status, 'removed')))
    .orderBy(asc(tenantStaff.createdAt), asc(tenantStaff.id))
  const invitations = await db
    .select()
    .from(oneTimeTokens)
    .where(
      and(
        eq(oneTimeTokens.tenantId, tenantId),
        eq(oneTimeTokens.kind, 'invitation'),
        isNull(oneTimeTokens.usedAt),
        gt(oneTimeTokens.expiresAt, now(clock.offsetMs)),
      ),
    )
    .orderBy(desc(oneTimeTokens.createdAt), desc(oneTimeTokens.id))
  return {
    members: members.map((row) => ({
      ...memberOf(row.tenant, row.user, row.staff),
      createdAt: row.staff.createdAt,
    })),
    invitations: invitations.map(invitationOf),
  }
}

/** At most so many are counted: the partial index of live sessions is walked no further. */
const MOST_LIVE = 100

const ACTIVITY: Statement = {
  name: 'sallyport_team_activity',
  text: `select st.id as staff_id,
      (select s.last_seen_at from user_sessions s where s.tenant_id = st.tenant_id and s.user_id = st.user_id
        and s.staff_id = st.id and s.kind = 'login' order by s.last_seen_at desc, s.id desc limit 1) as last_seen_at,
      (select count(*)::int4 from (select 1 from user_sessions s where s.tenant_id = st.tenant_id and s.staff_id = st.id
        and s.kind = 'login' and s.session_version = st.session_version
        and ${liveSql('s', { now: nowSql('$2'), idleMs: '$3', maxSessionLifeMs: '$4' })}
        limit ${MOST_LIVE}) live) as live_sessions,
      (select coalesce(array_agg(distinct f.type), '{}') from mfa_factors f
        where f.user_id = st.user_id and f.verified_at is not null and f.disabled_at is null) as factors
    from tenant_staff st where st.tenant_id = $1::uuid and st.status <> 'removed'`,
}

async function teamActivity(
  database: Database,
  { tenantId, idleMs, maxSessionLifeMs }: { readonly tenantId: TenantId } & LiveLimits,
): Promise<ReadonlyMap<StaffId, MemberActivity>> {
  const rows = await database.run<{
    staff_id: StaffId
    last_seen_at: Date | null
    live_sessions: number
    factors: MemberActivity['factors']
  }>(ACTIVITY, [tenantId, database.clock.offsetMs, idleMs, maxSessionLifeMs])
  return new Map(
    rows.map(({ staff_id, last_seen_at, live_sessions, factors }) => [
      staff_id,
      { lastSeenAt: last_seen_at, liveSessions: live_sessions, factors },
    ]),
  )
}

const NAMES: Statement = {
  name: 'sallyport_names',
  text: `select distinct u.id, u.name from users u join tenant_staff st on st.user_id = u.id
    where st.tenant_id = $1::uuid and u.id = any($2::uuid[])`,
}

async function names(
  database: Database,
  tenantId: TenantId,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(userIds)].filter((id) => isId(id))
  if (wanted.length === 0) return new Map()
  const rows = await database.run<{ id: string; name: string }>(NAMES, [tenantId, wanted])
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Somebody took the address in the same moment: as if they had had it before. */
async function untilTaken<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UniqueViolation && error.constraint === 'users_email_key') return undefined
    throw error
  }
}

async function link(database: Database, kind: LinkKind, tokenHash: Uint8Array): Promise<LinkFacts | undefined> {
  const [row] = await database.db
    .select()
    .from(oneTimeTokens)
    .where(usable(kind, tokenHash, now(database.clock.offsetMs)))
  if (row === undefined) return undefined
  const { email } = row
  switch (row.kind) {
    case 'invitation': {
      const [tenant] = await database.db
        .select({ id: tenants.id, slug: tenants.slug, name: tenants.name })
        .from(tenants)
        .where(and(eq(tenants.id, row.tenantId ?? row.id), isNull(tenants.disabledAt)))
      if (tenant === undefined) return undefined
      const { role, name, expiresAt } = invitationOf(row)
      const account = await readAccount(database, { email })
      const inviter = String(row.data['invitedBy'])
      const invitedBy = (await names(database, tenant.id as TenantId, [inviter])).get(inviter)
      const to = { ...tenant, id: tenant.id as TenantId }
      return { kind: 'invitation', email, role, name, expiresAt, invitedBy, account, tenant: to }
    }
    case 'password_reset': {
      const account = await accountOf(database, row.userId)
      return account && !account.user.disabled ? { kind: 'password_reset', email, account } : undefined
    }
    case 'email_verification':
      return {
        kind: 'email_verification',
        email,
        account: await accountOf(database, row.userId),
        signUp: signUpOf(row),
      }
    // Used without being read before.
    case 'email_change':
      return undefined
  }
}

async function accountOf(database: Database, userId: string | null): Promise<Account | undefined> {
  return userId === null ? undefined : readAccount(database, { userId: userId as UserId })
}

/** Sets the hash of an enabled user; where `from` is given, only in its place. Answers the row as it is now. */
async function setPassword(tx: Tx, userId: UserId, to: string, from?: string) {
  const [row] = await tx.db
    .update(users)
    .set({ passwordHash: to })
    .where(
      and(
        eq(users.id, userId),
        isNull(users.disabledAt),
        from === undefined ? undefined : eq(users.passwordHash, from),
      ),
    )
    .returning({ email: users.email, emailVerifiedAt: users.emailVerifiedAt })
  return row
}

async function endAll(tx: Tx, userId: UserId, options: Omit<Parameters<typeof endSessions>[2], 'bumpVersion'>) {
  const ended = await endSessions(tx, { of: 'user', userId }, { ...options, bumpVersion: true })
  return ended ?? { sessions: [], versions: [] }
}

async function isLive(tx: Tx, tenantId: TenantId, userId: UserId, sessionId: SessionId): Promise<boolean> {
  const [row] = await tx.db
    .select({ id: userSessions.id })
    .from(userSessions)
    .where(
      and(
        eq(userSessions.tenantId, tenantId),
        eq(userSessions.id, sessionId),
        eq(userSessions.userId, userId),
        isNull(userSessions.revokedAt),
        gt(userSessions.expiresAt, tx.now),
      ),
    )
  return row !== undefined
}

function sameAddress(one: string | null, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase()
}

function now(offsetMs: number) {
  return sql<Date>`(clock_timestamp() + ${offsetMs}::float8 * interval '1 millisecond')`
}
