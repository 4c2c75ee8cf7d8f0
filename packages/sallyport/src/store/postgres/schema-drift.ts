/**
 * Holds the schema of a database against the one that the shipped migrations make.
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import type { Sql, Statement } from './database.ts'

/** Beside src and dist alike; written by `npm run describe-schema` from a database that ran all migrations. */
const DESCRIPTION = new URL('../../../migrations/schema.json', import.meta.url)

/**
 * What there is, one line for each thing, with its table first. Of what PostgreSQL versions write differently (constraints that
 * are named for `not null`) the columns tell.
 */
const DESCRIBE: Statement = {
  name: 'sallyport_schema_describe',
  text: `with tables as (
      select c.oid, c.relname::text as name from pg_class c
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    )
    select line from (
      select t.name || ' column ' || a.attname::text || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || case when a.attidentity <> '' then ' identity ' || a.attidentity::text else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
      from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
      union all
      select t.name || ' ' || replace(pg_get_indexdef(i.indexrelid), current_schema() || '.', '')
      from tables t join pg_index i on i.indrelid = t.oid
      union all
      select t.name || ' constraint ' || k.conname::text || ' ' || replace(pg_get_constraintdef(k.oid), current_schema() || '.', '')
      from tables t join pg_constraint k on k.conrelid = t.oid and k.contype in ('c', 'f', 'p', 'u')
      union all
      select t.name || ' ' || replace(pg_get_triggerdef(g.oid), current_schema() || '.', '')
        || case g.tgenabled when 'D' then ' disabled' else '' end
      from tables t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
      union all
      select 'function ' || p.proname::text || ' ' || md5(p.prosrc) from pg_proc p
      where p.pronamespace = current_schema()::regnamespace and p.proname like 'sallyport\\_%'
    ) lines order by line collate "C"`,
}

/** Describes the schema that there is. */
export async function describeSchema(sql: Sql): Promise<readonly string[]> {
  return (await sql.run<{ line: string }>(DESCRIBE, [])).map(({ line }) => line)
}

/**
 * What is missing, and what is there besides; nothing where the schema is what the migrations say. Tables that the host keeps in
 * the same database are its own.
 */
export async function schemaDrift(sql: Sql): Promise<readonly string[]> {
  const expected = new Set(JSON.parse(await readFile(DESCRIPTION, 'utf8')) as string[])
  const ours = new Set([...expected].map(firstWord))
  const present = new Set((await describeSchema(sql)).filter((line) => ours.has(firstWord(line))))
  return [
    ...[...expected].filter((line) => !present.has(line)).map((line) => `missing: ${line}`),
    ...[...present].filter((line) => !expected.has(line)).map((line) => `not of the migrations: ${line}`),
  ]
}

function firstWord(line: string): string {
  return line.slice(0, line.indexOf(' '))
}
