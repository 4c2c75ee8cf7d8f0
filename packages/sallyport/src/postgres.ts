/**
 * The PostgreSQL store.
 *
 * @module
 */

import type { NodePostgresOptions } from './store/postgres/node-postgres.ts'
import { nodePostgres } from './store/postgres/node-postgres.ts'
import { postgresStore } from './store/postgres/store.ts'
import type { Store } from './store/contract/store.ts'

export type { NodePostgresOptions } from './store/postgres/node-postgres.ts'

/**
 * Keeps everything in PostgreSQL, over a URL or the host's own `pg.Pool`.
 *
 * Run `migrate()` of the store, or `sallyport migrate`, before the first start.
 *
 * @throws TypeError unless exactly one of `url` and `pool` is given.
 */
export function postgres(options: NodePostgresOptions): Store {
  return postgresStore(nodePostgres(options))
}
