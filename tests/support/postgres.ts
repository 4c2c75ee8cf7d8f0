/**
 * A PostgreSQL database of one's own for a test, with a random name, so that files and runs never meet.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  readonly url: string
  /** Removes the database, ending connections that are still open to it. */
  drop(): Promise<void>
}

/** Whether this run has a PostgreSQL; for `describe.skipIf(!hasPostgres)`. */
export const hasPostgres: boolean = inject('postgresUrl') !== undefined

export async function createDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl')
  if (serverUrl === undefined) throw new Error('no PostgreSQL in this run: guard the suite with hasPostgres')
  const name = `sp_test_${randomBytes(8).toString('hex')}`
  await administer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async drop() {
      await administer(serverUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

async function administer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
