/**
 * Evidence in PostgreSQL: exports in chunks of the sealed log and in snapshots of tables, and the figures of the checklist.
 *
 * @module
 */

import { SallyportError } from '../../errors.ts'
import type {
  ChecklistFigures,
  EvidenceStore,
  RowsOfLog,
  RowsOfState,
  LogCount,
  SeqRange,
  StateTable,
} from '../contract/evidence.ts'
import { CHECKLIST_COUNTS } from '../contract/evidence.ts'
import { COUNTS_SQL } from './checklist-sql.ts'
import type { Database, Statement } from './database.ts'
import { nowSql } from './database.ts'
import { rowSql } from './export-sql.ts'
import { shippedMigrations } from './migrate.ts'
import { ROW_OF_SEAL } from './row-of-seal.ts'
import { schemaDrift } from './schema-drift.ts'

const NOW: Statement = { name: 'sallyport_evidence_now', text: `select ${nowSql('$1')} as now` }

/** `recorded_at` never falls as seq rises, so a period is a run; its ends are two index look-ups. */
const RECORDED_IN: Statement = {
  name: 'sallyport_evidence_recorded_in',
  text: `select
      coalesce((select seq from audit_seals where tenant_id = $1::uuid and recorded_at >= $2::timestamptz
        order by recorded_at, seq limit 1), h.size)::float8 as first,
      coalesce((select seq from audit_seals where tenant_id = $1::uuid and recorded_at >= $3::timestamptz
        order by recorded_at, seq limit 1), h.size)::float8 as "end"
    from audit_heads h where h.tenant_id = $1::uuid`,
}

const COUNT_LOG: Statement = {
  name: 'sallyport_evidence_count',
  text: `select l.action, count(*)::float8 as sealed, count(l.id)::float8 as kept,
      count(*) filter (where l.is_impersonating)::float8 as impersonating, min(s.recorded_at) as first, max(s.recorded_at) as last
    from audit_seals s left join audit_logs l on l.id = s.id
    where s.tenant_id = $1::uuid and s.seq >= $2::float8::bigint and s.seq < $3::float8::bigint group by l.action`,
}

const WITHIN = 's.tenant_id = $1::uuid and s.seq >= $2::float8::bigint and s.seq < $3::float8::bigint'
const REMOVED_IN: Statement = {
  name: 'sallyport_evidence_removed',
  text: `select s.seq::float8 as seq, s.leaf_hash from audit_seals s
    where ${WITHIN} and not exists (select from audit_logs l where l.id = s.id) order by s.seq`,
}
const ENDS_OF: Statement = {
  name: 'sallyport_evidence_ends',
  text: `(select s.seq::float8 as seq, s.id from audit_seals s join audit_logs l on l.id = s.id where ${WITHIN} order by s.seq limit 1)
    union (select s.seq::float8 as seq, s.id from audit_seals s join audit_logs l on l.id = s.id where ${WITHIN} order by s.seq desc limit 1)
    order by seq`,
}
const TENANT_NAME: Statement = {
  name: 'sallyport_evidence_tenant',
  text: 'select name from tenants where id = $1::uuid',
}

const SOURCE: Statement = {
  name: 'sallyport_evidence_source',
  text: `select 'PostgreSQL' as engine, current_setting('server_version') as version, not pg_is_in_recovery() as "primary",
    current_database() as database,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as lsn,
    'read committed' as isolation,
    (select name from sallyport_migrations order by name desc limit 1) as schema`,
}

const SEALED_COLUMNS: ReadonlySet<string> = new Set(['seq', 'recorded_at', 'leaf_hash'])

interface StateSql {
  readonly from: string
  readonly tenant: string
  readonly at: (column: string) => string
  readonly period?: string
  readonly order: string
}

