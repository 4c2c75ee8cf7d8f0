/**
 * Passkeys in PostgreSQL: the challenges of their ceremonies, and their enrolment.
 *
 * @module
 */

import { and, eq, gt, isNotNull, isNull } from 'drizzle-orm'
import type {
  NewPasskeyChallenge,
  PasskeyBeginOutcome,
  PasskeyEnrolOutcome,
  PasskeyOptionsOutcome,
  StepUpActor,
  StepUpStore,
} from '../contract/step-up.ts'
import type { Tx } from './database.ts'
import { mfaFactors, recoveryCodes, stepUpChallenges } from './schema.ts'
import {
  actorColumns,
  hasEnrolled,
  unprovenOf,
  lockBudget,
  mayAct,
  ofActor,
  openSession,
  ownerOf,
  writeCodes,
} from './step-up-rows.ts'

export async function passkeyOptions(tx: Tx, input: StepUpActor & NewPasskeyChallenge): Promise<PasskeyOptionsOutcome> {
  if (!(await mayAct(tx, input))) return { kind: 'session-ended' }
  await lockBudget(tx, input.userId, 'passkey')
  const passkeys = await passkeysOf(tx, input.userId)
  if (passkeys.length === 0) return { kind: 'not-enrolled', others: await hasEnrolled(tx, input.userId) }
  const credentials = passkeys.filter(({ disabledAt }) => disabledAt === null)
  if (credentials.length === 0) return { kind: 'disabled' }
  await writeChallenge(tx, input)
  return { kind: 'begun', credentials }
}

export async function beginPasskey(
  tx: Tx,
  input: Parameters<StepUpStore['beginPasskey']>[0],
): Promise<PasskeyBeginOutcome> {
  const session = await openSession(tx, input)
  if (session === undefined) return { kind: 'session-ended' }
  await lockBudget(tx, input.userId, 'passkey')
  const unproven = await unprovenOf(tx, session, input)
  if (unproven !== undefined) return unproven
  const existing = await passkeysOf(tx, input.userId)
  if (existing.length >= input.most) return { kind: 'too-many' }
  await writeChallenge(tx, input)
  return { kind: 'begun', owner: await ownerOf(tx, input), existing }
}

export async function enrolPasskey(
  tx: Tx,
  input: Parameters<StepUpStore['enrolPasskey']>[0],
): Promise<PasskeyEnrolOutcome> {
  const { userId, factorId, label, purpose } = input
  if ((await openSession(tx, input)) === undefined) return { kind: 'session-ended' }
  await lockBudget(tx, userId, 'passkey')
  const [asked] = await tx.db
    .update(stepUpChallenges)
    .set({ consumedAt: tx.now })
    .where(and(liveChallenge(input, purpose), gt(stepUpChallenges.expiresAt, tx.now)))
    .returning({ challenge: stepUpChallenges.webauthnChallenge })
  if (asked?.challenge == null) return { kind: 'no-challenge' }
  const verified = await input.judge(asked.challenge)
  if (verified === undefined) return { kind: 'wrong' }
  const { credentialId, sealedKey, signCount, transports, backedUp } = verified
  const written = await tx.db
    .insert(mfaFactors)
    .values({
      id: factorId,
      userId,
      type: 'passkey',
      label,
      secret: sealedKey,
      credentialId,
      signCount,
      transports: [...transports],
      backedUp,
      createdAt: tx.now,
      verifiedAt: tx.now,
    })
    .onConflictDoNothing({ target: mfaFactors.credentialId })
    .returning({ id: mfaFactors.id })
  if (written.length === 0) return { kind: 'already-enrolled' }
  await lockBudget(tx, userId, 'recovery_code')
  const codes = await tx.db
    .select({ userId: recoveryCodes.userId })
    .from(recoveryCodes)
    .where(eq(recoveryCodes.userId, userId))
    .limit(1)
  const recoveryCodesWritten = codes.length === 0
  if (recoveryCodesWritten) await writeCodes(tx, userId, input.recoveryCodeHashes)
  return { kind: 'enrolled', owner: await ownerOf(tx, input), recoveryCodesWritten }
}

async function passkeysOf(tx: Tx, userId: string) {
  const rows = await tx.db
    .select({
      credentialId: mfaFactors.credentialId,
      transports: mfaFactors.transports,
      disabledAt: mfaFactors.disabledAt,
    })
    .from(mfaFactors)
    .where(and(eq(mfaFactors.userId, userId), eq(mfaFactors.type, 'passkey'), isNotNull(mfaFactors.verifiedAt)))
  return rows.map(({ credentialId, transports, disabledAt }) => ({
    credentialId: credentialId as string,
    transports: transports ?? [],
    disabledAt,
  }))
}

/** In place of an older one, so that one ceremony of a purpose is underway at a time. */
async function writeChallenge(tx: Tx, input: StepUpActor & NewPasskeyChallenge): Promise<void> {
  await tx.db.delete(stepUpChallenges).where(liveChallenge(input, input.purpose))
  await tx.db.insert(stepUpChallenges).values({
    id: input.challengeId,
    ...actorColumns(input),
    purpose: input.purpose,
    factor: 'passkey',
    webauthnChallenge: input.challenge,
    createdAt: tx.now,
    expiresAt: new Date(tx.now.getTime() + input.ttlMs),
  })
}

function liveChallenge(actor: StepUpActor, purpose: string) {
  return and(
    ofActor(actor),
    eq(stepUpChallenges.purpose, purpose),
    eq(stepUpChallenges.factor, 'passkey'),
    isNotNull(stepUpChallenges.webauthnChallenge),
    isNull(stepUpChallenges.consumedAt),
  )
}
