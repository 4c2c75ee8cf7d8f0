/**
 * Runs the shipped SQL migrations: one set for PostgreSQL and PGlite, under a lock, each in a transaction of its own.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { SallyportError } from '../../errors.ts'
import type { Database } from './database.ts'

/** Beside src and dist alike. */
const FOLDER = new URL('../../../migrations/', import.meta.url)

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/** The shipped migrations, in order. */
export async function shippedMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(FOLDER)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, FOLDER), 'utf8')
      return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/**
 * Brings the database up to date. Nodes that start together wait for each other, and one runs what is missing.
 *
 * @returns The names of the migrations that this call ran.
 * @throws SallyportError `CONFIG_INVALID` when a migration that ran before no longer reads as it did then.
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  const shipped = await shippedMigrations()
  return database.exclusively(async (run) => {
    await run(`create table if not exists sallyport_migrations (
      name text primary key, checksum text not null, ran_at timestamptz(3) not null default clock_timestamp())`)
    const done = new Map(
      (await run('select name, checksum from sallyport_migrations')).map((row) => [
        String(row['name']),
        row['checksum'],
      ]),
    )
    const ran: string[] = []
    for (const { name, text, checksum } of shipped) {
      const before = done.get(name)
      if (before !== undefined && before !== checksum) {
        throw new SallyportError(
          'CONFIG_INVALID',
          `migration ${name} was changed after it ran; restore the shipped file`,
        )
      }
      if (before !== undefined) continue
      await run(
        `begin;\n${text}\n;insert into sallyport_migrations (name, checksum) values ('${name}', '${checksum}');\ncommit`,
      )
      ran.push(name)
    }
    return ran
  })
}

/** Names of shipped migrations that the database has not run. */
export async function pendingMigrations(database: Database): Promise<readonly string[]> {
  const shipped = await shippedMigrations()
  const known = await database.run<{ present: boolean }>(
    { name: 'sallyport_migrations_known', text: "select to_regclass('sallyport_migrations') is not null as present" },
    [],
  )
  if (known[0]?.present !== true) return shipped.map(({ name }) => name)
  const done = await database.run<{ name: string }>(
    { name: 'sallyport_migrations_done', text: 'select name from sallyport_migrations' },
    [],
  )
  const names = new Set(done.map(({ name }) => name))
  return shipped.map(({ name }) => name).filter((name) => !names.has(name))
}
