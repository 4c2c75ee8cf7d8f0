/**
 * What a risk score is computed from, and what a signal is: the types that signals, hosts' own included, are written against.
 *
 * @module
 */

import type { PresentedDevice } from '../internal/device-digest.ts'

/** Where a request came from, as far as it is known. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null
  readonly city: string | null
  readonly latitude: number | null
  readonly longitude: number | null
}

/** A place of which nothing is known: every signal about places is silent. */
export const NOWHERE: Place = { country: null, city: null, latitude: null, longitude: null }

/** A session, past or present, as the risk score sees it. */
export interface SeenSession extends Place, PresentedDevice {
  readonly lastSeenAt: Date
  readonly ipAddress: string | null
  readonly userAgent: string | null
}

/** Everything that a signal may look at, at one instant of the database's clock. */
export interface RiskFacts {
  readonly at: 'sign-in' | 'refresh'
  readonly now: Date
  /** What was just presented. */
  readonly request: {
    readonly ipAddress: string | null
    readonly userAgent: string | null
    readonly device: PresentedDevice
    readonly place: Place
  }
  /**
   * The member's most recent sign-in sessions in the tenant, at most 12, newest seen first. At a refresh the session itself is
   * among them. Empty at a first sign-in; and at a refresh that comes just as the one before, unless a host's signal asks for it.
   */
  readonly history: readonly SeenSession[]
  /** At a refresh, the session as it was when its last refresh passed. */
  readonly session: (SeenSession & { readonly delivery: 'body' | 'cookie' }) | null
  /** Live sessions of the member in the tenant: with the current one at a refresh, without the new one at a sign-in. */
  readonly liveSessions: number
  /** Of these, how many were made within the window of `RAPID_TOKEN_CREATION`; at the refresh of an older session 0. */
  readonly youngSessions: number
  /** Failed sign-ins and step-ups on the account within the last hour. */
  readonly recentFailures: number
  /** Generations of the family that were handed out twice in a row, up to the presented one. */
  readonly sharedGenerations: number
  /** Whether a second factor was given on any of the user's devices within `riskGraceAfterMfa`. */
  readonly recentMfa: boolean
  /** Whether a step-up was passed on the presented device within `riskGraceAfterMfa`. */
  readonly deviceTrusted: boolean
  readonly thresholds: Thresholds
}

/** The numbers that signals compare with; settings. */
export interface Thresholds {
  /** `MANY_ACTIVE_SESSIONS`. Defaults to 5. */
  readonly manySessions: number
  /** `IMPOSSIBLE_TRAVEL`, kilometres an hour. Defaults to 900. */
  readonly travelKmh: number
  /** `RECENT_FAILURES`. Defaults to 3. */
  readonly recentFailures: number
  /** `SHARED_LINEAGE`. Defaults to 5. */
  readonly sharedGenerations: number
  /** `RAPID_TOKEN_CREATION`: more sessions than this within the window. Defaults to 3; 0 turns it off. */
  readonly rapidSessions: number
  /** Defaults to 10 minutes. */
  readonly rapidWindowMs: number
}

/** What a signal says when it fires. */
export interface Finding {
  /** What it was seen in: small and plain, for the audit row and for a person. Never a secret. */
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>
  /** In place of the weight, for a signal whose strength varies. */
  readonly points?: number
}

/**
 * One reason to doubt. Pure: it reads the facts and nothing else, and says `undefined` where it has no reason. A host's own may be
 * asynchronous; one that throws refuses the request.
 */
export interface Signal {
  /** Stable, in capitals: a reason of answers and audit rows. */
  readonly name: string
  /** The default weight. */
  readonly points: number
  /**
   * Whether it is about habit alone, and so is suspended on a device that a step-up was passed on. What points at the theft of this
   * very token is not.
   */
  readonly soft: boolean
  readonly find: (facts: RiskFacts) => Finding | undefined | Promise<Finding | undefined>
}
