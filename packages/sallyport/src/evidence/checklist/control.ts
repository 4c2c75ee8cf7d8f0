/**
 * What a control statement is, and how its verdict is come to.
 *
 * @module
 */

import type { Settings } from '../../options.ts'
import type { ChecklistFigures } from '../../store/contract/evidence.ts'
import type { JobRun } from '../../store/contract/jobs.ts'

export type Verdict = 'pass' | 'fail' | 'attention'

/** What a verdict rests on, each with its name: settings, counts, names of what is missing. */
export type Findings = Readonly<Record<string, string | number | boolean | readonly string[] | null>>

/** The running system, as far as the controls look at it; all of one moment. */
export interface Observed extends ChecklistFigures {
  readonly settings: Settings
  /** The routes that are served, each with what guards it. */
  readonly routes: readonly ObservedRoute[]
  readonly lastDone: ReadonlyMap<string, JobRun>
  /** When the newest checkpoint of the tenant's log was signed, and of how many rows. */
  readonly checkpoint: { readonly size: number; readonly signedAt: Date } | undefined
  readonly logSize: number
}

export interface ObservedRoute {
  readonly method: string
  readonly path: string
  readonly mutates: boolean
  readonly permission: boolean
  readonly stepUp: string | undefined
  readonly actions: readonly string[]
}

export interface Judged {
  readonly verdict: Verdict
  readonly evidence: Findings
}

export interface Control {
  /** Stable, in kebab case. */
  readonly id: string
  readonly statement: string
  readonly criteria: readonly string[]
  /** Where the evidence is, relative to the API's base path. */
  readonly link: string
  readonly judge: (observed: Observed) => Judged
}

/** `fail` unless all hold. */
export function passIf(holds: boolean, evidence: Findings): Judged {
  return { verdict: holds ? 'pass' : 'fail', evidence }
}

/** `fail` where something is broken; `attention` where it is whole and somebody should still look. */
export function passUnless(
  { broken, doubtful }: { readonly broken: boolean; readonly doubtful: boolean },
  evidence: Findings,
): Judged {
  return { verdict: broken ? 'fail' : doubtful ? 'attention' : 'pass', evidence }
}
