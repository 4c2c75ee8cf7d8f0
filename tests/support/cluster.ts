/**
 * Several nodes of the built service, each a process of its own, on one PostgreSQL.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import type { Sallyport } from '../../packages/sallyport/src/sallyport.ts'
import { sallyport } from '../../packages/sallyport/src/sallyport.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { postgresStore } from '../../packages/sallyport/src/store/postgres/store.ts'
import type { Run, Running } from '../processes/support.ts'
import { run, serve } from '../processes/support.ts'
import { createDatabase } from './postgres.ts'

export interface Cluster {
  readonly nodes: readonly Running[]
  readonly databaseUrl: string
  /** A node in this process, for what would cost a request each and is not the test's matter. */
  engine(options?: Partial<SallyportOptions>): Promise<Sallyport>
  /** Starts one more node with the cluster's secret and settings. */
  startNode(env?: Readonly<Record<string, string>>): Promise<Running>
  /** Runs a command of `sallyport` beside them, as an operator would. */
  command(...args: readonly string[]): Promise<Run>
  close(): Promise<void>
}

/** @param settings What stands in the configuration file of every node. */
export async function startCluster(
  size: number,
  settings: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Cluster> {
  const database = await createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-cluster-'))
  await writeFile(join(folder, 'sallyport.config.json'), JSON.stringify(settings))
  const shared = {
    DATABASE_URL: database.url,
    SALLYPORT_SECRETS: randomBytes(32).toString('base64url'),
    SALLYPORT_ISSUER: 'http://sallyport.test',
    LOG_LEVEL: 'error',
    // All requests of a test come from one address, and more of them than any office sends.
    SALLYPORT_RATE_LIMITS: 'off',
    ...env,
  }
  const nodes: Running[] = []
  const engines: Sallyport[] = []
  const startNode = async (more: Readonly<Record<string, string>> = {}): Promise<Running> => {
    const node = await serve(folder, { ...shared, ...more })
    nodes.push(node)
    return node
  }
  const engine: Cluster['engine'] = async (options) => {
    const started = sallyport({
      store: postgresStore(nodePostgres({ url: database.url })),
      issuer: shared.SALLYPORT_ISSUER,
      secrets: [shared.SALLYPORT_SECRETS],
      rateLimits: 'off',
      ...options,
    })
    engines.push(started)
    await started.start()
    return started
  }
  const close = async (): Promise<void> => {
    for (const one of engines) await one.close()
    await Promise.all(nodes.filter(({ child }) => child.exitCode === null).map((node) => node.end('SIGKILL')))
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const migrated = await run(['migrate'], folder, shared)
    if (migrated.code !== 0) throw new Error(`migrate: ${migrated.stderr}`)
    // Together, as after a deployment: they must agree on one set of keys.
    await Promise.all(Array.from({ length: size }, () => startNode()))
  } catch (error) {
    await close()
    throw error
  }
  const command = (...args: readonly string[]) => run(args, folder, shared)
  return { nodes, databaseUrl: database.url, engine, startNode, command, close }
}
