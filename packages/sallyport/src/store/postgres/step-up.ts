/**
 * Second factors and step-ups in PostgreSQL.
 *
 * The budget row of a (user, factor) is the lock of that factor: every operation here that decides over one takes it first. The
 * order, where more than one is taken: the factor's budget, the recovery codes' budget, then staff, family, tokens and sessions as
 * everywhere, and the user's row last.
 *
 * @module
 */

import { and, asc, count, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { ChallengeId, FactorId } from '../../ids.ts'
import type { AuditOf } from '../contract/audited.ts'
import type {
  EmailCodeFacts,
  EnrolledFactor,
  EnrolledType,
  FactorRemoval,
  FactorType,
  Proof,
  RecoveryCodesReplacement,
  RefusedGuess,
  SignInAttempt,
  SignInOutcome,
  StepUpActor,
  StepUpAttempt,
  StepUpOutcome,
  StepUpSession,
  StepUpStore,
  TotpBeginning,
  TotpBeginOutcome,
  TotpConfirmation,
  TotpConfirmOutcome,
} from '../contract/step-up.ts'
import { insertAudit } from './audit.ts'
import { confirmGeneration } from './confirm-generation.ts'
import { insertChanges } from './changes.ts'
import type { Database, Drizzle, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { endSessions } from './end-sessions.ts'
import { keepUser } from './directory-links.ts'
import { mapDriverError } from './errors.ts'
import { mfaFactors, pendingSignIns, recoveryCodes, stepUpChallenges, tenants, users, userSessions } from './schema.ts'
import { insertSession } from './sessions.ts'
import { keepEmailCode } from './step-up-email-codes.ts'
import { beginPasskey, enrolPasskey, passkeyOptions } from './step-up-passkeys.ts'
import { resetFactors } from './step-up-reset.ts'
import {
  actorColumns,
  factorState,
  hasEnrolled,
  unprovenOf,
  lockBudget,
  ofActor,
  openSession,
  ownerOf,
  waitingSignIn,
  writeBudget,
  writeCodes,
} from './step-up-rows.ts'
import { deviceOfSession, trustDevices } from './trusted-devices.ts'

/**
 * The challenges that count: $1 tenant, $2 session, $3 user, $4 purpose, $5 window in ms, $6 shift of the clock in ms, $7 whether
 * a code by mail does not.
 */
const COUNTING = `tenant_id = $1 and session_id = $2 and user_id = $3 and purpose = $4 and consumed_at is null
  and verified_at > ${nowSql('$6')} - $5::float8 * interval '1 millisecond' and expires_at > ${nowSql('$6')}
  and (not $7::boolean or factor <> 'email_code')`

const PASSED: Statement = {
  name: 'sallyport_step_up_passed',
  text: `select exists (select 1 from step_up_challenges where ${COUNTING}) as passed`,
}

// One that another call is about to consume is passed over, so that two calls and two challenges both go through.
const CONSUME: Statement = {
  name: 'sallyport_step_up_consume',
  text: `update step_up_challenges set consumed_at = ${nowSql('$6')}
    where tenant_id = $1 and consumed_at is null and id = (
      select id from step_up_challenges where ${COUNTING} order by verified_at, id limit 1 for update skip locked)
    returning id`,
}

/** Outcomes after which the list of a person's factors reads otherwise: a wrong guess may have disabled one. */
const CHANGES_FACTORS: ReadonlySet<string> = new Set([
  'verified',
  'wrong',
  'confirmed',
  'enrolled',
  'removed',
  'replaced',
])

export function stepUpStore(database: Database): StepUpStore {
  const audited = <Outcome extends { readonly kind: string }>(
    { userId }: Pick<StepUpSession, 'userId'>,
    work: (tx: Tx) => Promise<Outcome>,
    audit: AuditOf<Outcome>,
  ): Promise<Outcome> =>
    database.transaction(async (tx) => {
      const outcome = await work(tx)
      await insertAudit(tx, audit(outcome, tx.now))
      // What a person is shown of their factors is remembered by the nodes that serve them.
      if (CHANGES_FACTORS.has(outcome.kind)) await insertChanges(tx, [{ tenantId: null, kind: 'user', ref: userId }])
      return outcome
    })
  const counting = (
    input: StepUpSession & {
      readonly purpose: string
      readonly windowMs: number
      readonly strong?: boolean | undefined
    },
  ) => [
    input.tenantId,
    input.sessionId,
    input.userId,
    input.purpose,
    input.windowMs,
    database.clock.offsetMs,
    input.strong === true,
  ]

  return {
    async factors(userId) {
      try {
        const [enrolled, codes] = await Promise.all([
          database.db
            .select({
              id: mfaFactors.id,
              type: mfaFactors.type,
              label: mfaFactors.label,
              createdAt: mfaFactors.createdAt,
              verifiedAt: mfaFactors.verifiedAt,
              lastUsedAt: mfaFactors.lastUsedAt,
              disabledAt: mfaFactors.disabledAt,
            })
            .from(mfaFactors)
            .where(and(eq(mfaFactors.userId, userId), isNotNull(mfaFactors.verifiedAt)))
            .orderBy(asc(mfaFactors.createdAt), asc(mfaFactors.id)),
          database.db
            .select({ total: count(), used: count(recoveryCodes.usedAt) })
            .from(recoveryCodes)
            .where(eq(recoveryCodes.userId, userId)),
        ])
        const { total, used } = codes[0] ?? { total: 0, used: 0 }
        return {
          enrolled: enrolled as unknown as readonly EnrolledFactor[],
          recoveryCodes: { left: total - used, total },
        }
      } catch (error) {
        throw mapDriverError(error, 'factors')
      }
    },

    async emailCodeFacts(of) {
      try {
        return await emailCodeFacts(database.db, of)
      } catch (error) {
        throw mapDriverError(error, 'email code facts')
      }
    },

    verify: (attempt, audit) => audited(attempt, (tx) => verify(tx, attempt), audit),

    holdSignIn: ({ ttlMs, ...pending }, audit) =>
      database.transaction(async (tx) => {
        // Of one who is being deleted no row comes after their last; the sign-in is over before it goes on.
        if (await keepUser(tx, pending.userId)) {
          await tx.db
            .insert(pendingSignIns)
            .values({ ...pending, createdAt: tx.now, expiresAt: new Date(tx.now.getTime() + ttlMs) })
        }
        await insertAudit(tx, audit(undefined, tx.now))
      }),

    completeSignIn: (attempt, audit) => audited(attempt, (tx) => completeSignIn(tx, attempt), audit),
    passkeyOptions: (input) => database.transaction((tx) => passkeyOptions(tx, input)),
    beginPasskey: (input, audit) => audited(input, (tx) => beginPasskey(tx, input), audit),
    enrolPasskey: (input, audit) => audited(input, (tx) => enrolPasskey(tx, input), audit),
    keepEmailCode: (input, audit) => audited(input, (tx) => keepEmailCode(tx, input), audit),

    resetFactors: (input, audit) =>
      database.transaction(async (tx) => {
        const outcome = await resetFactors(tx, input)
        if (outcome === undefined) return undefined
        await insertAudit(tx, audit(outcome, tx.now))
        return outcome
      }),

    async passed(input) {
      const [row] = await database.run<{ passed: boolean }>(PASSED, counting(input))
      return row?.passed === true
    },

    async consume(input) {
      return (await database.run(CONSUME, counting(input))).length === 1
    },

    beginTotp: (beginning, audit) => audited(beginning, (tx) => beginTotp(tx, beginning), audit),
    confirmTotp: (confirmation, audit) => audited(confirmation, (tx) => confirmTotp(tx, confirmation), audit),
    removeFactor: (input, audit) => audited(input, (tx) => removeFactor(tx, input), audit),
    replaceRecoveryCodes: (input, audit) => audited(input, (tx) => replaceCodes(tx, input), audit),

    takeGuess: (input) =>
      database.transaction(async (tx) => {
        const { userId, guessed, guesses } = input
        if ((await openSession(tx, input)) === undefined) return { kind: 'session-ended' }
        const budget = await lockBudget(tx, userId, guessed)
        const retryAfterMs = guesses.blockedForMs(budget, tx.now)
        if (retryAfterMs !== undefined) return { kind: 'blocked', retryAfterMs }
        await writeBudget(tx, userId, guessed, guesses.failed(budget, tx.now))
        return { kind: 'taken', at: tx.now }
      }),

    returnGuess: ({ userId, guessed, guesses, takenAt }) =>
      database.transaction(async (tx) => {
        const { failures, consecutive } = await lockBudget(tx, userId, guessed)
        // One alone, though another may have been taken in the same millisecond.
        const taken = failures.findIndex((at) => at.getTime() === takenAt.getTime())
        const kept = failures.filter((_, index) => index !== taken)
        await writeBudget(tx, userId, guessed, guesses.passed({ failures: kept, consecutive }, tx.now))
      }),
  }
}

async function verify(tx: Tx, attempt: StepUpAttempt): Promise<StepUpOutcome> {
  if ((await openSession(tx, attempt)) === undefined) return { kind: 'session-ended' }
  const judged = await judge(tx, attempt)
  if (judged.kind !== 'right') return judged

  const expiresAt = await writePassed(tx, attempt, {
    ...actorColumns(attempt),
    ...(attempt.waiting !== undefined && { presented: attempt.waiting.presented, device: attempt.waiting.device }),
  })
  await confirmGeneration(tx, attempt)
  if (attempt.waiting !== undefined) await endWait(tx, attempt)
  await trustOf(tx, attempt)
  await tx.db.update(users).set({ lastMfaAt: tx.now }).where(eq(users.id, attempt.userId))
  return { kind: 'verified', verifiedAt: tx.now, expiresAt, ...judged.claim }
}

async function completeSignIn(tx: Tx, attempt: SignInAttempt): Promise<SignInOutcome> {
  // Held from here on: a second factor that is given beside this one finds the sign-in over, and spends no code.
  const waited = await waitingSignIn(tx, attempt)
  if (waited === undefined) return { kind: 'session-ended' }
  const judged = await judge(tx, attempt)
  if (judged.kind !== 'right') return judged

  const consumed = await tx.db
    .update(pendingSignIns)
    .set({ consumedAt: tx.now })
    .where(
      and(
        eq(pendingSignIns.tenantId, attempt.tenantId),
        eq(pendingSignIns.id, attempt.signInId),
        isNull(pendingSignIns.consumedAt),
      ),
    )
    .returning({ id: pendingSignIns.id })
  if (consumed.length === 0) return { kind: 'session-ended' }
  const creation = await insertSession(tx, attempt.sessionFor(waited))
  if (creation.kind === 'rapid') return { ...creation, waited }
  if (creation.kind !== 'created') return { kind: 'not-enabled' }
  const { session } = creation
  await trustOf(tx, { tenantId: attempt.tenantId, sessionId: session.id, trust: attempt.trust })
  const expiresAt = await writePassed(tx, attempt, { ...actorColumns(attempt), sessionId: session.id })
  const user = await ownerOf(tx, attempt)
  await tx.db.update(users).set({ lastMfaAt: tx.now }).where(eq(users.id, attempt.userId))
  return { kind: 'verified', verifiedAt: tx.now, expiresAt, session, waited, user, ...judged.claim }
}

type Judged =
  | { readonly kind: 'right'; readonly claim: Claim }
  | RefusedGuess
  | Extract<StepUpOutcome, { readonly kind: 'not-enrolled' | 'disabled' | 'too-weak' }>

type Attempt = StepUpActor & Pick<StepUpAttempt, 'purpose' | 'proof' | 'guesses'>

/** One guess, under the lock of its budget: looked at or not, counted or not, and its code taken. */
async function judge(tx: Tx, attempt: Attempt): Promise<Judged> {
  const { userId, proof, guesses } = attempt
  const budget = await lockBudget(tx, userId, proof.factor)
  const target = await targetOf(tx, attempt, proof)
  if (target === 'disabled') return { kind: 'disabled' }
  if (target === 'too-weak') return { kind: 'too-weak' }
  if (target === undefined) return { kind: 'not-enrolled', others: await hasEnrolled(tx, userId) }

  const retryAfterMs = guesses.blockedForMs(budget, tx.now)
  if (retryAfterMs !== undefined) return { kind: 'blocked', retryAfterMs }

  const claim = await target()
  if (claim === 'nothing-asked') return { kind: 'wrong', disabled: null }
  if (claim === undefined) {
    const after = guesses.failed(budget, tx.now)
    await writeBudget(tx, userId, proof.factor, after)
    // A code by mail dies after a few tries of its own, so that a row of wrong ones is never about one secret.
    if (proof.factor === 'email_code' || !guesses.exhausted(after)) return { kind: 'wrong', disabled: null }
    await disable(tx, attempt, proof.factor)
    return { kind: 'wrong', disabled: await ownerOf(tx, attempt) }
  }
  await writeBudget(tx, userId, proof.factor, guesses.passed(budget, tx.now))
  return { kind: 'right', claim }
}

async function writePassed(
  tx: Tx,
  attempt: StepUpActor & Omit<SignInAttempt, 'sessionFor' | 'signInId'>,
  columns: Partial<typeof stepUpChallenges.$inferInsert>,
): Promise<Date> {
  const expiresAt = new Date(tx.now.getTime() + attempt.windowMs)
  await tx.db.insert(stepUpChallenges).values({
    id: attempt.challengeId,
    tenantId: attempt.tenantId,
    userId: attempt.userId,
    ...columns,
    purpose: attempt.purpose,
    factor: attempt.proof.factor,
    createdAt: tx.now,
    verifiedAt: tx.now,
    expiresAt,
    ipAddress: attempt.ipAddress,
    userAgent: attempt.userAgent,
  })
  return expiresAt
}

async function trustOf(
  tx: Tx,
  { tenantId, sessionId, trust }: Pick<StepUpAttempt, 'tenantId' | 'sessionId' | 'trust'>,
): Promise<void> {
  const known = trust && (await deviceOfSession(tx, { tenantId, sessionId }))
  if (trust === undefined || known === undefined) return
  await trustDevices(tx, {
    tenantId,
    staffId: known.staffId,
    digests: trust.digests ?? known.digests,
    forMs: trust.forMs,
  })
}

/** The session goes on, on every node. */
async function endWait(tx: Tx, { tenantId, sessionId }: StepUpSession): Promise<void> {
  await tx.db
    .update(userSessions)
    .set({ stepUpRequiredAt: null, stepUpRisk: null })
    .where(and(eq(userSessions.tenantId, tenantId), eq(userSessions.id, sessionId)))
  await insertChanges(tx, [{ tenantId, kind: 'session', ref: sessionId }])
}

/** What a right code took. */
interface Claim {
  readonly factorId: FactorId | null
  readonly recoveryCodesLeft: number | null
}

/**
 * Takes a code. Resolves to `undefined` where it is wrong, and to `nothing-asked` where no code and no assertion was asked for
 * that it could be an answer to.
 */
type Target = () => Promise<Claim | 'nothing-asked' | undefined>

/** Finds what a code is to be held against. */
function targetOf(tx: Tx, actor: Attempt, proof: Proof): Promise<Target | 'disabled' | 'too-weak' | undefined> {
  switch (proof.factor) {
    case 'totp':
      return totpTarget(tx, actor.userId, proof)
    case 'passkey':
      return passkeyTarget(tx, actor, proof)
    case 'recovery_code':
      return recoveryCodeTarget(tx, actor.userId, proof)
    case 'email_code':
      return emailCodeTarget(tx, actor, proof)
  }
}

async function totpTarget(
  tx: Tx,
  userId: string,
  { stepOf }: Extract<Proof, { readonly factor: 'totp' }>,
): Promise<Target | 'disabled' | undefined> {
  const factor = (await totpOf(tx, userId)).find(({ verifiedAt }) => verifiedAt !== null)
  if (factor === undefined) return undefined
  if (factor.disabledAt !== null) return 'disabled'
  return async () => {
    const step = stepOf(stored(factor), tx.now)
    if (step === undefined) return undefined
    const [used] = await tx.db
      .update(mfaFactors)
      .set({ lastUsedStep: step, lastUsedAt: tx.now })
      .where(
        and(
          eq(mfaFactors.id, factor.id),
          isNull(mfaFactors.disabledAt),
          // At or below: the same code again, or an older one after a newer.
          or(isNull(mfaFactors.lastUsedStep), lt(mfaFactors.lastUsedStep, step)),
        ),
      )
      .returning({ id: mfaFactors.id })
    return used && { factorId: used.id as FactorId, recoveryCodesLeft: null }
  }
}

async function recoveryCodeTarget(
  tx: Tx,
  userId: string,
  { codeHash }: Extract<Proof, { readonly factor: 'recovery_code' }>,
): Promise<Target | undefined> {
  const codes = await tx.db
    .select({ usedAt: recoveryCodes.usedAt })
    .from(recoveryCodes)
    .where(eq(recoveryCodes.userId, userId))
  if (codes.length === 0) return undefined
  const left = codes.filter(({ usedAt }) => usedAt === null).length
  return async () => {
    if (codeHash === undefined) return undefined
    const used = await tx.db
      .update(recoveryCodes)
      .set({ usedAt: tx.now })
      .where(
        and(
          eq(recoveryCodes.userId, userId),
          eq(recoveryCodes.codeHash, Buffer.from(codeHash)),
          isNull(recoveryCodes.usedAt),
        ),
      )
      .returning({ userId: recoveryCodes.userId })
    return used.length === 0 ? undefined : { factorId: null, recoveryCodesLeft: left - 1 }
  }
}

async function passkeyTarget(
  tx: Tx,
  actor: Attempt,
  { credentialId, judge: judgeAssertion }: Extract<Proof, { readonly factor: 'passkey' }>,
): Promise<Target | 'disabled' | undefined> {
  const state = await factorState(tx, actor.userId, 'passkey')
  if (state !== 'usable') return state
  return async () => {
    // Spent by whatever answers it, right or wrong.
    const [asked] = await tx.db
      .update(stepUpChallenges)
      .set({ consumedAt: tx.now })
      .where(
        and(
          ofActor(actor),
          eq(stepUpChallenges.purpose, actor.purpose),
          eq(stepUpChallenges.factor, 'passkey'),
          isNotNull(stepUpChallenges.webauthnChallenge),
          isNull(stepUpChallenges.consumedAt),
          gt(stepUpChallenges.expiresAt, tx.now),
        ),
      )
      .returning({ challenge: stepUpChallenges.webauthnChallenge })
    if (asked?.challenge == null) return 'nothing-asked'
    if (credentialId === undefined) return undefined
    const [passkey] = await tx.db
      .select()
      .from(mfaFactors)
      .where(
        and(
          eq(mfaFactors.userId, actor.userId),
          eq(mfaFactors.type, 'passkey'),
          eq(mfaFactors.credentialId, credentialId),
          isNotNull(mfaFactors.verifiedAt),
          isNull(mfaFactors.disabledAt),
        ),
      )
    if (passkey?.secret == null) return undefined
    const use = await judgeAssertion(
      {
        factorId: passkey.id as FactorId,
        credentialId,
        sealedKey: passkey.secret,
        signCount: passkey.signCount ?? 0,
        transports: passkey.transports ?? [],
      },
      asked.challenge,
    )
    if (use === undefined) return undefined
    await tx.db
      .update(mfaFactors)
      .set({ signCount: use.signCount, backedUp: use.backedUp, lastUsedAt: tx.now })
      .where(eq(mfaFactors.id, passkey.id))
    return { factorId: passkey.id as FactorId, recoveryCodesLeft: null }
  }
}

async function emailCodeTarget(
  tx: Tx,
  actor: Attempt,
  { matches, onlyWithoutEnrolled, tries }: Extract<Proof, { readonly factor: 'email_code' }>,
): Promise<Target | 'too-weak'> {
  const { address, switchedOn } = await emailCodeFacts(tx.db, actor)
  if (!address || !switchedOn) return 'too-weak'
  if (onlyWithoutEnrolled && (await hasEnrolled(tx, actor.userId))) return 'too-weak'
  return async () => {
    const [sent] = await tx.db
      .select({ id: stepUpChallenges.id, codeHash: stepUpChallenges.codeHash, tries: stepUpChallenges.tries })
      .from(stepUpChallenges)
      .where(
        and(
          ofActor(actor),
          eq(stepUpChallenges.purpose, actor.purpose),
          eq(stepUpChallenges.factor, 'email_code'),
          isNotNull(stepUpChallenges.codeHash),
          isNull(stepUpChallenges.consumedAt),
          gt(stepUpChallenges.expiresAt, tx.now),
        ),
      )
    if (sent?.codeHash == null) return 'nothing-asked'
    const right = matches({ challengeId: sent.id as ChallengeId, codeHash: sent.codeHash })
    const guessed = sent.tries + 1
    await tx.db
      .update(stepUpChallenges)
      .set({ tries: guessed, ...((right || guessed >= tries) && { consumedAt: tx.now }) })
      .where(and(eq(stepUpChallenges.tenantId, actor.tenantId), eq(stepUpChallenges.id, sent.id)))
    return right ? { factorId: null, recoveryCodesLeft: null } : undefined
  }
}

async function emailCodeFacts(
  db: Drizzle,
  { tenantId, userId }: Pick<StepUpActor, 'tenantId' | 'userId'>,
): Promise<EmailCodeFacts> {
  const [row] = await db
    .select({ email: users.email, emailCodes: sql<string | null>`${tenants.settings} #>> '{stepUp,emailCodes}'` })
    .from(users)
    .innerJoin(tenants, eq(tenants.id, tenantId))
    .where(eq(users.id, userId))
  return { address: row?.email != null, switchedOn: row !== undefined && row.emailCodes !== 'false' }
}

/** A disabled app stays, and counts as enrolled; recovery codes that were guessed at this often are none any more. */
async function disable(tx: Tx, { userId }: StepUpActor, factor: FactorType): Promise<void> {
  if (factor === 'recovery_code') {
    await tx.db.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId))
    return
  }
  await tx.db
    .update(mfaFactors)
    .set({ disabledAt: tx.now })
    .where(
      and(
        eq(mfaFactors.userId, userId),
        eq(mfaFactors.type, factor as EnrolledType),
        isNotNull(mfaFactors.verifiedAt),
        isNull(mfaFactors.disabledAt),
      ),
    )
}

