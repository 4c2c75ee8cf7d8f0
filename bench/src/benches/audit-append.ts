/**
 * An audit event written by itself, 16 in flight, beside a plain insert and beside a chain of hashes.
 *
 * @module
 */

import type pg from 'pg'
import type { Bench, Figure } from '../bench.ts'
import { settle, withDatabase } from '../database.ts'
import { eventRow } from '../evidence/filled-log.ts'
import { openGuard } from '../fixtures.ts'
import type { auditRow } from '../library.ts'
import { postgres } from '../library.ts'
import { byTurns, compare, rateOf } from '../measure.ts'
import { sqlOn } from '../references/sql.ts'

const IN_FLIGHT = 16

export const auditAppendBench: Bench = {
  name: 'audit-append',
  title: 'Append an audit event, 16 in flight',
  run: ({ full, postgresUrl }) =>
    withDatabase(postgresUrl, async (url) => {
      const store = postgres({ url, poolSize: IN_FLIGHT })
      const guard = await openGuard(store)
      const { pool, run, end } = sqlOn(url, IN_FLIGHT)
      for (const name of ['plain_log', 'chained_log']) {
        await run(`create table ${name} (like audit_logs including defaults including indexes)`, [])
      }
      await run('alter table chained_log add column n bigint generated always as identity', [])
      await run('create index on chained_log (n)', [])
      let n = 0
      const next = (): ReturnType<typeof auditRow> => eventRow(n++, new Date())
      try {
        const seconds = full ? 10 : 2
        const measured = (work: () => Promise<unknown>) => async () => {
          await settle(url)
          return rateOf(seconds * 1000, IN_FLIGHT, async () => void (await work()))
        }
        const figures = await byTurns(
          [
            { name: 'append', run: measured(() => store.audit.append([next()])) },
            { name: 'unchained insert', run: measured(() => pool.query(insertInto('plain_log', next()))) },
            { name: 'chained by lock and tail read', run: measured(() => chained(pool, next())) },
          ],
          full ? 7 : 5,
          '/s',
        )
        const [ours, plain, chain] = figures as [Figure, Figure, Figure]
        return {
          figures,
          comparisons: [
            compare('append an audit event', ours, plain, { kind: 'at least', value: 0.9 }),
            compare('append an audit event', ours, chain),
          ],
        }
      } finally {
        await end()
        await guard.close()
      }
    }),
}

const COLUMNS = `id, tenant_id, created_at, action, outcome, failure_reason, user_id, actor_name, staff_id, session_id,
  real_user_id, is_impersonating, resource, resource_id, old_value, new_value, metadata, ip_address, country, city, user_agent,
  correlation_id, salt, leaf_hash`

/** One prepared statement, as anybody would write it. */
function insertInto(table: string, row: ReturnType<typeof auditRow>): pg.QueryConfig {
  return {
    name: `insert_${table}`,
    text: `insert into ${table} (${COLUMNS}) values (${COLUMNS.split(',')
      .map((_, at) => `$${at + 1}`)
      .join(', ')})`,
    values: [
      ...[row.id, row.tenantId, row.createdAt, row.action, row.outcome, row.failureReason, row.userId, row.actorName],
      ...[row.staffId, row.sessionId, row.realUserId, row.isImpersonating, row.resource, row.resourceId, row.oldValue],
      ...[row.newValue, row.metadata, row.ipAddress, row.country, row.city, row.userAgent, row.correlationId],
      ...[row.salt, row.leafHash],
    ],
  }
}

/** Each row's hash is over the one before, which nobody else may follow meanwhile. */
async function chained(pool: pg.Pool, row: ReturnType<typeof auditRow>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock(1)')
    await client.query({ name: 'tail', text: 'select leaf_hash from chained_log order by n desc limit 1' })
    await client.query(insertInto('chained_log', row))
    await client.query('commit')
  } finally {
    client.release()
  }
}
