/**
 * `sallyport doctor`
 *
 * @module
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { SallyportError, type Store } from 'sallyport'
import type { Config } from '../config.ts'
import type { Problem } from '../config/problems.ts'
import { openGuard } from '../open-guard.ts'
import { createLogger } from '../logger.ts'
import { smtpMailer } from '../smtp-mailer.ts'
import { fail, note, ok, type Finding } from './doctor/finding.ts'
import { placesFinding } from './doctor/places.ts'
import { redisFinding } from './doctor/redis.ts'
import type { GlobalOptions } from './report.ts'
import { answer, configuration } from './session.ts'

/** Clocks that differ by more make tokens valid too early or too late, and logs hard to join. */
const MOST_CLOCK_DIFFERENCE_MS = 1_000
const PATIENCE_MS = 5_000

/** Checks what the service needs. @returns The exit code: 1 when something must be mended. */
export async function doctor(options: GlobalOptions): Promise<number> {
  const findings = await findingsOf()
  const ok = findings.every(({ state }) => state !== 'fail')
  const lines = findings.map(({ check, state, message }) => `${state.padEnd(5)} ${check.padEnd(14)} ${message}`)
  answer(options, { ok, findings }, [...lines, ok ? 'Nothing to mend.' : 'Mend what is marked "fail".'])
  return ok ? 0 : 1
}

async function findingsOf(): Promise<Finding[]> {
  let config: Config
  try {
    config = await configuration()
  } catch (error) {
    return problemsOf(error).map(({ where, rule }) => fail('configuration', `${where} ${rule}`))
  }
  return [
    ok('configuration', `${config.production ? 'production' : 'development'}, issuer ${config.issuer}`),
    ...(config.database.kind === 'postgres' ? await postgresFindings(config.database.url) : embeddedFindings(config)),
    ...(await engineFindings(config)),
    ...(config.redisUrl === undefined ? [] : [await redisFinding(config.redisUrl)]),
    await placesFinding(config),
    await mailFinding(config),
  ]
}

async function postgresFindings(url: string): Promise<Finding[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows: facts } = await client.query<{ version: string; fsync: string; replica: boolean }>(
      "select current_setting('server_version') as version, current_setting('fsync') as fsync, pg_is_in_recovery() as replica",
    )
    const asked = Date.now()
    const { rows: clock } = await client.query<{ ms: string }>(
      'select extract(epoch from clock_timestamp()) * 1000 as ms',
    )
    // The answer was true half-way between the question and its arrival.
    const difference = Math.round(Number(clock[0]?.ms) - (asked + Date.now()) / 2)
    const { version = '', fsync, replica } = facts[0] ?? {}
    return [
      ok('database', `PostgreSQL ${version} answers`),
      ...(replica === true ? [fail('database', 'is a read-only replica: DATABASE_URL must name the primary')] : []),
      ...(fsync === 'off' ? [fail('database', 'runs with fsync=off: a power loss loses sessions. Set fsync=on')] : []),
      Math.abs(difference) > MOST_CLOCK_DIFFERENCE_MS
        ? fail('clock', `this machine and the database differ by ${difference} ms: let both follow a time server (NTP)`)
        : ok('clock', `this machine and the database differ by ${difference} ms`),
    ]
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return [
      fail(
        'database',
        `DATABASE_URL cannot be reached (${code ?? 'no answer'}): check address, credentials and network`,
      ),
    ]
  } finally {
    await client.end().catch(() => undefined)
  }
}

function embeddedFindings({ dataDir }: Config): Finding[] {
  return [
    ok('database', `embedded, in ${dataDir}`),
    note(
      'durability',
      'the embedded database survives a crash of the process, and is not proof against power loss or a crash of the machine: set DATABASE_URL for what must last',
    ),
  ]
}

async function engineFindings(config: Config): Promise<Finding[]> {
  if (config.database.kind === 'embedded' && !existsSync(join(config.dataDir, 'database'))) {
    return [note('migrations', 'the database is made by the first start')]
  }
  try {
    const log = createLogger({ level: 'silent', json: true })
    const { guard, close } = await openGuard(config, log)
    try {
      return [ok('secrets', 'readable'), await migrationFinding(guard.store)]
    } finally {
      await close()
    }
  } catch (error) {
    const pid = error instanceof SallyportError ? error.facts['pid'] : undefined
    if (typeof pid === 'number') return [await runningFinding(config, pid)]
    return problemsOf(error).map(({ where, rule }) => fail('engine', `${where} ${rule}`.trim()))
  }
}

async function migrationFinding(store: Store): Promise<Finding> {
  const { reachable, pendingMigrations } = await store.health()
  if (!reachable) return fail('migrations', 'cannot be known while the database is away')
  if (pendingMigrations.length === 0) return ok('migrations', 'current')
  return fail('migrations', `${pendingMigrations.join(', ')} pending: run \`sallyport migrate\``)
}

/** The embedded database has one owner at a time; where that is the service, it is asked how it fares. */
async function runningFinding({ host, port }: Config, pid: number): Promise<Finding> {
  try {
    const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
    const response = await fetch(`http://${name}:${port}/readyz`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    return response.ok
      ? ok('service', `process ${pid} has the database, and is ready`)
      : fail('service', `process ${pid} has the database, and is not ready: ${await response.text()}`)
  } catch {
    return note('service', `process ${pid} has the database; nothing answers on port ${port}, so it could not be asked`)
  }
}

async function mailFinding({ smtp, production }: Config): Promise<Finding> {
  if (smtp === undefined) {
    return production
      ? fail('mail', 'SMTP_URL is not set: invitations, resets and alerts are not sent')
      : note('mail', 'SMTP_URL is not set: mails are kept in the development outbox')
  }
  const mailer = smtpMailer(smtp.url, smtp.from)
  try {
    await mailer.verify()
    return ok('mail', 'the SMTP server answers and accepts the credentials')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return fail('mail', `SMTP_URL: the server refused (${code ?? 'no answer'}): check address and credentials`)
  } finally {
    mailer.close()
  }
}

function problemsOf(error: unknown): readonly Problem[] {
  const problems = error instanceof SallyportError ? error.facts['problems'] : undefined
  if (Array.isArray(problems)) return problems as Problem[]
  return [{ where: '', rule: error instanceof Error ? error.message : String(error) }]
}