const STATES: Readonly<Record<StateTable, StateSql>> = {
  'user-sessions': {
    from: 'user_sessions x left join users u on u.id = x.user_id',
    tenant: 'x.tenant_id',
    at: (column) => (column === 'user_name' ? 'u.name' : `x.${column}`),
    period: 'x.created_at',
    order: 'x.created_at, x.id',
  },
  // A day's grace is the cleanup's.
  'session-exceptions': {
    from: `(select * from user_sessions
        where tenant_id = $1::uuid and revoked_at is null and expires_at < clock_timestamp() - interval '1 day') x
      left join users u on u.id = x.user_id`,
    tenant: 'x.tenant_id',
    at: (column) => (column === 'user_name' ? 'u.name' : `x.${column}`),
    order: 'x.created_at, x.id',
  },
  'refresh-tokens': {
    from: 'refresh_tokens x',
    tenant: 'x.tenant_id',
    at: (column) => (column === 'successor_id' ? 'x.replaced_by_token_id' : `x.${column}`),
    period: 'x.issued_at',
    order: 'x.issued_at, x.id',
  },
  'step-up-challenges': {
    from: 'step_up_challenges x',
    tenant: 'x.tenant_id',
    at: (column) => `x.${column}`,
    period: 'x.created_at',
    order: 'x.created_at, x.id',
  },
  'staff-access': {
    from: `tenant_staff x join users u on u.id = x.user_id left join lateral (
        select array_agg(distinct f.type order by f.type) as types from mfa_factors f
        where f.user_id = x.user_id and f.verified_at is not null and f.disabled_at is null
      ) m on true left join lateral (
        select max(s.last_seen_at) as seen from user_sessions s where s.tenant_id = x.tenant_id and s.user_id = x.user_id
      ) l on true`,
    tenant: 'x.tenant_id',
    at: (column) =>
      ({
        staff_id: 'x.id',
        user_name: 'u.name',
        email: 'u.email',
        user_disabled_at: 'u.disabled_at',
        factors: `coalesce(m.types, '{}')`,
        last_seen_at: 'l.seen',
        extra_permissions: 'x.permissions',
        permissions: 'x.permissions',
      })[column] ?? `x.${column}`,
    order: 'x.created_at, x.id',
  },
}

