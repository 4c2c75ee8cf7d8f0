/**
 * The store: all ports together, and the life of the connection behind them.
 *
 * @module
 */

import type { AccessStore } from './access.ts'
import type { AuditStore } from './audit.ts'
import type { DirectoryStore } from './directory.ts'
import type { EvidenceStore } from './evidence.ts'
import type { FeedStore } from './feed.ts'
import type { JobStore } from './jobs.ts'
import type { ImpersonationStore } from './impersonations.ts'
import type { KeyStore } from './keys.ts'
import type { LedgerStore } from './ledger.ts'
import type { LimiterClient } from './limits.ts'
import type { RiskStore } from './risk.ts'
import type { OverviewStore } from './overview.ts'
import type { SessionStore } from './sessions.ts'
import type { StepUpStore } from './step-up.ts'
import type { TeamStore } from './team.ts'
import type { TokenStore } from './tokens.ts'

export interface StoreHealth {
  readonly reachable: boolean
  /** Names of shipped migrations that the database has not run. */
  readonly pendingMigrations: readonly string[]
}

/**
 * What a database must do for Sallyport. An operation that fails because the database is away, slow or read-only MUST
 * reject with `UNAVAILABLE`, and MUST NOT carry a bound value in its error.
 */
export interface Store {
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  readonly directory: DirectoryStore
  readonly team: TeamStore
  readonly access: AccessStore
  readonly impersonations: ImpersonationStore
  readonly stepUp: StepUpStore
  readonly risk: RiskStore
  readonly keys: KeyStore
  readonly audit: AuditStore
  readonly ledger: LedgerStore
  readonly evidence: EvidenceStore
  readonly jobs: JobStore
  readonly overview: OverviewStore
  readonly feed: FeedStore
  readonly limits: LimiterClient

  /** Runs the shipped migrations under a lock; of nodes that start together one runs them. Resolves to the names it ran. */
  migrate(): Promise<readonly string[]>
  health(): Promise<StoreHealth>
  close(): Promise<void>
}

/** Moves the database's clock for tests: added to what the database says, in every judgement of age. */
export interface ClockShift {
  offsetMs: number
}
