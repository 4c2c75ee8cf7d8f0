/**
 * `sallyport demo`
 *
 * @module
 */

import { SallyportError } from 'sallyport'
import type { Config } from '../config.ts'
import { demoLines } from '../demo/describe.ts'
import { type FoundDemo, keptDemo, seedDemo } from '../demo/seed.ts'
import { progressOf } from './progress.ts'
import type { GlobalOptions } from './report.ts'
import { answer, configuration, withGuard } from './session.ts'

/** Seeds the demo tenant where it is not there yet, and prints its credentials with the codes of this moment. */
export async function demo(options: GlobalOptions): Promise<void> {
  const config = await configuration()
  const found = await seedDemoIn(config, options).catch(async (error: unknown) => whileItRuns(config, error))
  answer(options, found, demoLines(found, config.issuer))
}

async function seedDemoIn(config: Config, options: GlobalOptions): Promise<FoundDemo> {
  const progress = progressOf(options)
  try {
    return await withGuard(config, options, async ({ guard, clock }, log) =>
      seedDemo({ config, store: guard.store, clock, log, tell: (text) => progress.show(text) }),
    )
  } finally {
    progress.end()
  }
}

/** The service has the embedded database: what it printed at its start is in the file. */
async function whileItRuns({ dataDir }: Config, error: unknown): Promise<FoundDemo> {
  const isLocked = error instanceof SallyportError && typeof error.facts['pid'] === 'number'
  const kept = isLocked ? await keptDemo(dataDir) : undefined
  if (kept === undefined) throw error
  return kept
}