async function beginTotp(tx: Tx, beginning: TotpBeginning): Promise<TotpBeginOutcome> {
  const { userId } = beginning
  const session = await openSession(tx, beginning)
  if (session === undefined) return { kind: 'session-ended' }
  await lockBudget(tx, userId, 'totp')
  if ((await totpOf(tx, userId)).some(({ verifiedAt }) => verifiedAt !== null)) return { kind: 'already-enrolled' }
  const unproven = await unprovenOf(tx, session, beginning)
  if (unproven !== undefined) return unproven
  await tx.db
    .delete(mfaFactors)
    .where(and(eq(mfaFactors.userId, userId), eq(mfaFactors.type, 'totp'), isNull(mfaFactors.verifiedAt)))
  await tx.db.insert(mfaFactors).values({
    id: beginning.factorId,
    userId,
    type: 'totp',
    label: beginning.label,
    secret: beginning.sealedSecret,
    createdAt: tx.now,
  })
  return { kind: 'begun', owner: await ownerOf(tx, beginning) }
}

async function confirmTotp(tx: Tx, confirmation: TotpConfirmation): Promise<TotpConfirmOutcome> {
  const { userId, factorId, guesses } = confirmation
  if ((await openSession(tx, confirmation)) === undefined) return { kind: 'session-ended' }
  const budget = await lockBudget(tx, userId, 'totp')
  const factors = await totpOf(tx, userId)
  if (factors.some(({ verifiedAt }) => verifiedAt !== null)) return { kind: 'already-enrolled' }
  const factor = factors.find(({ id }) => id === factorId)
  if (factor === undefined) return { kind: 'unknown' }

  const retryAfterMs = guesses.blockedForMs(budget, tx.now)
  if (retryAfterMs !== undefined) return { kind: 'blocked', retryAfterMs }
  const step = confirmation.stepOf(stored(factor), tx.now)
  if (step === undefined) {
    await writeBudget(tx, userId, 'totp', guesses.failed(budget, tx.now))
    return { kind: 'wrong', disabled: null }
  }

  await writeBudget(tx, userId, 'totp', guesses.passed(budget, tx.now))
  const confirmed = await tx.db
    .update(mfaFactors)
    .set({ verifiedAt: tx.now, lastUsedAt: tx.now, lastUsedStep: step })
    .where(and(eq(mfaFactors.id, factorId), eq(mfaFactors.userId, userId), isNull(mfaFactors.verifiedAt)))
    .returning({ id: mfaFactors.id })
  if (confirmed.length === 0) return { kind: 'already-enrolled' }
  await lockBudget(tx, userId, 'recovery_code')
  await writeCodes(tx, userId, confirmation.recoveryCodeHashes)
  return { kind: 'confirmed', owner: await ownerOf(tx, confirmation) }
}

