/**
 * What every operation on second factors looks up and locks: the one who acts, the budget of guesses, the owner, the codes.
 *
 * @module
 */

import { and, eq, gt, isNotNull, isNull } from 'drizzle-orm'
import type {
  FactorOwner,
  FactorType,
  GuessBudget,
  Guessed,
  PendingSignIn,
  StepUpActor,
  EnrolmentProof,
  StepUpSession,
  Unproven,
  WaitingSignIn,
} from '../contract/step-up.ts'
import type { Tx } from './database.ts'
import {
  guessBudgets,
  mfaFactors,
  pendingSignIns,
  recoveryCodes,
  stepUpChallenges,
  userSessions,
  users,
} from './schema.ts'

/** The acting session, where it is one of the person's own and goes on. */
export async function openSession(
  tx: Tx,
  { tenantId, userId, sessionId }: StepUpSession,
): Promise<{ readonly authTime: Date } | undefined> {
  const [session] = await tx.db
    .select({ authTime: userSessions.authTime })
    .from(userSessions)
    .where(
      and(
        eq(userSessions.tenantId, tenantId),
        eq(userSessions.id, sessionId),
        eq(userSessions.userId, userId),
        eq(userSessions.kind, 'login'),
        isNull(userSessions.revokedAt),
        gt(userSessions.expiresAt, tx.now),
      ),
    )
  return session
}

/** The sign-in, where it still waits, held until the transaction ends: whatever is given for it is judged one after the other. */
export async function waitingSignIn(
  tx: Tx,
  { tenantId, userId, signInId }: WaitingSignIn,
): Promise<PendingSignIn | undefined> {
  const [row] = await tx.db
    .select()
    .from(pendingSignIns)
    .where(
      and(
        eq(pendingSignIns.id, signInId),
        eq(pendingSignIns.tenantId, tenantId),
        eq(pendingSignIns.userId, userId),
        isNull(pendingSignIns.consumedAt),
        gt(pendingSignIns.expiresAt, tx.now),
      ),
    )
    .for('no key update')
  return row as unknown as PendingSignIn | undefined
}

/** Whether the one who acts still may. */
export async function mayAct(tx: Tx, actor: StepUpActor): Promise<boolean> {
  const found = 'signInId' in actor ? await waitingSignIn(tx, actor) : await openSession(tx, actor)
  return found !== undefined
}

/** The challenges of this one session or sign-in: a challenge of another is none. */
export function ofActor(actor: StepUpActor) {
  return and(
    eq(stepUpChallenges.tenantId, actor.tenantId),
    eq(stepUpChallenges.userId, actor.userId),
    'signInId' in actor
      ? eq(stepUpChallenges.signInId, actor.signInId)
      : and(eq(stepUpChallenges.sessionId, actor.sessionId), isNull(stepUpChallenges.signInId)),
  )
}

/** The columns of a challenge that say whose it is. */
export function actorColumns(actor: StepUpActor) {
  const { tenantId, userId } = actor
  return 'signInId' in actor
    ? { tenantId, userId, sessionId: null, signInId: actor.signInId }
    : { tenantId, userId, sessionId: actor.sessionId, signInId: null }
}

/** Reads the budget and holds its row until the transaction ends. */
export async function lockBudget(tx: Tx, userId: string, factor: Guessed): Promise<GuessBudget> {
  const [row] = await tx.db
    .insert(guessBudgets)
    .values({ userId, factor, updatedAt: tx.now })
    .onConflictDoUpdate({ target: [guessBudgets.userId, guessBudgets.factor], set: { updatedAt: tx.now } })
    .returning({ failures: guessBudgets.failures, consecutive: guessBudgets.consecutive })
  if (row === undefined) throw new TypeError('step-up: a budget answered no row')
  return row
}

export async function writeBudget(tx: Tx, userId: string, factor: Guessed, budget: GuessBudget): Promise<void> {
  await tx.db
    .update(guessBudgets)
    .set({ failures: [...budget.failures], consecutive: budget.consecutive })
    .where(and(eq(guessBudgets.userId, userId), eq(guessBudgets.factor, factor)))
}

export async function hasEnrolled(tx: Tx, userId: string): Promise<boolean> {
  const rows = await tx.db
    .select({ id: mfaFactors.id })
    .from(mfaFactors)
    .where(and(eq(mfaFactors.userId, userId), isNotNull(mfaFactors.verifiedAt)))
    .limit(1)
  return rows.length > 0
}

/** Whether what was shown of who enrols a factor does not do: a first one needs the password or a young sign-in, a further one a step-up. */
export async function unprovenOf(
  tx: Tx,
  { authTime }: { readonly authTime: Date },
  { userId, steppedUp, passwordProven, signInWithinMs }: StepUpSession & EnrolmentProof,
): Promise<Unproven | undefined> {
  if (await hasEnrolled(tx, userId)) return steppedUp ? undefined : { kind: 'step-up-required' }
  if (passwordProven || tx.now.getTime() - authTime.getTime() <= signInWithinMs) return undefined
  return { kind: 'sign-in-too-old' }
}

/** Whether the person has confirmed a factor of this type, and whether one of them is still good. */
export async function factorState(
  tx: Tx,
  userId: string,
  type: FactorType,
): Promise<'usable' | 'disabled' | undefined> {
  const rows = await tx.db
    .select({ disabledAt: mfaFactors.disabledAt })
    .from(mfaFactors)
    .where(and(eq(mfaFactors.userId, userId), eq(mfaFactors.type, type as never), isNotNull(mfaFactors.verifiedAt)))
  if (rows.length === 0) return undefined
  return rows.some(({ disabledAt }) => disabledAt === null) ? 'usable' : 'disabled'
}

export async function ownerOf(tx: Tx, { userId }: { readonly userId: string }): Promise<FactorOwner> {
  const [owner] = await tx.db.select({ email: users.email, name: users.name }).from(users).where(eq(users.id, userId))
  if (owner === undefined) throw new TypeError('step-up: a session of nobody')
  return owner
}

/** Under the lock of the recovery codes' budget. New codes begin a new row of wrong ones; the windows go on. */
export async function writeCodes(tx: Tx, userId: string, hashes: readonly Uint8Array[]): Promise<number> {
  const before = await tx.db
    .delete(recoveryCodes)
    .where(eq(recoveryCodes.userId, userId))
    .returning({ usedAt: recoveryCodes.usedAt })
  await tx.db
    .insert(recoveryCodes)
    .values(hashes.map((hash) => ({ userId, codeHash: Buffer.from(hash), createdAt: tx.now })))
  await tx.db
    .update(guessBudgets)
    .set({ consecutive: 0 })
    .where(and(eq(guessBudgets.userId, userId), eq(guessBudgets.factor, 'recovery_code')))
  return before.filter(({ usedAt }) => usedAt === null).length
}
