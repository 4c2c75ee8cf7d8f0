/**
 * What holds of a migrated database, wherever it runs: the Drizzle tables say what is there, and the audit log only grows.
 *
 * @module
 */

import { deepEqual, equal, ok } from 'node:assert/strict'
import { is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import { auditRow } from '../../../audit/record.ts'
import { newId } from '../../../ids.ts'
import type { Runner } from '../../conformance/harness.ts'
import { auditStore } from '../audit.ts'
import type { Database } from '../database.ts'
import * as schema from '../schema.ts'
import { rowsOf } from './harness.ts'

interface Column {
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly isPrimary: boolean
}
type Tables = Readonly<Record<string, Readonly<Record<string, Column>>>>

/** Registers the cases. */
export function schemaContract({ test }: Runner, open: () => Promise<Database>): void {
  test('schema: the Drizzle tables are the migrated ones, column for column', async () => {
    deepEqual(declared(), await migrated(await open()))
  })

  for (const [what, text] of [
    ['UPDATE', "update audit_logs set action = 'AUTH_LOGIN' where id = $1"],
    ['UPDATE that changes nothing', 'update audit_logs set action = action where id = $1'],
    ['DELETE', 'delete from audit_logs where id = $1'],
    ['TRUNCATE', 'truncate audit_logs'],
    ['TRUNCATE with others', 'truncate audit_logs, audit_pending cascade'],
  ] as const) {
    test(`audit_logs: ${what} is refused`, async () => {
      const database = await open()
      const row = auditRow({ tenantId: newId(), action: 'AUTH_LOGIN' }, new Date())
      await auditStore(database).append([row])
      let refused = false
      try {
        if (text.startsWith('truncate')) await database.exclusively((run) => run(text))
        else await rowsOf(database, text, [row.id])
      } catch (error) {
        refused = true
        // insufficient_privilege, from the trigger and not from some missing right of the test's own user.
        ok(String((error as Error).cause).includes('SQLSTATE 42501'), String((error as Error).cause))
      }
      equal(refused, true)
      const [read] = await rowsOf<{ action: string }>(database, 'select action from audit_logs where id = $1', [row.id])
      equal(read?.action, 'AUTH_LOGIN')
    })
  }
}

function declared(): Tables {
  const tables = Object.values(schema).filter((value) => is(value, PgTable)) as PgTable[]
  return Object.fromEntries(
    tables
      .map((table) => {
        const { name, columns, primaryKeys } = getTableConfig(table)
        const together = new Set(primaryKeys.flatMap((key) => key.columns.map((column) => column.name)))
        return [
          name,
          sorted(
            columns.map((column) => [
              column.name,
              {
                type: column.getSQLType().replaceAll(' ', ''),
                notNull: column.notNull || together.has(column.name),
                hasDefault: column.hasDefault || column.generatedIdentity !== undefined,
                isPrimary: column.primary || together.has(column.name),
              },
            ]),
          ),
        ] as const
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

async function migrated(database: Database): Promise<Tables> {
  const rows = await rowsOf<{
    tbl: string
    col: string
    type: string
    not_null: boolean
    has_default: boolean
    is_primary: boolean
  }>(
    database,
    `select c.relname as tbl, a.attname as col, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
        (a.atthasdef or a.attidentity <> '') as has_default,
        exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey)) as is_primary
      from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace and a.attnum > 0
        and not a.attisdropped and c.relname <> 'sallyport_migrations'
      order by c.relname collate "C"`,
  )
  const tables: Record<string, [string, Column][]> = {}
  for (const { tbl, col, type, not_null, has_default, is_primary } of rows) {
    tables[tbl] ??= []
    tables[tbl].push([
      col,
      {
        type: type
          .replace('timestamp(3) with time zone', 'timestamp (3) with time zone')
          .replaceAll(' ', '')
          .replace('charactervarying', 'varchar'),
        notNull: not_null,
        hasDefault: has_default,
        isPrimary: is_primary,
      },
    ])
  }
  return Object.fromEntries(Object.entries(tables).map(([name, columns]) => [name, sorted(columns)]))
}

function sorted(columns: readonly (readonly [string, Column])[]): Readonly<Record<string, Column>> {
  return Object.fromEntries([...columns].sort(([a], [b]) => (a < b ? -1 : 1)))
}
