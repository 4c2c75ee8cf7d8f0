import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { createDatabase, hasPostgres } from './postgres.ts'

describe.skipIf(!hasPostgres)('createDatabase', () => {
  test('each test gets a database of its own, gone after drop even with a connection left open', async () => {
    const [one, two] = await Promise.all([createDatabase(), createDatabase()])
    expect(one.url).not.toBe(two.url)
    const left = new pg.Client({ connectionString: one.url })
    left.on('error', () => undefined)
    await left.connect()
    await left.query('create table t (n int)')

    await Promise.all([one.drop(), two.drop()])

    const server = new pg.Client({ connectionString: inject('postgresUrl') })
    await server.connect()
    const names = [one, two].map(({ url }) => new URL(url).pathname.slice(1))
    const { rows } = await server.query('select datname from pg_database where datname = any($1)', [names])
    await server.end()
    expect(rows).toEqual([])
  })
})
