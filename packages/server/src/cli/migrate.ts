/**
 * `sallyport migrate`
 *
 * @module
 */

import { openStore } from '../open-store.ts'
import type { GlobalOptions } from './report.ts'
import { answer, configuration } from './session.ts'

/** Brings the database up to date. */
export async function migrate(options: GlobalOptions): Promise<void> {
  const store = await openStore(await configuration())
  try {
    const ran = await store.migrate()
    answer(options, { ran }, ran.length === 0 ? ['up to date, nothing to run'] : ran.map((name) => `ran ${name}`))
  } finally {
    await store.close()
  }
}
