/**
 * What the store's statements run on: PostgreSQL over node-postgres, or PGlite, behind one small interface.
 *
 * @module
 */

import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { RowFormat } from '../contract/evidence.ts'
import type { ClockShift } from '../contract/store.ts'
import type { Column } from './columns.ts'

/** Drizzle over either driver. */
export type Drizzle = PgDatabase<PgQueryResultHKT>

/** A statement of a hot path: prepared once for each connection, under its name. The text never changes for a name. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** A bound value. Dates and byte strings are sent as such; arrays are of scalars. */
export type SqlValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | null)[]
  | Column

/** Runs prepared statements. Rows come with the column names of the statement. */
export interface Sql {
  run<Row>(statement: Statement, values: readonly SqlValue[]): Promise<readonly Row[]>
}

/** One transaction. `now` is the database's clock at its start (moved by the test clock): the one instant of all its judgements. */
export interface Tx extends Sql {
  readonly db: Drizzle
  readonly now: Date
  /** The test clock's shift, for statements that read the clock themselves. */
  readonly shiftMs: number
}

/** A database. Outside a transaction each call is an atomic unit of its own. */
export interface Database extends Sql {
  readonly db: Drizzle
  readonly clock: ClockShift

  /** How many statements it is worth to have under way at once: one for a database in this very process. */
  readonly lanes: number

  /**
   * Commits when `work` resolves, whatever it resolves to; rolls back only when it rejects. Run again, from the start, when
   * the database gives it up as a deadlock's or a serialisation's victim: `work` touches nothing but the database.
   * Rejects with `UNAVAILABLE` when the outcome of the COMMIT is unknown.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>

  /** The feed's own connection, so that polls do not queue behind requests. */
  readonly feed: Sql

  /** Connections for what takes long and must not queue before requests: exports and jobs. */
  readonly bulk: Sql

  /**
   * Writes the rows that one SELECT finds as a file of that format, in their order and of one snapshot, on a connection of
   * its own. Nothing is kept of them, and `write` is synchronous: the snapshot lasts as long as the rows take to arrive. For
   * CSV each column of the SELECT is a cell; for JSON there is one column, whose text is the object, without a line break.
   *
   * @returns How many rows there were.
   */
  copy(
    select: Statement,
    values: readonly SqlValue[],
    format: RowFormat,
    write: (piece: Buffer) => void,
  ): Promise<number>

  /** The same, each row a line of COPY's text format: tabs between columns, backslashes before what would be one or a line break. */
  lines(select: Statement, values: readonly SqlValue[], write: (piece: Buffer) => void): Promise<void>

  /** Runs SQL text of several statements, for migrations, on one connection under a lock that other nodes wait for. */
  exclusively<T>(work: (run: (text: string) => Promise<readonly Record<string, unknown>[]>) => Promise<T>): Promise<T>

  close(): Promise<void>
}

/** The database's clock with the test clock's shift, as SQL. `parameter` is bound to the shift in milliseconds. */
export function nowSql(parameter: string): string {
  return `(clock_timestamp() + ${parameter}::float8 * interval '1 millisecond')::timestamptz(3)`
}