export function evidenceStore(database: Database): EvidenceStore {
  async function now(): Promise<Date> {
    const [row] = await database.bulk.run<{ now: Date }>(NOW, [database.clock.offsetMs])
    if (row === undefined) throw new TypeError('evidence: no clock')
    return row.now
  }

  return {
    now,

    async recordedIn(log, { from, to }) {
      const [row] = await database.bulk.run<SeqRange>(RECORDED_IN, [log, from, to])
      return row === undefined || row.end < row.first ? { first: 0, end: 0 } : row
    },

    async rowsOfLog(query) {
      const { log, range, actions, format } = query
      const pieces: Buffer[] = []
      const rows = await database.copy(
        unnamed(logSql(query)),
        [log, range.first, range.end, ...(actions === undefined ? [] : [actions])],
        format,
        (piece) => void pieces.push(piece),
      )
      return { pieces, rows }
    },

    async countLog(log, { first, end }) {
      const rows = await database.bulk.run<{
        action: string | null
        sealed: number
        kept: number
        impersonating: number
        first: Date
        last: Date
      }>(COUNT_LOG, [log, first, end])
      const sum = (of: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((total, row) => total + of(row), 0)
      const times = rows.flatMap((row) => [row.first.getTime(), row.last.getTime()])
      const count: LogCount = {
        sealed: sum(({ sealed }) => sealed),
        kept: sum(({ kept }) => kept),
        impersonating: sum(({ impersonating }) => impersonating),
        byAction: Object.fromEntries(
          rows.flatMap(({ action, kept }) => (action === null ? [] : [[action, kept] as const])),
        ),
        firstRecordedAt: times.length === 0 ? undefined : new Date(Math.min(...times)),
        lastRecordedAt: times.length === 0 ? undefined : new Date(Math.max(...times)),
      }
      return count
    },

    async rowsOfState(query, write) {
      const { period } = STATES[query.table]
      const asOf = await now()
      const rows = await database.copy(
        unnamed(stateSql(query)),
        [query.tenantId, ...(period === undefined ? [] : [query.from ?? null, query.to ?? null])],
        query.format,
        write,
      )
      return { asOf, rows }
    },

    async removedIn(log, { first, end }) {
      const rows = await database.bulk.run<{ seq: number; leaf_hash: Uint8Array }>(REMOVED_IN, [log, first, end])
      return rows.map(({ seq, leaf_hash }) => ({ seq, leaf: Buffer.from(leaf_hash) }))
    },

    endsOf: (log, { first, end }) => database.bulk.run<{ seq: number; id: string }>(ENDS_OF, [log, first, end]),

    async tenantName(tenantId) {
      const [row] = await database.bulk.run<{ name: string }>(TENANT_NAME, [tenantId])
      if (row === undefined) throw new SallyportError('NOT_FOUND', 'There is no such tenant.')
      return row.name
    },

    queryText: (query) => ('log' in query ? logSql(query) : stateSql(query)),

    async source() {
      const [row] = await database.bulk.run<Record<string, string | boolean | null>>(SOURCE, [])
      return row ?? {}
    },

    checklist: (of) => figures(database, of),
  }
}

function logSql({ columns, format, actions, impersonating }: RowsOfLog): string {
  const row = rowSql(columns, format, (column) => (SEALED_COLUMNS.has(column) ? `s.${column}` : `l.${column}`))
  return `select ${row}
    from audit_seals s join lateral ${ROW_OF_SEAL} on true
    where s.tenant_id = $1::uuid and s.seq >= $2::float8::bigint and s.seq < $3::float8::bigint
      ${actions === undefined ? '' : 'and l.action = any($4::text[])'} ${impersonating === true ? 'and l.is_impersonating' : ''}
    order by s.seq`
}

function stateSql({ table, columns, format }: RowsOfState): string {
  const { from, tenant, at, period, order } = STATES[table]
  const row = rowSql(columns, format, at)
  const within =
    period === undefined
      ? ''
      : `and ($2::timestamptz is null or ${period} >= $2::timestamptz) and ($3::timestamptz is null or ${period} < $3::timestamptz)`
  return `select ${row} from ${from} where ${tenant} = $1::uuid ${within} order by ${order}`
}

/** For an error to be told by. Bulk reads are not prepared. */
function unnamed(text: string): Statement {
  return { name: 'sallyport_evidence_rows', text }
}

const SCHEMA: Statement = {
  name: 'sallyport_evidence_schema',
  text: `select
    array(select indexname::text from pg_indexes where schemaname = current_schema() order by 1) as indexes,
    array(select c.table_name || '.' || c.column_name || case c.is_nullable when 'YES' then '?' else '' end
      from information_schema.columns c where c.table_schema = current_schema() order by 1) as columns,
    array(select tgname::text from pg_trigger where tgrelid = 'audit_logs'::regclass and not tgisinternal
      and tgenabled <> 'D' order by 1) as triggers`,
}
const RAN: Statement = { name: 'sallyport_evidence_ran', text: 'select name, checksum from sallyport_migrations' }

async function figures(
  database: Database,
  { tenantId, idleMs, maxSessionLifeMs }: Parameters<EvidenceStore['checklist']>[0],
): Promise<ChecklistFigures> {
  const [schema] = await database.bulk.run<{ indexes: string[]; columns: string[]; triggers: string[] }>(SCHEMA, [])
  const ran = new Map(
    (await database.bulk.run<{ name: string; checksum: string }>(RAN, [])).map(({ name, checksum }) => [
      name,
      checksum,
    ]),
  )
  const shipped = await shippedMigrations()
  const drift = await schemaDrift(database.bulk)
  const [counts] = await database.bulk.run<Record<string, number | Date>>(COUNTS_SQL, [
    tenantId,
    database.clock.offsetMs,
    idleMs,
    maxSessionLifeMs,
  ])
  return {
    now: counts?.['now'] as Date,
    indexes: schema?.indexes ?? [],
    columns: schema?.columns ?? [],
    auditTriggers: schema?.triggers ?? [],
    pendingMigrations: shipped.flatMap(({ name }) => (ran.has(name) ? [] : [name])),
    changedMigrations: shipped.flatMap(({ name, checksum }) =>
      ran.has(name) && ran.get(name) !== checksum ? [name] : [],
    ),
    schemaDrift: drift,
    counts: Object.fromEntries(
      CHECKLIST_COUNTS.map((name) => [name, Number(counts?.[name] ?? 0)]),
    ) as ChecklistFigures['counts'],
  }
}
