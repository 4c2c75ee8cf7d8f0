/**
 * One-time links in PostgreSQL: how they are kept, found and used.
 *
 * @module
 */

import type { SQL } from 'drizzle-orm'
import { and, eq, gt, isNull, ne } from 'drizzle-orm'
import type { TenantId, UserId } from '../../ids.ts'
import type { LinkKind, NewLink } from '../contract/directory.ts'
import type { Tx } from './database.ts'
import { oneTimeTokens, users } from './schema.ts'

export type LinkRow = typeof oneTimeTokens.$inferSelect

export interface LinkContent {
  readonly kind: LinkKind
  readonly email: string
  readonly tenantId?: TenantId | undefined
  readonly userId?: UserId | undefined
  readonly data?: Record<string, unknown> | undefined
}

/** A user who is being deleted meanwhile gets the link of nobody: no row comes after their last. */
export async function insertLink(tx: Tx, { id, tokenHash, ttlMs }: NewLink, given: LinkContent): Promise<LinkRow> {
  const gone = given.userId !== undefined && !(await keepUser(tx, given.userId))
  const content = gone ? { ...given, email: '', userId: undefined } : given
  const [row] = await tx.db
    .insert(oneTimeTokens)
    .values({
      id,
      tokenHash: Buffer.from(tokenHash),
      kind: content.kind,
      email: content.email,
      tenantId: content.tenantId ?? null,
      userId: content.userId ?? null,
      data: content.data ?? {},
      createdAt: tx.now,
      expiresAt: new Date(tx.now.getTime() + ttlMs),
    })
    .returning()
  return row as LinkRow
}

/** Holds a user against being deleted until the transaction ends. Resolves to whether they are there. */
export async function keepUser(tx: Tx, userId: string): Promise<boolean> {
  const kept = await tx.db.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('key share')
  return kept.length > 0
}

/** Whether a link can still be used. */
export function usable(kind: LinkKind, tokenHash: Uint8Array, now: Date | SQL<Date>) {
  return and(
    eq(oneTimeTokens.tokenHash, Buffer.from(tokenHash)),
    eq(oneTimeTokens.kind, kind),
    isNull(oneTimeTokens.usedAt),
    gt(oneTimeTokens.expiresAt, now),
  )
}

/**
 * Uses a link: of all concurrent calls one gets the row, since the others wait for its lock and then no longer fit the
 * condition. What it carried is erased with its use.
 */
export async function useLink(tx: Tx, kind: LinkKind, tokenHash: Uint8Array): Promise<LinkRow | undefined> {
  const [row] = await tx.db
    .update(oneTimeTokens)
    .set({ usedAt: tx.now })
    .where(usable(kind, tokenHash, tx.now))
    .returning()
  if (row === undefined) return undefined
  const ofTenant = row.tenantId === null ? isNull(oneTimeTokens.tenantId) : eq(oneTimeTokens.tenantId, row.tenantId)
  await tx.db
    .update(oneTimeTokens)
    .set({ data: {} })
    .where(and(ofTenant, eq(oneTimeTokens.id, row.id)))
  return row
}

/** Keeps a link as it is until the transaction knows whether to use it: whoever else would, waits here. */
export async function lockLink(tx: Tx, kind: LinkKind, tokenHash: Uint8Array): Promise<LinkRow | undefined> {
  const [row] = await tx.db
    .select()
    .from(oneTimeTokens)
    .where(usable(kind, tokenHash, tx.now))
    .for('update')
  return row
}

/** Invalidates the unused links of a person. */
export async function replaceLinks(tx: Tx, kind: LinkKind, userId: string, except?: string): Promise<void> {
  await tx.db
    .update(oneTimeTokens)
    .set({ usedAt: tx.now, data: {} })
    .where(
      and(
        eq(oneTimeTokens.userId, userId),
        eq(oneTimeTokens.kind, kind),
        isNull(oneTimeTokens.usedAt),
        except === undefined ? undefined : ne(oneTimeTokens.id, except),
      ),
    )
}
