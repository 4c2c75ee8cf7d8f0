/**
 * What a benchmark is, and what it reports.
 *
 * @module
 */

/** What a benchmark is given. */
export interface Context {
  /** Long runs and large tables. */
  readonly full: boolean
  /** A PostgreSQL server on which databases may be created. */
  readonly postgresUrl: string
  /** Tells whoever waits what is being done. */
  readonly say: (line: string) => void
}

/** What one contender did in one run. */
export interface Sample {
  readonly value: number
  /** Beside the value: latencies in milliseconds, shares of a core. */
  readonly details?: Readonly<Record<string, number>>
}

/** What one contender did over all runs. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** The median of the runs. */
  readonly value: number
  readonly runs: readonly number[]
  /** The median of each detail. */
  readonly details: Readonly<Record<string, number>>
}

/** One line of the table: ours beside one reference, measured in the same run. */
export interface Comparison {
  readonly work: string
  readonly unit: string
  readonly ours: number
  readonly against: string
  readonly theirs: number | undefined
  /** What is held against the goal: a quotient, or a figure in `unit` where the goal is a figure. */
  readonly measured: number
  readonly goal?: Goal
}

export interface Goal {
  readonly kind: 'at least' | 'at most'
  readonly value: number
  /** Whether the goal is for the quotient of ours and theirs, or for our figure. */
  readonly of: 'ratio' | 'figure'
}

/** How one cost grows: milliseconds at each size. */
export interface Growth {
  readonly name: string
  readonly points: readonly { readonly size: number; readonly milliseconds: number }[]
}

export interface Report {
  readonly figures: readonly Figure[]
  readonly comparisons: readonly Comparison[]
  readonly growth?: readonly Growth[]
  /** What a reader of the figures must know. */
  readonly notes?: readonly string[]
}

export interface Bench {
  /** For `--only`. */
  readonly name: string
  readonly title: string
  run(context: Context): Promise<Report>
}
