/**
 * Holds every control statement against the running system.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { TenantId } from '../ids.ts'
import type { Control, Findings, ObservedRoute, Verdict } from './checklist/control.ts'
import { CHECKLIST_WINDOW } from '../store/contract/evidence.ts'
import { limitsOf } from '../tenant-settings/limits-of.ts'
import { detectionControls } from './checklist/detection.ts'
import { recordControls } from './checklist/records.ts'
import { sessionControls } from './checklist/sessions.ts'

export const CONTROLS: readonly Control[] = [...sessionControls, ...detectionControls, ...recordControls]

export interface ChecklistItem {
  readonly id: string
  readonly statement: string
  readonly criteria: readonly string[]
  readonly verdict: Verdict
  readonly evidence: Findings
  /** Relative to the API's base path. */
  readonly link: string
}

export interface Checklist {
  readonly evaluatedAt: Date
  readonly summary: Readonly<Record<Verdict, number>>
  /** How many of the newest events, and of the oldest and the newest rows of a table, the counts are of. */
  readonly window: number
  readonly controls: readonly ChecklistItem[]
}

/**
 * Evaluates the checklist of a tenant, now.
 *
 * @param routes The routes that are served: a control that rests on a route is held against the one there is.
 * @throws SallyportError `UNAVAILABLE` when the database did not answer.
 */
export async function evaluateChecklist(
  { store, settings, live }: Pick<Engine, 'store' | 'settings' | 'live'>,
  tenantId: string,
  routes: readonly ObservedRoute[],
): Promise<Checklist> {
  const { idleMs, maxSessionLifeMs } = await limitsOf({ live, settings }, tenantId as TenantId)
  const [figures, lastDone, checkpoint, head] = await Promise.all([
    store.evidence.checklist({ tenantId, idleMs, maxSessionLifeMs }),
    store.jobs.lastDone(),
    store.ledger.checkpoint(tenantId),
    store.ledger.head(tenantId),
  ])
  const observed = { ...figures, settings, routes, lastDone, checkpoint, logSize: head?.size ?? 0 }
  const controls = CONTROLS.map(({ id, statement, criteria, link, judge }) => ({
    id,
    statement,
    criteria,
    link,
    ...judge(observed),
  }))
  const count = (verdict: Verdict): number => controls.filter((control) => control.verdict === verdict).length
  return {
    evaluatedAt: figures.now,
    window: CHECKLIST_WINDOW,
    summary: { pass: count('pass'), fail: count('fail'), attention: count('attention') },
    controls,
  }
}
