/**
 * What a dataset is: a table that can be exported, column by column.
 *
 * @module
 */

import type { Column, ColumnType, StateTable } from '../store/contract/evidence.ts'

interface Common {
  /** The file's name, and the name in the URL. */
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  /** The Trust Services Criteria that it is evidence for. */
  readonly criteria: readonly string[]
}

/** Rows of the sealed audit log: a period of it is one run of seq, and reads the same for ever. */
export interface LogDataset extends Common {
  readonly kind: 'log'
  readonly period: 'recorded_at'
  /** Rows of other actions are left out. Defaults to all. */
  readonly actions?: readonly string[] | undefined
  /** Rows that were not done under impersonation are left out. */
  readonly impersonating?: true
  /** From the beginning of the log up to the end of the period, where what was true in it follows from all that went before. */
  readonly fromStart?: true
}

/** A table as it stands at one instant. */
export interface StateDataset extends Common {
  readonly kind: 'state'
  readonly table: StateTable
  /** The column that a period is of; none where the table is taken as a whole. */
  readonly period?: 'created_at' | 'issued_at'
}

export type Dataset = LogDataset | StateDataset

/** A column, in one line. */
export function column(name: string, type: ColumnType, description: string): Column {
  return { name, type, description }
}

/** A column that is left out where no fingerprints of devices are wanted. */
export function deviceColumn(name: string, type: ColumnType, description: string): Column {
  return { name, type, description, device: true }
}

/** The columns that an export has. */
export function columnsOf({ columns }: Pick<Dataset, 'columns'>, device: 'include' | 'omit'): readonly Column[] {
  return device === 'omit' ? columns.filter((one) => one.device !== true) : columns
}
