/**
 * Scores recorded sign-ins and refreshes again, under another policy: whom it would have asked or stopped.
 *
 * It weighs anew what was seen then. A signal that did not fire under the policy of the time left no evidence, so a lower threshold
 * of a signal finds nothing that it did not find before; higher ones, other weights and other limits of the score are exact.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import type { RiskStore } from '../store/contract/risk.ts'
import type { Reason } from './assess.ts'
import { MAX_SCORE } from './assess.ts'
import type { Judgement } from './judge.ts'
import { SESSION_LIMIT } from './judge-sign-in.ts'
import { decide } from './policy.ts'
import type { RiskOptions, RiskSettings } from './settings.ts'
import { resolveRisk } from './settings.ts'
import { RAPID_TOKEN_CREATION } from './signals/rapid-token-creation.ts'

/** What a policy file may hold. */
export type ReplayPolicy = Pick<RiskOptions, 'weights' | 'stepUpAt' | 'blockAt' | 'thresholds'>

/** One recorded request, then and now. */
export interface Replayed {
  readonly at: Date
  readonly tenantId: string | null
  readonly userId: string | null
  readonly what: 'sign-in' | 'refresh'
  readonly before: { readonly score: number; readonly decision: Judgement['decision'] }
  readonly after: { readonly score: number; readonly decision: Judgement['decision'] }
  /** The signals that count under the new policy. */
  readonly reasons: readonly string[]
}

const PAGE = 1000

/**
 * Reads what was scored from `from` on and before `to`, in pages.
 *
 * @throws SallyportError `CONFIG_INVALID` for a policy that is none.
 */
export async function* replayRisk(
  { risk: store }: { readonly risk: Pick<RiskStore, 'scored'> },
  { from, to, policy = {} }: { readonly from: Date; readonly to: Date; readonly policy?: ReplayPolicy },
): AsyncGenerator<Replayed> {
  const settings = resolveRisk(policy)
  for (let after: AuditRow | undefined; ; ) {
    const rows = await store.scored({ from, to, after, limit: PAGE })
    for (const row of rows) {
      const replayed = replayRow(row, settings)
      if (replayed !== undefined) yield replayed
    }
    after = rows.at(-1)
    if (rows.length < PAGE) return
  }
}

interface Recorded {
  readonly score?: unknown
  readonly signals?: readonly Reason[]
  readonly wouldBe?: Judgement['decision']
  readonly reason?: unknown
  readonly purpose?: unknown
  readonly at?: unknown
  readonly waiting?: unknown
  /** Asked because of the score; what `mfa.atSignIn` asks for has none. */
  readonly level?: unknown
  readonly reasons?: readonly string[]
  /** Of a request that went on after its step-up. */
  readonly factor?: unknown
  readonly after?: unknown
  readonly targetUserId?: unknown
}

/**
 * `undefined` for a row that no score decided on: a repeated answer to a session that waits, a detected reuse, what went on after a
 * step-up (the asking for it has a row of its own).
 */
export function replayRow(row: AuditRow, settings: RiskSettings): Replayed | undefined {
  const metadata = (row.metadata ?? {}) as Recorded
  const { score, signals = [], wouldBe, targetUserId } = metadata
  if (typeof score !== 'number' || metadata.waiting === true || isAnswered(row, metadata)) return undefined
  const counted = signals.flatMap((reason) => reweighed(reason, settings))
  const rapid = counted.some(({ signal }) => signal === RAPID_TOKEN_CREATION)
  const sum = Math.min(
    MAX_SCORE,
    counted.reduce((total, { points }) => total + points, 0),
  )
  return {
    at: row.createdAt,
    tenantId: row.tenantId,
    userId: row.userId ?? (typeof targetUserId === 'string' ? targetUserId : null),
    what: isRefresh(row, metadata) ? 'refresh' : 'sign-in',
    before: { score, decision: wouldBe ?? decisionOf(row, metadata) },
    after: { score: sum, decision: rapid ? 'rapid' : decide(sum, settings) },
    reasons: counted.map(({ signal }) => signal),
  }
}

function isRefresh({ action }: AuditRow, { purpose, at }: Recorded): boolean {
  return action === 'AUTH_TOKEN_REFRESH' || purpose === 'session_risk' || at === 'refresh'
}

function isAnswered({ action }: AuditRow, { factor, after }: Recorded): boolean {
  return (action === 'AUTH_LOGIN' && factor !== undefined) || after === 'step_up'
}

/** What the score decided: a second factor may also have been asked for by `mfa.atSignIn` or the cap of sessions. */
function decisionOf({ action }: AuditRow, { reason, level, reasons }: Recorded): Judgement['decision'] {
  if (action === 'SUSPICIOUS_LOGIN_DETECTED') return reason === 'rapid_token_creation' ? 'rapid' : 'block'
  const asked = action === 'STEP_UP_REQUIRED' && level === 'elevated' && reasons?.includes(SESSION_LIMIT) !== true
  return asked ? 'step-up' : 'pass'
}

/** The evidence that a threshold is held against, by the signal. */
const MEASURED: Readonly<Record<string, (evidence: Reason['evidence'], settings: RiskSettings) => boolean>> = {
  MANY_ACTIVE_SESSIONS: ({ liveSessions }, { thresholds }) => Number(liveSessions) >= thresholds.manySessions,
  IMPOSSIBLE_TRAVEL: ({ kmh }, { thresholds }) => Number(kmh) > thresholds.travelKmh,
  RECENT_FAILURES: ({ failures }, { thresholds }) => Number(failures) >= thresholds.recentFailures,
  SHARED_LINEAGE: ({ generations }, { thresholds }) => Number(generations) >= thresholds.sharedGenerations,
  [RAPID_TOKEN_CREATION]: ({ sessions }, { thresholds }) =>
    thresholds.rapidSessions > 0 && Number(sessions) > thresholds.rapidSessions,
}

function reweighed({ signal, points, evidence }: Reason, settings: RiskSettings): readonly Reason[] {
  if (MEASURED[signal]?.(evidence, settings) === false) return []
  // A host's signal is not known here: without a new weight it keeps the points that it had.
  const own = settings.signals.find(({ name }) => name === signal)?.points
  const weight = settings.weights[signal] ?? own ?? points
  return weight === 0 && signal !== RAPID_TOKEN_CREATION ? [] : [{ signal, points: weight, evidence }]
}
