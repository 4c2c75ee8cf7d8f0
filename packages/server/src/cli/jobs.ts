/**
 * `sallyport jobs`
 *
 * @module
 */

import { progressOf } from './progress.ts'
import { CommandError, type GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'

const LATEST = 5

/** Runs one job. */
export async function jobsRun(name: string, options: GlobalOptions): Promise<void> {
  const progress = progressOf(options)
  const outcome = await withGuard(await configuration(), options, async ({ guard }) => {
    try {
      return await guard.jobs.run(name, { onProgress: (result) => progress.show(lineOf(result)) })
    } finally {
      progress.end()
    }
  })
  if (outcome.kind === 'running-elsewhere') throw new CommandError(`${name} is being run by another process`)
  answer(options, outcome, [`${name}: ${lineOf(outcome.result)}`])
}

/** Lists the jobs, each with its latest runs. */
export async function jobsList(options: GlobalOptions): Promise<void> {
  const jobs = await withGuard(await configuration(), options, ({ guard }) => guard.jobs.list({ runs: LATEST }))
  const lines = jobs.flatMap(({ name, summary, everyMs, runs }) => [
    `${name}  every ${everyMs / 3_600_000} h: ${summary}`,
    ...runs.map(
      ({ startedAt, state, result, error }) =>
        `  ${startedAt.toISOString()}  ${state.padEnd('running'.length)}  ${error ?? lineOf(result)}`,
    ),
    ...(runs.length === 0 ? ['  never ran'] : []),
  ])
  answer(options, { jobs }, lines)
}

function lineOf(result: Readonly<Record<string, number>>): string {
  const done = Object.entries(result).filter(([, count]) => count > 0)
  return done.length === 0 ? 'nothing to do' : done.map(([what, count]) => `${what} ${count}`).join(', ')
}
