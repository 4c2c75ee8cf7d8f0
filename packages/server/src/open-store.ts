/**
 * Opens the database that the configuration names.
 *
 * @module
 */

import type { Store } from 'sallyport'
import type { PgliteOptions } from 'sallyport/pglite'
import type { Config } from './config.ts'
import { secretsOf } from './config/secrets-file.ts'

/** What moves the database's clock, for the demo's past. */
export type Clock = NonNullable<PgliteOptions['clock']>

/**
 * PostgreSQL, or the embedded database in the data folder. Only the driver that is needed is loaded: PGlite is megabytes.
 *
 * @param clock Moves its clock. Never in production.
 * @throws SallyportError `CONFIG_INVALID` when another process has the data folder.
 */
export async function openStore({ database, dataDir, secrets }: Config, clock?: Clock): Promise<Store> {
  if (database.kind === 'embedded') {
    // Before the database: a database folder without its secret is how a lost secret is told.
    if (secrets === undefined) secretsOf(dataDir)
    const { pglite } = await import('sallyport/pglite')
    return pglite({ dataDir, clock })
  }
  const { postgres } = await import('sallyport/postgres')
  return postgres({ url: database.url, poolSize: database.poolSize, clock })
}
