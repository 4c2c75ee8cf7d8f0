/**
 * Looks at every statement that a store sends, whatever database it sends it to.
 *
 * @module
 */

import type { Database, Drizzle, Sql, Statement } from '../database.ts'

/** A statement, under its name where it has one. */
export type Sent = { readonly name?: string | undefined; readonly text: string }

/** The database, with each statement told before it is sent. Migrations, which run as a file, are not. */
export function watchStatements(database: Database, sent: (statement: Sent) => void): Database {
  const watchedSql = <S extends Sql>(sql: S): S => ({
    ...sql,
    run: (statement: Statement, values: Parameters<Sql['run']>[1]) => {
      sent(statement)
      return sql.run(statement, values)
    },
  })
  return {
    ...watchedSql(database),
    db: watchDrizzle(database.db, sent),
    feed: watchedSql(database.feed),
    bulk: watchedSql(database.bulk),
    transaction: (work) => database.transaction((tx) => work({ ...watchedSql(tx), db: watchDrizzle(tx.db, sent) })),
    copy: (select, ...rest) => {
      sent(select)
      return database.copy(select, ...rest)
    },
    lines: (select, ...rest) => {
      sent(select)
      return database.lines(select, ...rest)
    },
  }
}

type Prepare = (query: { readonly sql: string }, ...rest: readonly unknown[]) => unknown

const watched = new WeakSet<object>()

/** Every statement that Drizzle builds is prepared by its session, which is not part of its types. */
function watchDrizzle(db: Drizzle, sent: (statement: Sent) => void): Drizzle {
  const { session } = db as unknown as { readonly session: { prepareQuery: Prepare } }
  if (watched.has(session)) return db
  watched.add(session)
  const prepare = session.prepareQuery.bind(session)
  session.prepareQuery = (query, ...rest) => {
    sent({ text: query.sql })
    return prepare(query, ...rest)
  }
  return db
}
