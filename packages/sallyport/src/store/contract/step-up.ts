/**
 * The port of second factors and step-ups, in whole atomic operations.
 *
 * @module
 */

import type { ChallengeId, FactorId, SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import type { AuditOf } from './audited.ts'
import type { EndedSessions } from './ended-sessions.ts'
import type { NewSession, SessionRow } from './sessions.ts'

/** What a step-up can be passed with. */
export const FACTOR_TYPES = ['totp', 'passkey', 'recovery_code', 'email_code'] as const
export type FactorType = (typeof FACTOR_TYPES)[number]

/** What is enrolled as a thing of its own; recovery codes come with the first of these. */
export type EnrolledType = Extract<FactorType, 'totp' | 'passkey'>

/** A factor that a person confirmed. Nothing secret is in it. */
export interface EnrolledFactor {
  readonly id: FactorId
  readonly type: EnrolledType
  readonly label: string
  readonly createdAt: Date
  readonly verifiedAt: Date
  readonly lastUsedAt: Date | null
  /** Set once it was guessed at too often: it still counts as enrolled, and opens nothing. */
  readonly disabledAt: Date | null
}

/** All that a person has enrolled, oldest first. Factors that were never confirmed are not among them. */
export interface Factors {
  readonly enrolled: readonly EnrolledFactor[]
  readonly recoveryCodes: {
    /** Still unused. */
    readonly left: number
    readonly total: number
  }
}

/** What decides, besides the person's factors, whether a code may come by mail. */
export interface EmailCodeFacts {
  /** The person has an address. */
  readonly address: boolean
  /** The tenant has not switched it off. */
  readonly switchedOn: boolean
}

/** Whom to tell of a change of factors. */
export interface FactorOwner {
  readonly email: string | null
  readonly name: string
}

/** What a budget of guesses is kept for: the factors, and the password where it is asked for again within a session. */
export type Guessed = FactorType | 'password'

/** The wrong guesses at one (user, factor), shared by all sessions, challenges and nodes. */
export interface GuessBudget {
  /** The moments of those that some window still counts, oldest first. */
  readonly failures: readonly Date[]
  /** Since the last right one. */
  readonly consecutive: number
}

/** How guesses are limited. Pure functions: a store calls them inside its transaction and holds no number of its own. */
export interface GuessRules {
  /** How long until the next guess may be looked at; `undefined` when it may be now. */
  blockedForMs(budget: GuessBudget, now: Date): number | undefined
  /** The budget after one more wrong guess. */
  failed(budget: GuessBudget, now: Date): GuessBudget
  /** The budget after a right one. */
  passed(budget: GuessBudget, now: Date): GuessBudget
  /** Whether the factor is to be disabled. */
  exhausted(budget: GuessBudget): boolean
}

/** A stored authenticator app. */
export interface StoredTotp {
  readonly factorId: FactorId
  readonly sealedSecret: string
}

/** Finds the time step that a presented code belongs to; `undefined` when it belongs to none that is accepted at `now`. Pure. */
export type TotpStepOf = (stored: StoredTotp, now: Date) => number | undefined

/** A stored passkey. The public key is sealed to its row, so that nobody but this server can have written it. */
export interface StoredPasskey {
  readonly factorId: FactorId
  readonly credentialId: string
  readonly sealedKey: string
  readonly signCount: number
  readonly transports: readonly string[]
}

/** What a right assertion says of the passkey from now on. */
export interface PasskeyUse {
  readonly signCount: number
  readonly backedUp: boolean
}

/**
 * Judges an assertion by the stored passkey and the challenge that was handed out; `undefined` where it is wrong. It computes
 * and reads nothing, so that it can be awaited inside a transaction.
 */
export type PasskeyJudge = (stored: StoredPasskey, challenge: string) => Promise<PasskeyUse | undefined>

/** Holds a code that came by mail against what is kept of the one that was sent. Pure. */
export type EmailCodeMatch = (stored: { readonly challengeId: ChallengeId; readonly codeHash: Uint8Array }) => boolean

/** What a client presented, in the form that the store can hold it against what it keeps. */
export type Proof =
  | { readonly factor: 'totp'; readonly stepOf: TotpStepOf }
  /** Without a credential where the assertion has not the form of one. */
  | { readonly factor: 'passkey'; readonly credentialId: string | undefined; readonly judge: PasskeyJudge }
  | {
      readonly factor: 'email_code'
      readonly matches: EmailCodeMatch
      /** Whether the purpose is one that a code by mail opens only to those who have nothing better. */
      readonly onlyWithoutEnrolled: boolean
      /** The wrong guesses that one code survives. */
      readonly tries: number
    }
  /** Without a hash where the code has not the form of one: wrong, and counted as such. */
  | { readonly factor: 'recovery_code'; readonly codeHash: Uint8Array | undefined }

/** The session that acts, and its person. */
export interface StepUpSession {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly sessionId: SessionId
}

/** A sign-in that waits for a second factor: the password was right, and there is no session yet. */
export interface WaitingSignIn {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly signInId: ChallengeId
}

/** Who steps up. */
export type StepUpActor = StepUpSession | WaitingSignIn

interface Attempt {
  readonly challengeId: ChallengeId
  readonly purpose: string
  /** How long the purpose is open after a right code. */
  readonly windowMs: number
  readonly proof: Proof
  readonly guesses: GuessRules
  readonly ipAddress: string | null
  readonly userAgent: string | null
  /**
   * How long the device is trusted once this is passed, and the digests of the device; without them it is the one that the session
   * is known by.
   */
  readonly trust?: { readonly forMs: number; readonly digests?: readonly string[] | undefined } | undefined
}

export interface StepUpAttempt extends StepUpSession, Attempt {
  /**
   * Set where the session waits since its risk was seen: what the step-up is bound to. It MUST then be written with the passed
   * challenge, and the session MUST stop waiting in the same transaction.
   */
  readonly waiting?: { readonly presented: string; readonly device: string } | undefined
}

export interface SignInAttempt extends WaitingSignIn, Attempt {
  /** The session to start, made from what the sign-in wished for. Pure. */
  readonly sessionFor: (waiting: PendingSignIn) => NewSession
}

/** What is kept of a sign-in while it waits. */
export interface PendingSignIn {
  readonly id: ChallengeId
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
  /** As it was given; the store does not look into it. */
  readonly wish: unknown
}

/** A challenge of a ceremony with a passkey. */
export interface NewPasskeyChallenge {
  readonly challengeId: ChallengeId
  readonly purpose: string
  /** Base64url of the random bytes. */
  readonly challenge: string
  readonly ttlMs: number
}

/** A passkey as its registration was verified. */
export interface VerifiedPasskey {
  readonly credentialId: string
  readonly sealedKey: string
  readonly signCount: number
  readonly transports: readonly string[]
  readonly backedUp: boolean
}

export type PasskeyBeginOutcome =
  | {
      readonly kind: 'begun'
      readonly owner: FactorOwner
      /** Those that the person has already: an authenticator is not to be enrolled twice. */
      readonly existing: readonly { readonly credentialId: string; readonly transports: readonly string[] }[]
    }
  | { readonly kind: 'too-many' }
  | Unproven

export type PasskeyEnrolOutcome =
  | {
      readonly kind: 'enrolled'
      readonly owner: FactorOwner
      /** Whether the recovery codes that were handed in are the person's now. */
      readonly recoveryCodesWritten: boolean
    }
  /** No ceremony of this session is underway. */
  | { readonly kind: 'no-challenge' }
  | { readonly kind: 'wrong' }
  /** Somebody has it enrolled, this person or another. */
  | { readonly kind: 'already-enrolled' }
  | SessionEnded

export type PasskeyOptionsOutcome =
  | {
      readonly kind: 'begun'
      readonly credentials: readonly { readonly credentialId: string; readonly transports: readonly string[] }[]
    }
  | { readonly kind: 'not-enrolled'; readonly others: boolean }
  | { readonly kind: 'disabled' }
  | SessionEnded

export type EmailCodeOutcome =
  | { readonly kind: 'kept'; readonly owner: FactorOwner }
  /** The person has a stronger factor, and the purpose asks for it. */
  | { readonly kind: 'stronger-enrolled' }
  /** Switched off by the tenant, or there is no address to send to. */
  | { readonly kind: 'unavailable' }
  /** Too many mails, or too many wrong guesses. */
  | { readonly kind: 'blocked'; readonly retryAfterMs: number }
  | SessionEnded

export interface FactorReset {
  readonly kind: 'reset'
  readonly owner: FactorOwner
  readonly userId: UserId
  /** The types that were removed. */
  readonly types: readonly EnrolledType[]
  readonly ended: EndedSessions
}

export type FactorResetOutcome =
  | FactorReset
  /** The person is also a member elsewhere, where this tenant's admins have no say. */
  | { readonly kind: 'elsewhere' }

/** A guess that was not let through. */
export type RefusedGuess =
  /** Counted. `disabled` names the owner when this guess was the one that disabled the factor. */
  | { readonly kind: 'wrong'; readonly disabled: FactorOwner | null }
  /** Not looked at, and not counted. */
  | { readonly kind: 'blocked'; readonly retryAfterMs: number }

export interface GuessTaken {
  readonly kind: 'taken'
  readonly at: Date
}

/** The acting session was ended meanwhile, or is none of this person's own in this tenant: nothing was looked at. */
export interface SessionEnded {
  readonly kind: 'session-ended'
}

export type StepUpOutcome =
  | {
      readonly kind: 'verified'
      readonly verifiedAt: Date
      readonly expiresAt: Date
      /** Null for a recovery code. */
      readonly factorId: FactorId | null
      /** How many are left, where a recovery code was spent. */
      readonly recoveryCodesLeft: number | null
    }
  | RefusedGuess
  /** The person has no such factor; `others` says whether they have any. */
  | { readonly kind: 'not-enrolled'; readonly others: boolean }
  /** Enrolled, and disabled after too many wrong guesses. */
  | { readonly kind: 'disabled' }
  /** Another factor is asked for: a code by mail is too weak for this, or switched off. */
  | { readonly kind: 'too-weak' }
  | SessionEnded

/** As of a step-up, and a session once it is passed. */
export type SignInOutcome =
  | (Extract<StepUpOutcome, { readonly kind: 'verified' }> & {
      readonly session: SessionRow
      readonly waited: PendingSignIn
      readonly user: { readonly name: string }
    })
  | Exclude<StepUpOutcome, { readonly kind: 'verified' }>
  /** The member, the user or the tenant is not enabled any more. */
  | { readonly kind: 'not-enabled' }
  /** Sessions are being made faster than a person makes them. */
  | { readonly kind: 'rapid'; readonly sessions: number; readonly waited: PendingSignIn }

/** What was shown of who enrols a factor. */
export interface EnrolmentProof {
  /** The person has just given the password again. */
  readonly passwordProven: boolean
  /** The session has just been held to the step-up that a further factor asks for. */
  readonly steppedUp: boolean
  /** How young the session's sign-in must be to start a first factor without the password. */
  readonly signInWithinMs: number
}

/** What was shown does not do, judged by the factors and the session as they are at the write. */
export type Unproven = { readonly kind: 'sign-in-too-old' } | { readonly kind: 'step-up-required' } | SessionEnded

export interface TotpBeginning extends StepUpSession, EnrolmentProof {
  readonly factorId: FactorId
  readonly label: string
  readonly sealedSecret: string
}

export type TotpBeginOutcome =
  | { readonly kind: 'begun'; readonly owner: FactorOwner }
  | { readonly kind: 'already-enrolled' }
  | Unproven

export interface TotpConfirmation extends StepUpSession {
  readonly factorId: FactorId
  readonly stepOf: TotpStepOf
  readonly guesses: GuessRules
  /** SHA-256 of each; they take the place of whatever recovery codes there were. */
  readonly recoveryCodeHashes: readonly Uint8Array[]
}

export type TotpConfirmOutcome =
  | { readonly kind: 'confirmed'; readonly owner: FactorOwner }
  | RefusedGuess
  | { readonly kind: 'already-enrolled' }
  /** Another's, or one that was replaced or never begun. */
  | { readonly kind: 'unknown' }
  | SessionEnded

export type FactorRemoval =
  | {
      readonly kind: 'removed'
      readonly type: EnrolledType
      readonly ended: EndedSessions
      readonly owner: FactorOwner
      /** It was the last: the recovery codes went with it. */
      readonly last: boolean
    }
  | { readonly kind: 'unknown' }
  | SessionEnded

export type RecoveryCodesReplacement =
  | { readonly kind: 'replaced'; readonly unusedBefore: number; readonly owner: FactorOwner }
  /** Without a factor there is nothing to recover. */
  | { readonly kind: 'no-factor' }
  | SessionEnded

/**
 * Second factors belong to a person, in whatever tenants; a passed step-up belongs to one session of one tenant, and a row of
 * another tenant, user or session MUST behave as one that does not exist. All ages are judged by the database's clock, at one
 * instant for each call. Every write MUST be durable once its promise resolves.
 *
 * For each (user, factor) there is one budget of guesses, and it is the lock of that factor: operations on one factor of one
 * person MUST run one after the other, from however many processes they come.
 *
 * Whatever writes MUST find the acting session alive in its own transaction, and else resolve to `session-ended`: a node whose view
 * is a moment old must not let a contained thief plant a factor.
 */
export interface StepUpStore {
  /** What the person has enrolled. MUST read the primary. */
  factors(userId: UserId): Promise<Factors>

  /** Whether a code could be sent to the person by mail in this tenant. */
  emailCodeFacts(of: { readonly tenantId: TenantId; readonly userId: UserId }): Promise<EmailCodeFacts>

  /**
   * Judges one code for one purpose, and records what came of it.
   *
   * A passkey's challenge MUST be spent by the first assertion that is judged by it, right or wrong; an assertion without a live
   * challenge of this session (or sign-in) and purpose is wrong, and is not counted. A code by mail MUST be of this session (or
   * sign-in) and purpose, and MUST be spent by the right guess and by the last of its tries.
   *
   * The budget is asked first: a blocked guess MUST NOT be held against what is stored, so that its answer says nothing. A wrong
   * guess MUST be counted even though the call reports a refusal, and of any number of concurrent wrong guesses no more MUST be
   * looked at than the rules let through. When the rules call the budget exhausted, the factor MUST be disabled in the same
   * transaction.
   *
   * A code MUST be accepted once: of all concurrent calls with one code exactly one MUST resolve to `verified`. A step of an
   * authenticator app at or below the last one used is wrong, whatever session or purpose that was for; a recovery code is spent.
   *
   * On `verified`, in the same transaction: the passed challenge of this session and purpose is written, the user's
   * `last_mfa_at` set, the rules' `passed` applied, and the newest generation of the session's family confirmed, in such a way
   * that a rotation beside it leaves no unconfirmed successor behind.
   */
  verify(attempt: StepUpAttempt, audit: AuditOf<StepUpOutcome>): Promise<StepUpOutcome>

  /**
   * Whether the session passed this purpose within `windowMs`, and the challenge is neither past its end nor consumed. MUST read
   * the primary.
   */
  passed(
    input: StepUpSession & {
      readonly purpose: string
      readonly windowMs: number
      /** Whether a code by mail is not enough. */
      readonly strong?: boolean | undefined
    },
  ): Promise<boolean>

  /**
   * Consumes one such challenge. Of concurrent calls no more MUST resolve to `true` than there are challenges. No audit row
   * goes with it: what it opens writes its own.
   */
  consume(
    input: StepUpSession & {
      readonly purpose: string
      readonly windowMs: number
      readonly strong?: boolean | undefined
    },
  ): Promise<boolean>

  /** Keeps a sign-in until its second factor is given. The audit row says that one was asked for. */
  holdSignIn(pending: PendingSignIn & { readonly ttlMs: number }, audit: AuditOf<undefined>): Promise<void>

  /**
   * Judges one code for a sign-in that waits, as {@link StepUpStore.verify} does, and starts its session in the same transaction.
   * Of all concurrent calls for one sign-in, with whatever factors and codes, exactly one MUST start a session, and the others
   * MUST spend no code. A sign-in that is over resolves to `session-ended`.
   */
  completeSignIn(attempt: SignInAttempt, audit: AuditOf<SignInOutcome>): Promise<SignInOutcome>

  /**
   * Keeps the challenge of an assertion for one purpose of one session or sign-in, in place of an older one. Nothing is written
   * where the person has no passkey.
   */
  passkeyOptions(input: StepUpActor & NewPasskeyChallenge): Promise<PasskeyOptionsOutcome>

  /** Keeps the challenge of a registration, in place of an older one. The conditions are those of {@link beginTotp}. */
  beginPasskey(
    input: StepUpSession & NewPasskeyChallenge & EnrolmentProof & { readonly most: number },
    audit: AuditOf<PasskeyBeginOutcome>,
  ): Promise<PasskeyBeginOutcome>

  /**
   * Makes a verified registration a factor. The challenge MUST be spent, whatever `judge` says. The recovery codes are written
   * where the person had none.
   */
  enrolPasskey(
    input: StepUpSession & {
      readonly factorId: FactorId
      readonly label: string
      readonly purpose: string
      /** Judges the registration by the challenge that was handed out. Computes and reads nothing. */
      readonly judge: (challenge: string) => Promise<VerifiedPasskey | undefined>
      readonly recoveryCodeHashes: readonly Uint8Array[]
    },
    audit: AuditOf<PasskeyEnrolOutcome>,
  ): Promise<PasskeyEnrolOutcome>

  /**
   * Keeps the hash of a code about to be mailed, and voids the person's older one for this purpose. Of any number of concurrent
   * calls no more MUST be kept than `most` within `withinMs`.
   */
  keepEmailCode(
    input: StepUpActor & {
      readonly challengeId: ChallengeId
      readonly purpose: string
      readonly codeHash: Uint8Array
      readonly ttlMs: number
      readonly most: number
      readonly withinMs: number
      readonly onlyWithoutEnrolled: boolean
      readonly guesses: GuessRules
    },
    audit: AuditOf<EmailCodeOutcome>,
  ): Promise<EmailCodeOutcome>

  /**
   * Removes every factor and recovery code of a member of the tenant and ends their sessions. Changes nothing for one who is a
   * member of another tenant too. Resolves to `undefined` when there is no such member.
   */
  resetFactors(
    input: { readonly tenantId: TenantId; readonly staffId: StaffId; readonly by: UserId },
    audit: AuditOf<FactorResetOutcome>,
  ): Promise<FactorResetOutcome | undefined>

  /**
   * Keeps the secret of an authenticator app that is not confirmed yet, in place of any other unconfirmed one of the person. A
   * confirmed one, even a disabled one, MUST NOT be replaced. The conditions are judged in the transaction that writes.
   */
  beginTotp(beginning: TotpBeginning, audit: AuditOf<TotpBeginOutcome>): Promise<TotpBeginOutcome>

  /**
   * Makes an unconfirmed authenticator app a factor. The guess is limited and counted as in {@link StepUpStore.verify}, from the
   * same budget. The step of the code becomes the last one used. Of concurrent calls one MUST confirm, and the recovery codes
   * MUST be those of that call.
   */
  confirmTotp(confirmation: TotpConfirmation, audit: AuditOf<TotpConfirmOutcome>): Promise<TotpConfirmOutcome>

  /**
   * Removes a confirmed factor of the person and ends their other sessions in every tenant, with families and tokens; the
   * acting session stays as it is. The recovery codes go with the last factor.
   */
  removeFactor(
    input: StepUpSession & { readonly factorId: FactorId },
    audit: AuditOf<FactorRemoval>,
  ): Promise<FactorRemoval>

  /** Replaces all recovery codes. Of concurrent calls the codes of exactly one MUST remain. */
  replaceRecoveryCodes(
    input: StepUpSession & { readonly codeHashes: readonly Uint8Array[] },
    audit: AuditOf<RecoveryCodesReplacement>,
  ): Promise<RecoveryCodesReplacement>

  /**
   * Takes one guess at what cannot be judged inside a transaction, and counts it as wrong before it is looked at: of any number
   * of concurrent guesses no more MUST be taken than the rules let through. No audit row goes with it: the operation that asks
   * writes its own.
   */
  takeGuess(
    input: StepUpSession & { readonly guessed: Guessed; readonly guesses: GuessRules },
  ): Promise<GuessTaken | Extract<RefusedGuess, { readonly kind: 'blocked' }> | SessionEnded>

  /** Gives a taken guess back, which turned out right, and applies the rules' `passed`. */
  returnGuess(input: {
    readonly userId: UserId
    readonly guessed: Guessed
    readonly guesses: GuessRules
    readonly takenAt: Date
  }): Promise<void>
}
