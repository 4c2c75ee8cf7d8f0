/**
 * Codes by mail in PostgreSQL: kept as hashes, one live at a time, and not too many.
 *
 * @module
 */

import { and, asc, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm'
import type { EmailCodeOutcome, StepUpStore } from '../contract/step-up.ts'
import type { Tx } from './database.ts'
import { stepUpChallenges, tenants } from './schema.ts'
import { actorColumns, hasEnrolled, lockBudget, mayAct, ownerOf } from './step-up-rows.ts'

export async function keepEmailCode(
  tx: Tx,
  input: Parameters<StepUpStore['keepEmailCode']>[0],
): Promise<EmailCodeOutcome> {
  const { tenantId, userId, purpose } = input
  if (!(await mayAct(tx, input))) return { kind: 'session-ended' }
  const budget = await lockBudget(tx, userId, 'email_code')
  const owner = await ownerOf(tx, input)
  const [tenant] = await tx.db
    .select({ emailCodes: sql<string | null>`${tenants.settings} #>> '{stepUp,emailCodes}'` })
    .from(tenants)
    .where(eq(tenants.id, tenantId))
  if (owner.email === null || tenant === undefined || tenant.emailCodes === 'false') return { kind: 'unavailable' }
  if (input.onlyWithoutEnrolled && (await hasEnrolled(tx, userId))) return { kind: 'stronger-enrolled' }

  // A code that could not be tried is not worth a mail.
  const blockedForMs = input.guesses.blockedForMs(budget, tx.now)
  if (blockedForMs !== undefined) return { kind: 'blocked', retryAfterMs: blockedForMs }
  const since = new Date(tx.now.getTime() - input.withinMs)
  const ofUser = and(
    eq(stepUpChallenges.userId, userId),
    eq(stepUpChallenges.factor, 'email_code'),
    isNotNull(stepUpChallenges.codeHash),
  )
  // Those to the person, whatever tenant, session or sign-in asked: the mailbox is one.
  const sent = await tx.db
    .select({ at: stepUpChallenges.createdAt })
    .from(stepUpChallenges)
    .where(and(ofUser, gt(stepUpChallenges.createdAt, since)))
    .orderBy(asc(stepUpChallenges.createdAt))
  const deciding = sent[sent.length - input.most]
  if (deciding !== undefined) {
    return { kind: 'blocked', retryAfterMs: deciding.at.getTime() + input.withinMs - tx.now.getTime() }
  }

  await tx.db
    .update(stepUpChallenges)
    .set({ consumedAt: tx.now })
    .where(and(ofUser, eq(stepUpChallenges.purpose, purpose), isNull(stepUpChallenges.consumedAt)))
  await tx.db.insert(stepUpChallenges).values({
    id: input.challengeId,
    ...actorColumns(input),
    purpose,
    factor: 'email_code',
    codeHash: Buffer.from(input.codeHash),
    createdAt: tx.now,
    expiresAt: new Date(tx.now.getTime() + input.ttlMs),
  })
  return { kind: 'kept', owner }
}
