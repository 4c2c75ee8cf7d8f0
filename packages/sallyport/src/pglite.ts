/**
 * The embedded store: PostgreSQL in this process, in a folder.
 *
 * @module
 */

import type { ClockShift, Store } from './store/contract/store.ts'
import { openFolder, openInMemory } from './store/pglite/open.ts'
import { pgliteDatabase } from './store/postgres/pglite.ts'
import { postgresStore } from './store/postgres/store.ts'

export interface PgliteOptions {
  /** The folder; made where it is missing. Without one the data lives in memory and ends with the process. */
  readonly dataDir?: string | undefined
  /** Moves the database's clock, for tests. */
  readonly clock?: ClockShift | undefined
}

/**
 * Keeps everything in an embedded database, migrated and ready when this resolves. One process has the folder.
 *
 * It survives the death of the process, but not the loss of power: use PostgreSQL in production.
 *
 * @throws SallyportError `CONFIG_INVALID` when another process has the folder.
 */
export async function pglite({ dataDir, clock }: PgliteOptions = {}): Promise<Store> {
  const opened = dataDir === undefined ? await openInMemory() : await openFolder(dataDir)
  return postgresStore(pgliteDatabase(opened, clock))
}
