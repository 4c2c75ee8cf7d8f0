/**
 * `sallyport risk`
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import { type Replayed, type ReplayPolicy, replayRisk } from 'sallyport'
import { ArgumentError, type GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'

export interface RiskReplayOptions extends GlobalOptions {
  /** ISO 8601, or a day. */
  readonly from: string
  readonly to: string
  /** A file of JSON: `{ weights, stepUpAt, blockAt, thresholds }`. Defaults to the policy of the service. */
  readonly policy?: string | undefined
}

/** More than these are counted and not listed. */
const MOST_LISTED = 1000

/** Scores recorded sign-ins and refreshes again, and says whom the policy would have asked or stopped. */
export async function riskReplay(options: RiskReplayOptions): Promise<void> {
  const [from, to] = [instant('--from', options.from), instant('--to', options.to)]
  if (from >= to) throw new ArgumentError('--from must be before --to')
  const config = await configuration()
  const { weights, stepUpAt, blockAt, thresholds } = config.engine.risk ?? {}
  const policy =
    options.policy === undefined ? { weights, stepUpAt, blockAt, thresholds } : await policyOf(options.policy)
  const counts = { scored: 0, passed: 0, asked: 0, stopped: 0, changed: 0 }
  const listed: Replayed[] = []
  await withGuard(config, options, async ({ guard }) => {
    for await (const one of replayRisk(guard.store, { from, to, policy: policy as ReplayPolicy })) {
      counts.scored++
      if (one.after.decision === 'pass') counts.passed++
      else if (one.after.decision === 'step-up') counts.asked++
      else counts.stopped++
      if (one.after.decision !== one.before.decision) counts.changed++
      const told = one.after.decision !== 'pass' || one.before.decision !== 'pass'
      if (told && listed.length < MOST_LISTED) listed.push(one)
    }
  })
  const rows = listed.map(({ at, userId, what, before, after, reasons }) => [
    at.toISOString(),
    userId ?? '-',
    what,
    `${before.score} ${before.decision}`,
    `${after.score} ${after.decision}`,
    reasons.join(' '),
  ])
  answer(options, { from, to, ...counts, requests: listed }, [
    ...table([['when', 'user', 'what', 'then', 'anew', 'reasons'], ...rows]),
    `${counts.scored} scored: ${counts.passed} would pass, ${counts.asked} be asked, ${counts.stopped} be stopped; ${counts.changed} differ from what was done.`,
  ])
}

function instant(option: string, value: string): Date {
  const at = new Date(value)
  if (Number.isNaN(at.getTime())) throw new ArgumentError(`${option} must be a moment such as 2026-01-31T12:00:00Z`)
  return at
}

async function policyOf(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new ArgumentError(`--policy: ${path} cannot be read`)
  })
  let policy: unknown
  try {
    policy = JSON.parse(text)
  } catch {
    throw new ArgumentError(`--policy: ${path} is not JSON`)
  }
  const known = ['weights', 'stepUpAt', 'blockAt', 'thresholds']
  if (typeof policy !== 'object' || policy === null || Object.keys(policy).some((name) => !known.includes(name))) {
    throw new ArgumentError(`--policy: ${path} must be an object of ${known.join(', ')}`)
  }
  return policy
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
