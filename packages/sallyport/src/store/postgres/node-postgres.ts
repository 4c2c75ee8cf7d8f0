/**
 * The database over node-postgres: pool, prepared statements, transactions, and what a COMMIT is worth.
 *
 * @module
 */

import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { RowFormat } from '../contract/evidence.ts'
import type { ClockShift } from '../contract/store.ts'
import { binaryColumn, Column } from './columns.ts'
import type { RowSink } from './copy-out.ts'
import { copyOut, RowsInPlace } from './copy-out.ts'
import type { Database, Sql, SqlValue, Statement, Tx } from './database.ts'
import { mapDriverError, TryAgain, unavailable } from './errors.ts'
import { withLiterals } from './literal.ts'

export interface NodePostgresOptions {
  /** A connection URL, or the host's own pool (which stays the host's to close, and whose time limits are the host's). */
  readonly url?: string | undefined
  readonly pool?: pg.Pool | undefined
  /** Connections for requests. Defaults to 10. */
  readonly poolSize?: number | undefined
  readonly clock?: ClockShift | undefined
}

/** How long one statement and one idle moment inside a transaction may take: the change feed's overlap rests on both. */
const STATEMENT_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_MS = 5_000
/** How long a request waits for a free connection, or a new one, before it is told 503. */
const CONNECT_TIMEOUT_MS = 3_000
/** What exports and jobs may take. */
const BULK_CONNECTIONS = 2
const BULK_STATEMENT_TIMEOUT_MS = 60_000
const COPY_TIMEOUT_MS = 15 * 60_000
/** The client's own limit, for a server that went away without saying so. */
const ANSWER_TIMEOUT_MS = 6_000
const ATTEMPTS = 4
/** The advisory lock that nodes take to migrate: the bytes of "sally". */
const MIGRATION_LOCK = 0x73616c6c79

/** Opens PostgreSQL. Connections are made when first needed; a server that is away shows at the first statement. */
export function nodePostgres({
  url,
  pool: given,
  poolSize = 10,
  clock = { offsetMs: 0 },
}: NodePostgresOptions): Database {
  if ((url === undefined) === (given === undefined)) throw new TypeError('postgres: give either "url" or "pool"')
  const config: pg.PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    application_name: 'sallyport',
    keepAlive: true,
  }
  const pool = given ?? watched(new pg.Pool({ ...config, max: poolSize }))
  const feedPool = given ?? watched(new pg.Pool({ ...config, max: 1 }))
  const bulkPool = watched(
    new pg.Pool({
      ...(given === undefined ? config : { ...given.options, password: given.options.password }),
      max: BULK_CONNECTIONS,
      connectionTimeoutMillis: BULK_STATEMENT_TIMEOUT_MS,
      statement_timeout: BULK_STATEMENT_TIMEOUT_MS,
      query_timeout: undefined,
      idleTimeoutMillis: 10_000,
      allowExitOnIdle: true,
    }),
  )
  const sql = pooled(pool)
  return {
    run: sql.run,
    feed: pooled(feedPool),
    bulk: pooled(bulkPool),
    async copy(statement, values, format, write) {
      const rows = new RowsInPlace(format, write)
      await copy(bulkPool, statement, values, format, rows)
      return rows.rows
    },
    lines: (statement, values, write) => copy(bulkPool, statement, values, 'lines', new RowsInPlace('lines', write)),
    db: drizzle(pool),
    clock,
    lanes: 3,
    transaction: (work) => transaction(pool, clock, work),
    exclusively: (work) => exclusively(given ?? url ?? '', work),
    close: async () => {
      await Promise.all([bulkPool.end(), ...(given === undefined ? [pool.end(), feedPool.end()] : [])])
    },
  }
}

/** A pool whose idle connections may die: without a listener the process would die with them. The next statement reports it. */
function watched(pool: pg.Pool): pg.Pool {
  return pool.on('error', () => undefined)
}

function pooled(pool: pg.Pool): Sql {
  return {
    run: <Row>(statement: Statement, values: readonly SqlValue[]): Promise<readonly Row[]> =>
      untilDone(() => runOnce<Row>(pool, statement, values)),
  }
}

async function runOnce<Row>(pool: pg.Pool, statement: Statement, values: readonly SqlValue[]): Promise<readonly Row[]> {
  const client = await connect(pool)
  try {
    const rows = await runOn<Row>(client, statement, values)
    client.release()
    return rows
  } catch (error) {
    client.release(mustDiscard(error))
    throw mapDriverError(error, statement.name)
  }
}

/** A deadlock's or a serialisation's victim left nothing behind, and goes again. */
async function untilDone<T>(attemptOnce: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce()
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error
      if (attempt === ATTEMPTS) throw unavailable(`gave up after ${ATTEMPTS} attempts: ${error.message}`)
    }
  }
}

async function runOn<Row>(
  client: pg.PoolClient,
  { name, text }: Statement,
  values: readonly SqlValue[],
): Promise<Row[]> {
  const commit = watchForUnsyncedCommit(client)
  const { rows } = await client.query({ name, text, values: values.map(sent) })
  if (commit.unsynced()) throw unavailable('synchronous wait cancelled', name)
  return rows as Row[]
}

/** The driver sends a Buffer in binary, and everything else as text. */
function sent(value: SqlValue): unknown {
  return value instanceof Column ? binaryColumn(value) : value
}

