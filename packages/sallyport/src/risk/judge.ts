/**
 * Judges facts: score, reasons and what is to be done, the same for sign-in and refresh.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import { SallyportError } from '../errors.ts'
import type { Reason, WeighedSignals } from './assess.ts'
import { assess } from './assess.ts'
import type { RiskFacts, Signal } from './facts.ts'
import type { Decision, RiskPolicy } from './policy.ts'
import { decide } from './policy.ts'
import { RAPID_TOKEN_CREATION, rapidTokenCreation } from './signals/rapid-token-creation.ts'

/** What a score came to. */
export interface Judgement {
  readonly decision: Decision | 'rapid'
  readonly score: number
  /** The names of the signals behind the score. */
  readonly reasons: readonly string[]
  /** With their points and what they were seen in. */
  readonly signals: readonly Reason[]
  /** In monitor mode, what would have been done. */
  readonly wouldBe?: Judgement['decision'] | undefined
}

type Parts = Pick<Engine, 'settings' | 'riskHealth' | 'log'>

const PASS: Judgement = { decision: 'pass', score: 0, reasons: [], signals: [] }

/**
 * @param signals Those to ask. Defaults to all, the host's own included.
 * @throws SallyportError `UNAVAILABLE` when a signal fails: a score that could not be computed is no reason to pass. In monitor mode
 * it is told to the log and to readiness alone.
 */
export async function judgeRisk(
  { settings: { risk }, riskHealth, log }: Parts,
  facts: RiskFacts,
  signals: readonly Signal[] = risk.signals,
): Promise<Judgement> {
  if (risk.mode === 'off') return PASS
  try {
    const { weights, stepUpAt, blockAt } = risk
    const judged = await computed(facts, { signals, weights, stepUpAt, blockAt })
    riskHealth.passed()
    if (risk.mode === 'enforce' || judged.decision === 'pass') return judged
    return { ...judged, decision: 'pass', wouldBe: judged.decision }
  } catch (error) {
    riskHealth.failed()
    log.error({ err: error, at: facts.at }, 'a risk signal failed; the request could not be judged')
    if (risk.mode === 'monitor') return PASS
    throw new SallyportError('UNAVAILABLE', 'the request could not be judged; try again', {
      facts: { retryAfter: 10 },
      cause: error,
    })
  }
}

async function computed(facts: RiskFacts, risk: WeighedSignals & RiskPolicy): Promise<Judgement> {
  const rapid = rapidTokenCreation(facts)
  const { score, reasons: signals } = await assess(facts, risk)
  if (rapid !== undefined) return withRapid(judgement('rapid', score, signals), rapid.evidence)
  return judgement(decide(score, risk), score, signals)
}

function judgement(decision: Judgement['decision'], score: number, signals: readonly Reason[]): Judgement {
  return { decision, score, reasons: signals.map(({ signal }) => signal), signals }
}

/** A judgement to which it comes that sessions are being made faster than a person makes them. */
export function withRapid(
  { score, reasons, signals }: Pick<Judgement, 'score' | 'reasons' | 'signals'>,
  evidence: Reason['evidence'],
): Omit<Judgement, 'wouldBe'> {
  const rapid = { signal: RAPID_TOKEN_CREATION, points: 0, evidence }
  return { decision: 'rapid', score, reasons: [rapid.signal, ...reasons], signals: [rapid, ...signals] }
}

/** What an audit row says of a judgement. */
export function recorded({
  score,
  reasons,
  signals,
  wouldBe,
}: Omit<Judgement, 'decision'>): Readonly<Record<string, unknown>> {
  return {
    score,
    reasons,
    ...(signals.length > 0 && { signals }),
    ...(wouldBe !== undefined && { wouldBe }),
  }
}
