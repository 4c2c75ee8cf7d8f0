/**
 * A PostgreSQL database of a run's own, with a random name, dropped afterwards.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import pg from 'pg'

export interface ScratchDatabase {
  readonly url: string
  drop(): Promise<void>
}

export async function scratchDatabase(serverUrl: string): Promise<ScratchDatabase> {
  const name = `sp_bench_${randomBytes(6).toString('hex')}`
  await administer(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(serverUrl, `drop database if exists ${name} with (force)`) }
}

/** Lends a database to `work`, and drops it whatever became of that. */
export async function withDatabase<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const database = await scratchDatabase(serverUrl)
  try {
    return await work(database.url)
  } finally {
    await database.drop()
  }
}

/** How the server commits: figures of a server that does not wait for its disk are not comparable. */
export async function describeServer(serverUrl: string): Promise<Readonly<Record<string, string>>> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings
       where name in ('server_version', 'synchronous_commit', 'fsync', 'full_page_writes', 'shared_buffers', 'wal_sync_method')`,
    )
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  } finally {
    await client.end()
  }
}

/** Runs statements one after the other on a connection of their own. */
export async function administer(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Writes out what earlier work left dirty, so that no contender pays for another's pages. */
export async function settle(url: string): Promise<void> {
  await administer(url, 'checkpoint')
}
