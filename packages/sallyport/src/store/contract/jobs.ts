/**
 * The port of jobs: who runs them, what became of each run, and the batches that remove what has outlived its age.
 *
 * @module
 */

import type { AuditRow } from '../../audit/record.ts'

export type JobState = 'running' | 'done' | 'failed'

export interface JobRun {
  readonly id: string
  readonly job: string
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
  /** `failed` as well where its runner was lost: its lease has run out. */
  readonly state: JobState
  /** What it did, by count. */
  readonly result: Readonly<Record<string, number>>
  readonly error: string | undefined
}

/** What may be removed by age, each by a rule of its own. */
export const PURGED_TABLES = [
  'token_families',
  'user_sessions',
  'step_up_challenges',
  'one_time_tokens',
  'changes',
  'audit_logs',
] as const
export type PurgedTable = (typeof PURGED_TABLES)[number]

export interface PurgeRule {
  readonly table: PurgedTable
  readonly olderThanMs: number
  /** For `token_families`: the longer age of families that ended by reuse. */
  readonly reuseOlderThanMs?: number | undefined
  /** Rows of one batch, about. */
  readonly limit: number
}

/** One batch that is about to be committed: what goes, from one tenant. */
export interface Purged {
  /** Null for rows of no tenant. */
  readonly tenantId: string | null
  readonly table: PurgedTable
  readonly count: number
  /** Rows that went with those of `table`: tokens with their families. */
  readonly alsoCount: Readonly<Record<string, number>>
  /** Everything in the batch is older. */
  readonly before: Date
  /** SHA-256 over the removed ids, sorted, one a line. */
  readonly idsSha256: string
  /** Of `audit_logs`: the sequence numbers whose content went. */
  readonly firstSeq?: number | undefined
  readonly lastSeq?: number | undefined
}

/** A session, or a family of tokens, that ended because its time was over. */
export interface Expired {
  readonly tenantId: string
  readonly userId: string
  readonly sessionId: string | undefined
  readonly tokenId: string | undefined
  readonly familyId: string | undefined
}

/** Every batch MUST be one short transaction together with its audit rows, and safe beside any other runner and live traffic. */
export interface JobStore {
  /** Takes or keeps a lease by name. Of all that ask at one time one MUST have it. */
  lead(name: string, holder: string, forMs: number): Promise<boolean>
  resign(name: string, holder: string): Promise<void>

  /** Notes that a run began; runs of the same job whose runner was lost are noted as failed. */
  begin(job: string, id: string): Promise<void>
  progress(id: string, result: Readonly<Record<string, number>>): Promise<void>
  finish(id: string, result: Readonly<Record<string, number>>, error: string | undefined): Promise<void>
  /** Newest first. */
  runs(query: { readonly job?: string | undefined; readonly limit: number }): Promise<readonly JobRun[]>
  /** The newest run of each job that ended well. */
  lastDone(): Promise<ReadonlyMap<string, JobRun>>

  /**
   * Ends one batch of families whose live token is past its end, as `session_expired`, with token and session; families
   * that a request holds at this moment are passed over. `next` is where to go on; `undefined` after the last.
   */
  expireTokens(
    page: { readonly after: string | undefined; readonly limit: number },
    audit: (expired: readonly Expired[], now: Date) => readonly AuditRow[],
  ): Promise<{ readonly expired: number; readonly next: string | undefined }>

  /** Ends one batch of sessions that are past their end and have no family: those of impersonation. Resolves to how many. */
  expireSessions(limit: number, audit: (expired: readonly Expired[], now: Date) => readonly AuditRow[]): Promise<number>

  /** Removes one batch of one tenant. `undefined`: nothing is old enough, or others have it in hand. */
  purge(rule: PurgeRule, audit: (purged: Purged, now: Date) => readonly AuditRow[]): Promise<Purged | undefined>
}