async function removeFactor(tx: Tx, input: StepUpSession & { readonly factorId: FactorId }): Promise<FactorRemoval> {
  const { userId, factorId, sessionId } = input
  if ((await openSession(tx, input)) === undefined) return { kind: 'session-ended' }
  const mine = and(eq(mfaFactors.id, factorId), eq(mfaFactors.userId, userId), isNotNull(mfaFactors.verifiedAt))
  const [factor] = await tx.db.select({ type: mfaFactors.type }).from(mfaFactors).where(mine)
  if (factor === undefined) return { kind: 'unknown' }
  const type = factor.type as EnrolledType
  await lockBudget(tx, userId, type)
  const removed = await tx.db.delete(mfaFactors).where(mine).returning({ id: mfaFactors.id })
  if (removed.length === 0) return { kind: 'unknown' }
  const last = !(await hasEnrolled(tx, userId))
  if (last) {
    await lockBudget(tx, userId, 'recovery_code')
    await tx.db.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId))
  }
  const ended = await endSessions(
    tx,
    { of: 'user', userId },
    { reason: 'factor_changed', revokedBy: userId, exceptSessionId: sessionId, bumpVersion: false },
  )
  return {
    kind: 'removed',
    type,
    last,
    ended: ended ?? { sessions: [], versions: [] },
    owner: await ownerOf(tx, input),
  }
}

