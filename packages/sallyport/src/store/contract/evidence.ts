/**
 * The port of evidence: everything that is exported, in bulk and as text, and the figures that a checklist is judged by.
 *
 * @module
 */

import type { LogId } from './ledger.ts'
import type { LiveLimits } from './sessions.ts'

/** How the cells of a column read. */
export type ColumnType = 'integer' | 'boolean' | 'uuid' | 'instant' | 'text' | 'list' | 'json' | 'hex'

export interface Column {
  /** In snake case, as it stands in the table. */
  readonly name: string
  readonly type: ColumnType
  readonly description: string
  /** Left out where the caller asks for no fingerprints of devices. */
  readonly device?: true
}

/** Tables that are exported as they stand at one instant. */
export type StateTable =
  | 'user-sessions'
  | 'refresh-tokens'
  | 'step-up-challenges'
  | 'staff-access'
  | 'session-exceptions'

/**
 * How rows are written: `csv` by RFC 4180, every value in quotes and null as nothing, ended by CRLF; `ndjson` as one object a
 * line, ended by LF; `json` as objects each of which has a comma and a line break before it.
 */
export type RowFormat = 'csv' | 'ndjson' | 'json'

/** A run of sequence numbers: `first` is in it, `end` is not. */
export interface SeqRange {
  readonly first: number
  readonly end: number
}

export interface RowsOfLog {
  readonly log: LogId
  readonly range: SeqRange
  readonly columns: readonly Column[]
  readonly format: RowFormat
  /** Leaves out rows of any other action. Defaults to all. */
  readonly actions?: readonly string[] | undefined
  /** Leaves out what was not done under impersonation. */
  readonly impersonating?: boolean | undefined
}

export interface RowsOfState {
  readonly table: StateTable
  readonly tenantId: string
  readonly columns: readonly Column[]
  readonly format: RowFormat
  /** Half-open; neither for a table that has no period. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
}

/** Rows as the bytes of their format, in pieces. */
export interface WrittenRows {
  readonly pieces: readonly Buffer[]
  readonly rows: number
}

/** What an independent count says of a run of the log. */
export interface LogCount {
  /** Seals in the run. */
  readonly sealed: number
  /** Of those, rows whose content is still there. */
  readonly kept: number
  readonly byAction: Readonly<Record<string, number>>
  /** Of those kept, rows that were done under impersonation. */
  readonly impersonating: number
  readonly firstRecordedAt: Date | undefined
  readonly lastRecordedAt: Date | undefined
}

/** Figures of one tenant and of the database under it, as a checklist needs them. */
export interface ChecklistFigures {
  readonly now: Date
  /** Names of indexes of the public schema. */
  readonly indexes: readonly string[]
  /** `table.column` of every column, and whether it may be null. */
  readonly columns: readonly string[]
  /** Names of enabled triggers on `audit_logs`. */
  readonly auditTriggers: readonly string[]
  readonly pendingMigrations: readonly string[]
  /** Shipped migrations whose text differs from what ran. */
  readonly changedMigrations: readonly string[]
  /** Where the schema is not what the shipped migrations make: what is missing, and what is there besides. */
  readonly schemaDrift: readonly string[]
  readonly counts: Readonly<Record<ChecklistCount, number>>
}

/** Of events the newest so many are looked at; of tables, the oldest so many rows and the newest so many. */
export const CHECKLIST_WINDOW = 20_000

export const CHECKLIST_COUNTS = [
  'live_sessions',
  'sessions_past_end',
  'ended_sessions_without_event',
  'tokens_unhashed',
  'tokens_of_no_family',
  'live_tokens_past_expiry',
  'forked_generations',
  'live_tokens_of_ended_families',
  'reuses',
  'reuses_without_event',
  'challenges_without_end',
  'challenges_verified_late',
  'step_ups',
  'suspicious_sign_ins',
  'impersonations',
  'impersonations_of_owners',
  'impersonations_without_reason',
  'impersonations_open_too_long',
  'events',
  'events_without_correlation',
  'events_unsealed_late',
  'exports',
  'exports_without_end',
  'purges',
  'factors',
  'ip_rules',
] as const
export type ChecklistCount = (typeof CHECKLIST_COUNTS)[number]

/** Reads in bulk MUST NOT queue before requests, and MUST hold no transaction open while whoever reads them is slow. */
export interface EvidenceStore {
  /** The database's clock. */
  now(): Promise<Date>

  /** The run of a log that was recorded in the half-open period, up to what is sealed now; empty where nothing was. */
  recordedIn(log: LogId, period: { readonly from: Date; readonly to: Date }): Promise<SeqRange>

  /** Rows of the sealed log in the order of seq. Those that retention removed are not in it. */
  rowsOfLog(query: RowsOfLog): Promise<WrittenRows>

  /** Counts a run by another statement than the one that reads its rows. */
  countLog(log: LogId, range: SeqRange): Promise<LogCount>

  /**
   * Hands out the rows of a table in one snapshot, oldest first, as fast as `write` takes them: it is synchronous, and
   * nothing waits for a reader. Resolves to the instant of the snapshot and the count of rows.
   */
  rowsOfState(
    query: RowsOfState,
    write: (piece: Buffer) => void,
  ): Promise<{ readonly asOf: Date; readonly rows: number }>

  /** Rows of the run whose content is gone, with their leaves. */
  removedIn(log: LogId, range: SeqRange): Promise<readonly { readonly seq: number; readonly leaf: Buffer }[]>

  /** The first and the last row of the run whose content is there. */
  endsOf(log: LogId, range: SeqRange): Promise<readonly { readonly seq: number; readonly id: string }[]>

  /** What the tenant is called now. @throws SallyportError `NOT_FOUND` */
  tenantName(tenantId: string): Promise<string>

  /** The SQL that a dataset is read by, for whoever checks the export. */
  queryText(query: RowsOfLog | RowsOfState): string

  /** What the database calls itself: engine, version, name, place in its log of writes, and whether it is the primary. */
  source(): Promise<Readonly<Record<string, string | boolean | null>>>

  /** @param of The tenant, and the limits that its sessions are held to now. */
  checklist(of: { readonly tenantId: string } & LiveLimits): Promise<ChecklistFigures>
}
