/**
 * The database on PGlite: one connection in this process, statements prepared once and executed by name.
 *
 * @module
 */

import type { PGlite, Transaction } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import type { RowFormat } from '../contract/evidence.ts'
import type { SealedFields as Fields } from '../contract/sealed-rows.ts'
import { sealedLine } from '../contract/sealed-rows.ts'
import type { ClockShift } from '../contract/store.ts'
import type { Database, Sql, SqlValue, Statement, Tx } from './database.ts'
import { mapDriverError, TryAgain } from './errors.ts'
import { literal, quoted, withLiterals } from './literal.ts'
import { RowWriter } from './row-writer.ts'

type Runner = Pick<PGlite | Transaction, 'query' | 'exec'>

/** The database on an open PGlite. Its one connection serialises transactions: a call inside one must use that one's `tx`. */
export function pgliteDatabase(pglite: PGlite, clock: ClockShift = { offsetMs: 0 }): Database {
  const prepared = new Set<string>()
  const sql = prepares(pglite, prepared)
  const worked = gatherStatistics(pglite)
  return {
    run: async (statement, values) => {
      const rows = await sql.run<never>(statement, values)
      worked()
      return rows
    },
    feed: sql,
    bulk: sql,
    async lines(statement, values, write) {
      await fields(pglite, statement, values, (row) => write(Buffer.from(sealedLine(row))))
    },
    async copy(statement, values, format, write) {
      const writer = new RowWriter(format, write)
      await fields(pglite, statement, values, (row) => writer.add(written(row, format)))
      writer.end()
      return writer.rows
    },
    db: drizzle(pglite),
    clock,
    lanes: 1,
    transaction: (work) => transaction(pglite, prepared, clock, work),
    exclusively: async (work) => {
      try {
        // One process has the folder (its lock file says so), and PGlite runs one statement at a time.
        return await work(async (text) => (await pglite.exec(text)).at(-1)?.rows ?? [])
      } catch (error) {
        throw mapDriverError(error, 'migration')
      }
    },
    close: () => pglite.close(),
  }
}

/** Rows of one batch are copied out of WebAssembly at a time; PGlite has one connection, so whoever comes meanwhile waits. */
const FETCH_ROWS = 2000
const asText = (value: string): string => value
/** bool, int8, int4, json, float8, timestamptz, uuid, jsonb: as PostgreSQL writes them, and not as JavaScript would. */
const TEXT_PARSERS = Object.fromEntries([16, 20, 23, 114, 701, 1184, 2950, 3802].map((oid) => [oid, asText]))

async function fields(
  pglite: PGlite,
  { name, text }: Statement,
  values: readonly SqlValue[],
  each: (row: Fields) => void,
): Promise<void> {
  try {
    await pglite.transaction(async (inner) => {
      await inner.exec(`declare sallyport_fields no scroll cursor for ${withLiterals(text, values)}`)
      for (;;) {
        const { rows } = await inner.query<Fields>(`fetch ${FETCH_ROWS} from sallyport_fields`, [], {
          rowMode: 'array',
          parsers: TEXT_PARSERS,
        })
        for (const row of rows) each(row)
        if (rows.length < FETCH_ROWS) return
      }
    })
  } catch (error) {
    throw error instanceof Error && 'errno' in error ? error : mapDriverError(error, name)
  }
}

/** Written as COPY would write it, which has no way out of here but with all of its rows at once. */
function written(row: Fields, format: RowFormat): Buffer {
  if (format !== 'csv') return Buffer.from(row[0] ?? '')
  return Buffer.from(row.map((field) => (field === null ? '' : `"${field.replaceAll('"', '""')}"`)).join(','))
}

function prepares(runner: Runner, prepared: Set<string>): Sql {
  return {
    async run<Row>({ name, text }: Statement, values: readonly SqlValue[]): Promise<readonly Row[]> {
      try {
        // Parsing and planning dominate in WebAssembly, so each statement is prepared once for the life of the connection.
        // A PREPARE outlives a rollback of the transaction that it was made in.
        if (!prepared.has(name)) await prepareOnce(runner, name, text)
        prepared.add(name)
        const parameters = values.length === 0 ? '' : `(${values.map(literal).join(',')})`
        return (await runner.query<Row>(`execute "${name}"${parameters}`)).rows
      } catch (error) {
        throw mapDriverError(error, name)
      }
    },
  }
}

/**
 * Looks and prepares in one statement: two first uses may come at one time, one of them inside a transaction, which must
 * neither wait for the other nor be aborted by it.
 */
async function prepareOnce(runner: Runner, name: string, text: string): Promise<void> {
  await runner.exec(`do $prepare$ begin
    if not exists (select from pg_prepared_statements where name = ${quoted(name)}) then
      execute ${quoted(`prepare "${name}" as ${text}`)};
    end if;
  end $prepare$`)
}

async function transaction<T>(
  pglite: PGlite,
  prepared: Set<string>,
  clock: ClockShift,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  try {
    return (await pglite.transaction(async (inner) => {
      const { rows } = await inner.query<{ now: Date }>('select clock_timestamp()::timestamptz(3) as now')
      const at = rows[0]?.now
      if (at === undefined) throw new TypeError('pglite: no clock')
      // Drizzle asks of its client no more than `query`, which a transaction has.
      const db = drizzle(inner as unknown as PGlite)
      const now = new Date(at.getTime() + clock.offsetMs)
      return await work({ now, shiftMs: clock.offsetMs, db, run: prepares(inner, prepared).run })
    })) as T
  } catch (error) {
    const mapped = mapDriverError(error)
    // One connection has nobody to deadlock with.
    if (mapped instanceof TryAgain) throw new TypeError(`pglite: ${mapped.message} on a single connection`)
    throw mapped
  }
}

/**
 * Gathers the planner's statistics each time the work done has doubled: no autovacuum runs in here, and a plan made for empty
 * tables reads all that a tenant has.
 */
function gatherStatistics(pglite: PGlite): () => void {
  let done = 0
  let due = 128
  return () => {
    if (++done < due) return
    due *= 2
    // Nobody waits for it, and without it everything is slower but as right.
    pglite.exec('analyze').catch(() => undefined)
  }
}
