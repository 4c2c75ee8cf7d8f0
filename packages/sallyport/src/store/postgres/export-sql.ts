/**
 * Writes the rows of exports in SQL: the database formats and escapes, and what leaves it goes to the reader as it is.
 *
 * @module
 */

import type { Column, ColumnType, RowFormat } from '../contract/evidence.ts'

/**
 * Cells that a spreadsheet would run: these characters first, also behind apostrophes, so that taking one apostrophe away
 * gives back every cell there can be. The last four are their full-width forms, which some spreadsheets read alike.
 */
const FORMULA_PATTERN = `^''*[=+@\\t\\r\\n＝＋－＠-]`
/** What such a cell can begin with, as numbers: a look that costs next to nothing, and passes over nearly all there are. */
const FORMULA_STARTS = Array.from(`'=+-@\t\r\n＝＋－＠`, (sign) => sign.codePointAt(0)).join(',')

/** A function of PostgreSQL takes 100 arguments: two for each member, and the end. */
const MOST_MEMBERS = 49

/** What a SELECT reads for a row: for CSV a list of cells, for JSON the text of one object, over the aliases of `at`. */
export function rowSql(columns: readonly Column[], format: RowFormat, at: (column: string) => string): string {
  for (const { name } of columns) if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new TypeError(`export: column ${name}`)
  if (format === 'csv') return columns.map(({ name, type }) => csvCell(type, at(name))).join(', ')
  // One call: of a chain of || each link copies what the ones before it have made.
  if (columns.length > MOST_MEMBERS) throw new TypeError(`export: more than ${MOST_MEMBERS} columns`)
  const members = columns.map(
    ({ name, type }, index) => `'${index === 0 ? '{' : ','}"${name}":',${jsonValue(type, at(name))}`,
  )
  return `concat(${members.join(',')},'}')`
}

/** Every value is put in quotes and null is nothing at all, so that an empty text and no text read apart. */
function csvCell(type: ColumnType, sql: string): string {
  if (type === 'boolean') return `case ${sql} when true then 'true' when false then 'false' end`
  if (type !== 'text') return plain(type, sql)
  return `case when ascii(${sql}) = any('{${FORMULA_STARTS}}'::int[]) and ${sql} ~ '${FORMULA_PATTERN}' then ''''||${sql} else ${sql} end`
}

function jsonValue(type: ColumnType, sql: string): string {
  const value = plain(type, sql)
  if (type === 'integer' || type === 'boolean') return `coalesce(${value}::text,'null')`
  if (type === 'json' || type === 'list') return `coalesce(${value}::text,'null')`
  if (type === 'text') return `coalesce(to_json(${value})::text,'null')`
  return `coalesce('"'||${value}||'"','null')`
}

/** A value as text without anything in it that a format would have to escape, but for text and JSON. */
function plain(type: ColumnType, sql: string): string {
  switch (type) {
    case 'instant':
      return `to_char(${sql} at time zone 'UTC','YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
    case 'hex':
      return `encode(${sql},'hex')`
    case 'list':
      return `to_json(${sql})`
    default:
      return sql
  }
}
