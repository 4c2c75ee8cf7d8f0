/**
 * Plain SQL over a pool, for fixtures and for references.
 *
 * @module
 */

import pg from 'pg'
import type { RunSql } from '../fixtures.ts'

export interface SqlPool {
  readonly run: RunSql
  readonly pool: pg.Pool
  end(): Promise<void>
}

export function sqlOn(url: string, connections = 4): SqlPool {
  const pool = new pg.Pool({ connectionString: url, max: connections })
  // An idle connection may be cut off when the database is dropped: nobody waits for it any more.
  pool.on('error', () => undefined)
  return { pool, run: (text, values) => pool.query(text, values), end: () => pool.end() }
}
