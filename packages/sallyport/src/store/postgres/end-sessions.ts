/**
 * Ends sessions with everything that hangs on them: the one function behind revoke, force logout, containment, password
 * and factor changes, disabling and removing.
 *
 * @module
 */

import { and, asc, eq, inArray, isNull, ne, or, sql } from 'drizzle-orm'
import type { SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { EndedSessions, EndOptions, EndScope } from '../contract/ended-sessions.ts'
import { insertChanges } from './changes.ts'
import type { Tx } from './database.ts'
import { refreshTokens, stepUpChallenges, tenantStaff, tokenFamilies, userSessions } from './schema.ts'

/**
 * Ends the sessions of a scope inside the caller's transaction, and writes the change feed. The caller writes the audit rows.
 *
 * One lock order for all callers: staff rows by id, families by id, then tokens and sessions. Rotation takes locks of
 * families alone, by id too, so a rotation that was first is waited for and its successor is seen (each statement here has a snapshot of its
 * own), and one that is later finds the family ended.
 *
 * @returns `undefined` when the named session or staff member is not in the tenant.
 */
export async function endSessions(tx: Tx, scope: EndScope, options: EndOptions): Promise<EndedSessions | undefined> {
  const staff = await lockStaff(tx, scope)
  if (staff === undefined) return undefined
  const versions = options.bumpVersion ? await bumpVersions(tx, staff) : []
  const families = await endFamilies(tx, scope, options)
  await endTokens(tx, families, options)
  const sessions = await endSessionRows(tx, scope, staff, options)
  await endChallenges(tx, sessions)
  if (options.bumpVersion && options.exceptSessionId !== undefined) await keepUp(tx, staff, options.exceptSessionId)

  await insertChanges(tx, [
    ...versions.map(({ tenantId, staffId }) => ({ tenantId, kind: 'staff' as const, ref: staffId as string })),
    ...sessions.map(({ tenantId, sessionId }) => ({ tenantId, kind: 'session' as const, ref: sessionId as string })),
  ])
  return { sessions, versions }
}

interface Owned {
  readonly id: string
  readonly tenantId: string
}

/** Without the tenants, the indexes that start with the tenant would not be used: each end would read the whole table. */
function tenantsOf(rows: readonly Owned[]): string[] {
  return [...new Set(rows.map(({ tenantId }) => tenantId))]
}

const idsOf = (rows: readonly Owned[]): string[] => rows.map(({ id }) => id)

async function lockStaff(tx: Tx, scope: EndScope): Promise<readonly Owned[] | undefined> {
  if (scope.of === 'session') {
    const [session] = await tx.db
      .select({ id: userSessions.staffId, tenantId: userSessions.tenantId })
      .from(userSessions)
      .where(and(eq(userSessions.tenantId, scope.tenantId), eq(userSessions.id, scope.sessionId)))
    return session && [session]
  }
  const rows = await tx.db
    .select({ id: tenantStaff.id, tenantId: tenantStaff.tenantId })
    .from(tenantStaff)
    .where(
      scope.of === 'staff'
        ? and(eq(tenantStaff.tenantId, scope.tenantId), eq(tenantStaff.id, scope.staffId))
        : eq(tenantStaff.userId, scope.userId),
    )
    .orderBy(asc(tenantStaff.id))
    .for('no key update')
  return scope.of === 'staff' && rows.length === 0 ? undefined : rows
}

async function bumpVersions(tx: Tx, staff: readonly Owned[]): Promise<EndedSessions['versions']> {
  if (staff.length === 0) return []
  const rows = await tx.db
    .update(tenantStaff)
    .set({ sessionVersion: sql`${tenantStaff.sessionVersion} + 1` })
    .where(and(inArray(tenantStaff.tenantId, tenantsOf(staff)), inArray(tenantStaff.id, idsOf(staff))))
    .returning({ tenantId: tenantStaff.tenantId, staffId: tenantStaff.id, sessionVersion: tenantStaff.sessionVersion })
  return rows as unknown as EndedSessions['versions']
}

/** A step-up that was passed opens nothing any more, and one that is open cannot be passed. */
async function endChallenges(tx: Tx, sessions: EndedSessions['sessions']): Promise<void> {
  if (sessions.length === 0) return
  await tx.db
    .update(stepUpChallenges)
    .set({ consumedAt: tx.now })
    .where(
      and(
        inArray(stepUpChallenges.tenantId, [...new Set(sessions.map(({ tenantId }) => tenantId as string))]),
        inArray(
          stepUpChallenges.sessionId,
          sessions.map(({ sessionId }) => sessionId as string),
        ),
        isNull(stepUpChallenges.consumedAt),
      ),
    )
}

/** The session that stays follows its staff's version, which would else end it at the next check. */
async function keepUp(tx: Tx, staff: readonly Owned[], sessionId: SessionId): Promise<void> {
  await tx.db
    .update(userSessions)
    .set({
      sessionVersion: sql`(select ${tenantStaff.sessionVersion} from ${tenantStaff}
        where ${tenantStaff.tenantId} = ${userSessions.tenantId} and ${tenantStaff.id} = ${userSessions.staffId})`,
    })
    .where(
      and(
        inArray(userSessions.tenantId, tenantsOf(staff)),
        eq(userSessions.id, sessionId),
        inArray(userSessions.staffId, idsOf(staff)),
        isNull(userSessions.revokedAt),
      ),
    )
}

async function endFamilies(tx: Tx, scope: EndScope, options: EndOptions): Promise<readonly Owned[]> {
  const which = and(
    scope.of === 'session'
      ? and(eq(tokenFamilies.tenantId, scope.tenantId), eq(tokenFamilies.sessionId, scope.sessionId))
      : scope.of === 'staff'
        ? and(eq(tokenFamilies.tenantId, scope.tenantId), eq(tokenFamilies.staffId, scope.staffId))
        : // Tokens of a host's own sessions have no staff member behind them.
          eq(tokenFamilies.userId, scope.userId),
    isNull(tokenFamilies.revokedAt),
    options.exceptSessionId === undefined
      ? undefined
      : or(isNull(tokenFamilies.sessionId), ne(tokenFamilies.sessionId, options.exceptSessionId)),
  )
  const locked = await tx.db
    .select({ id: tokenFamilies.id, tenantId: tokenFamilies.tenantId })
    .from(tokenFamilies)
    .where(which)
    .orderBy(asc(tokenFamilies.id))
    .for('no key update')
  if (locked.length === 0) return []
  await tx.db
    .update(tokenFamilies)
    .set({ revokedAt: tx.now, revokeReason: options.reason })
    .where(
      and(
        inArray(tokenFamilies.tenantId, tenantsOf(locked)),
        inArray(tokenFamilies.id, idsOf(locked)),
        isNull(tokenFamilies.revokedAt),
      ),
    )
  return locked
}

async function endTokens(tx: Tx, families: readonly Owned[], options: EndOptions): Promise<void> {
  if (families.length === 0) return
  await tx.db
    .update(refreshTokens)
    .set({ isRevoked: true, revokedAt: tx.now, revokeReason: options.reason, nonce: null })
    .where(
      and(
        inArray(refreshTokens.tenantId, tenantsOf(families)),
        inArray(refreshTokens.familyId, idsOf(families)),
        eq(refreshTokens.isRevoked, false),
      ),
    )
}

async function endSessionRows(
  tx: Tx,
  scope: EndScope,
  staff: readonly Owned[],
  options: EndOptions,
): Promise<EndedSessions['sessions']> {
  if (staff.length === 0) return []
  const staffIds = idsOf(staff)
  // Locked in one order first: two admins who act as each other could else end each other's sessions into a deadlock.
  const locked = await tx.db
    .select({ id: userSessions.id })
    .from(userSessions)
    .where(
      and(
        inArray(userSessions.tenantId, tenantsOf(staff)),
        or(ownSessions(scope, staffIds, options), actedSessions(scope, staffIds, options)),
        isNull(userSessions.revokedAt),
      ),
    )
    .orderBy(asc(userSessions.id))
    .for('no key update')
  if (locked.length === 0) return []
  const ids = locked.map(({ id }) => id)
  const rows = await tx.db
    .update(userSessions)
    .set({ revokedAt: tx.now, revokeReason: options.reason, revokedBy: options.revokedBy ?? null })
    .where(
      and(
        inArray(userSessions.tenantId, tenantsOf(staff)),
        inArray(userSessions.id, ids),
        isNull(userSessions.revokedAt),
      ),
    )
    .returning({
      tenantId: userSessions.tenantId,
      sessionId: userSessions.id,
      userId: userSessions.userId,
      staffId: userSessions.staffId,
      kind: userSessions.kind,
      realUserId: userSessions.realUserId,
    })
  return rows.map((row) => ({
    tenantId: row.tenantId as TenantId,
    sessionId: row.sessionId as SessionId,
    userId: row.userId as UserId,
    staffId: row.staffId as StaffId,
    kind: row.kind,
    realUserId: row.realUserId as UserId | null,
  }))
}

/** The sessions of the person, those included in which others act as them. */
function ownSessions(scope: EndScope, staffIds: string[], { exceptSessionId, loginsOnly }: EndOptions) {
  if (scope.of === 'session')
    return and(eq(userSessions.tenantId, scope.tenantId), eq(userSessions.id, scope.sessionId))
  return and(
    inArray(userSessions.staffId, staffIds),
    exceptSessionId === undefined ? undefined : ne(userSessions.id, exceptSessionId),
    loginsOnly === true ? eq(userSessions.kind, 'login') : undefined,
  )
}

/** The sessions in which the person acts as somebody: they end with the session they were started from, and with a version. */
function actedSessions(scope: EndScope, staffIds: string[], { exceptSessionId, bumpVersion }: EndOptions) {
  const acting = eq(userSessions.kind, 'impersonation')
  if (scope.of === 'session') return and(acting, eq(userSessions.realSessionId, scope.sessionId))
  return and(
    acting,
    inArray(userSessions.realStaffId, staffIds),
    exceptSessionId === undefined || bumpVersion ? undefined : ne(userSessions.realSessionId, exceptSessionId),
  )
}