async function replaceCodes(
  tx: Tx,
  input: StepUpSession & { readonly codeHashes: readonly Uint8Array[] },
): Promise<RecoveryCodesReplacement> {
  const { userId } = input
  if ((await openSession(tx, input)) === undefined) return { kind: 'session-ended' }
  await lockBudget(tx, userId, 'recovery_code')
  if (!(await hasEnrolled(tx, userId))) return { kind: 'no-factor' }
  const unusedBefore = await writeCodes(tx, userId, input.codeHashes)
  return { kind: 'replaced', unusedBefore, owner: await ownerOf(tx, input) }
}

/** The person's authenticator apps, confirmed or not. */
function totpOf(tx: Tx, userId: string) {
  return tx.db
    .select({
      id: mfaFactors.id,
      secret: mfaFactors.secret,
      verifiedAt: mfaFactors.verifiedAt,
      disabledAt: mfaFactors.disabledAt,
    })
    .from(mfaFactors)
    .where(and(eq(mfaFactors.userId, userId), eq(mfaFactors.type, 'totp')))
}

function stored({ id, secret }: { readonly id: string; readonly secret: string | null }) {
  if (secret === null) throw new TypeError('step-up: an authenticator app without a secret')
  return { factorId: id as FactorId, sealedSecret: secret }
}