/** How COPY writes a row. JSON text holds neither of the two control characters, so that it comes out as it is. */
const COPY_OPTIONS: Readonly<Record<RowFormat | 'lines', string>> = {
  csv: 'format csv, force_quote *',
  ndjson: `format csv, quote e'\\x01', delimiter e'\\x02'`,
  json: `format csv, quote e'\\x01', delimiter e'\\x02'`,
  lines: 'format text',
}

async function copy(
  pool: pg.Pool,
  { name, text }: Statement,
  values: readonly SqlValue[],
  format: RowFormat | 'lines',
  sink: RowSink,
): Promise<void> {
  const client = await connect(pool)
  try {
    // One message there and back. Of several chunks that are read at a time each has a backend, so workers would be in the way;
    // and a bitmap, which the planner takes where it knows nothing of a new table, loses the order that the index has.
    await copyOut(
      client,
      `begin read only;
        set local statement_timeout = ${COPY_TIMEOUT_MS};
        set local max_parallel_workers_per_gather = 0;
        set local jit = off;
        set local enable_bitmapscan = off;
        set local timezone = 'UTC';
        set local standard_conforming_strings = on;
        copy (${withLiterals(text, values)}) to stdout (${COPY_OPTIONS[format]}, encoding 'UTF8');
        commit`,
      sink,
    )
    client.release()
  } catch (error) {
    client.release(true)
    throw error instanceof Error && 'errno' in error ? error : mapDriverError(error, name)
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return survivesItsConnection(await pool.connect())
  } catch (error) {
    throw mapDriverError(error, 'connect')
  }
}

const surviving = new WeakSet<pg.ClientBase>()

/**
 * A client whose connection breaks fails its query and then emits `error` as well. A pool listens for that only while the
 * client is idle: with one checked out and nobody listening, the cut of a cable would end the process.
 */
function survivesItsConnection<Client extends pg.ClientBase>(client: Client): Client {
  if (!surviving.has(client)) {
    surviving.add(client)
    client.on('error', () => undefined)
  }
  return client
}

function transaction<T>(pool: pg.Pool, clock: ClockShift, work: (tx: Tx) => Promise<T>): Promise<T> {
  return untilDone(() => attemptTransaction(pool, clock, work))
}

async function attemptTransaction<T>(pool: pg.Pool, clock: ClockShift, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await connect(pool)
  try {
    const now = await begin(client, clock)
    const tx: Tx = {
      now,
      shiftMs: clock.offsetMs,
      db: drizzle(client),
      run: (statement, values) => runOn(client, statement, values),
    }
    const result = await work(tx)
    await commit(client)
    client.release()
    return result
  } catch (error) {
    const discard = mustDiscard(error) || !(await rolledBack(client))
    client.release(discard)
    throw mapDriverError(error)
  }
}

async function begin(client: pg.PoolClient, clock: ClockShift): Promise<Date> {
  // Two statements in one message: one round trip. Its results come as an array.
  const results = (await client.query(
    'begin; select to_char(clock_timestamp() at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\') as now',
  )) as unknown as readonly pg.QueryResult<{ now: string }>[]
  const now = results[1]?.rows[0]?.now
  if (now === undefined) throw unavailable('no answer to begin')
  return new Date(Date.parse(now) + clock.offsetMs)
}

async function commit(client: pg.PoolClient): Promise<void> {
  const watch = watchForUnsyncedCommit(client)
  const { command } = await client.query('commit')
  // A transaction that an error had aborted answers COMMIT with ROLLBACK.
  if (command !== 'COMMIT') throw unavailable(`commit answered ${command}`)
  if (watch.unsynced()) throw unavailable('synchronous wait cancelled at commit')
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    // The connection is gone, and its transaction with it; the caller discards it and rethrows what happened first.
    return false
  }
}

/** A connection is discarded unless the server itself refused the statement: then it is still in step. */
function mustDiscard(error: unknown): boolean {
  const mapped = mapDriverError(error)
  return 'code' in mapped && mapped.code === 'UNAVAILABLE'
}

const unsyncedCommits = new WeakMap<pg.PoolClient, { count: number }>()

/**
 * With a synchronous standby, a COMMIT whose wait was cancelled succeeds with a WARNING: it may be lost with the primary,
 * so it is never acknowledged. The notice arrives before the command's completion.
 */
function watchForUnsyncedCommit(client: pg.PoolClient): { unsynced(): boolean } {
  let seen = unsyncedCommits.get(client)
  if (seen === undefined) {
    const counter = { count: 0 }
    client.on('notice', (notice) => {
      if (notice.severity === 'WARNING' && notice.code === '01000') counter.count++
    })
    unsyncedCommits.set(client, counter)
    seen = counter
  }
  const before = seen.count
  const counter = seen
  return { unsynced: () => counter.count !== before }
}

/** A connection of its own: migrations take longer than a request may, and hold a lock of the whole session. */
async function exclusively<T>(
  source: pg.Pool | string,
  work: (run: (text: string) => Promise<readonly Record<string, unknown>[]>) => Promise<T>,
): Promise<T> {
  const client = survivesItsConnection(
    typeof source === 'string'
      ? new pg.Client({ connectionString: source, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
      : new pg.Client(source.options),
  )
  try {
    await client.connect()
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    return await work(async (text) => {
      const result = (await client.query(text)) as unknown
      const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult
      return last.rows as Record<string, unknown>[]
    })
  } catch (error) {
    throw mapDriverError(error, 'migration')
  } finally {
    // Ends the session, and the lock with it.
    await client.end().catch(() => undefined)
  }
}
