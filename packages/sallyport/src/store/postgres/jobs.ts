/**
 * Jobs in PostgreSQL.
 *
 * How it locks: a batch takes its rows with `for update skip locked`, families before tokens as everybody does. What a
 * request or another runner holds is left for the next batch, so no batch waits, and none makes a request wait for longer
 * than its own short transaction.
 *
 * @module
 */

import type { Expired, JobRun, JobStore, Purged, PurgedTable, PurgeRule } from '../contract/jobs.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { distrustDevicesOf } from './trusted-devices.ts'
import { digestOfIds } from './digest-of-ids.ts'

const statement = (name: string, text: string): Statement => ({ name: `sallyport_jobs_${name}`, text })

const LEAD = statement(
  'lead',
  `insert into leases (name, holder, until) values ($1, $2::uuid, clock_timestamp() + $3::float8 * interval '1 millisecond')
    on conflict (name) do update set holder = excluded.holder, until = excluded.until
      where leases.holder = excluded.holder or leases.until < clock_timestamp()
    returning 1 as leads`,
)
const RESIGN = statement('resign', 'delete from leases where name = $1 and holder = $2::uuid')

// A run whose runner was lost says so itself: nothing of it has been heard since its lease ran out.
const LOST = statement(
  'lost',
  `update job_runs set state = 'failed', finished_at = ${nowSql('$2')}, error = 'its runner was lost' where job = $1 and state = 'running'`,
)
const BEGIN = statement(
  'begin',
  `insert into job_runs (id, job, started_at, state) values ($1::uuid, $2, ${nowSql('$3')}, 'running')`,
)
const PROGRESS = statement('progress', 'update job_runs set result = $2::jsonb where id = $1::uuid')
const FINISH = statement(
  'finish',
  `update job_runs set result = $2::jsonb, state = case when $3::text is null then 'done' else 'failed' end, error = $3::text,
    finished_at = ${nowSql('$4')} where id = $1::uuid`,
)
const RUN_COLUMNS = 'id, job, started_at, finished_at, state, result, error'
const RUNS = statement(
  'runs',
  `select ${RUN_COLUMNS} from job_runs where $1::text is null or job = $1::text order by started_at desc, id desc limit $2`,
)
const LAST_DONE = statement(
  'last_done',
  `select distinct on (job) ${RUN_COLUMNS} from job_runs where state = 'done' order by job, started_at desc`,
)

const DUE_FAMILIES = statement(
  'due_families',
  `select f.id as "familyId", f.tenant_id as "tenantId", f.user_id as "userId", f.session_id as "sessionId", t.id as "tokenId"
    from token_families f
    join refresh_tokens t on t.tenant_id = f.tenant_id and t.family_id = f.id and t.generation = f.generation
    where f.revoked_at is null and ($1::uuid is null or f.id > $1::uuid)
      and t.consumed_at is null and not t.is_revoked and t.expires_at <= $2::timestamptz
    order by f.id limit $3 for update of f skip locked`,
)
const END_FAMILIES = statement(
  'end_families',
  `with families as (
      update token_families set revoked_at = $2::timestamptz, revoke_reason = 'session_expired'
      where tenant_id = any($5::uuid[]) and id = any($1::uuid[])
    ), tokens as (
      update refresh_tokens set is_revoked = true, revoked_at = $2::timestamptz, revoke_reason = 'session_expired', nonce = null
      where tenant_id = any($5::uuid[]) and id = any($3::uuid[]) and not is_revoked
    )
    update users set last_mfa_at = null where id = any($4::uuid[]) and last_mfa_at is not null`,
)
const END_SESSIONS = statement(
  'end_sessions',
  `update user_sessions set revoked_at = $2::timestamptz, revoke_reason = 'session_expired'
    where tenant_id = any($3::uuid[]) and id = any($1::uuid[]) and revoked_at is null`,
)
const DUE_SESSIONS = statement(
  'due_sessions',
  `select s.id as "sessionId", s.tenant_id as "tenantId", s.user_id as "userId" from user_sessions s
    where s.revoked_at is null and s.expires_at <= $1::timestamptz
      and not exists (select from token_families f where f.tenant_id = s.tenant_id and f.session_id = s.id and f.revoked_at is null)
    order by s.id limit $2 for update skip locked`,
)

/** A batch of one tenant: the tenant whose row is oldest. Each takes `$1` the bound, `$2` the limit, and what it says besides. */
interface PurgeSql {
  readonly take: Statement
  readonly drop: Statement
}

/** The rows of one tenant, the one with the oldest. `is not distinct from` has no index, so those without a tenant are asked for apart. */
const oldest = (table: string, age: string): string => `
  with t as materialized (select tenant_id from ${table} where ${age} order by ${age.split(' ')[0]} limit 1)`

const simple = (table: string, column: string, extra = ''): PurgeSql => {
  const age = `${column} < $1::timestamptz ${extra}`
  return {
    take: statement(
      `take_${table}`,
      `${oldest(table, age)} select x.id::text as id, x.tenant_id from ${table} x join t on x.tenant_id is not distinct from t.tenant_id
        where ${age.replaceAll(column, `x.${column}`)} order by x.${column}, x.id limit $2 for update of x skip locked`,
    ),
    drop: statement(
      `drop_${table}`,
      `delete from ${table} where tenant_id is not distinct from $2::uuid and id = any($1::uuid[])`,
    ),
  }
}

const SIMPLE: Readonly<Record<Exclude<PurgedTable, 'token_families' | 'audit_logs' | 'changes'>, PurgeSql>> = {
  user_sessions: simple('user_sessions', 'revoked_at'),
  step_up_challenges: simple('step_up_challenges', 'expires_at'),
  one_time_tokens: simple('one_time_tokens', 'expires_at'),
}

const CHANGES: PurgeSql = {
  take: statement(
    'take_changes',
    `select id::text as id, null::uuid as tenant_id from changes where at < $1::timestamptz order by at limit $2 for update skip locked`,
  ),
  drop: statement('drop_changes', 'delete from changes where id = any($1::bigint[])'),
}

/**
 * Families by the age of their end; one that ended by reuse, or in which a token came back, by the longer age. Its rows are
 * its generations and itself, counted without looking at the tokens.
 */
const TAKE_FAMILIES = statement(
  'take_families',
  `with due as (
      select f.id, f.tenant_id, f.revoked_at, f.generation from token_families f
      where f.revoked_at < $1::timestamptz and (f.revoked_at < $3::timestamptz or (
        f.revoke_reason is distinct from 'reuse_detected' and not exists (
          select from refresh_tokens t where t.tenant_id = f.tenant_id and t.family_id = f.id and t.suspicious_reuse_at is not null)))
      order by f.revoked_at, f.id limit $2
    ),
    ours as (
      select id, sum(generation + 2) over (order by revoked_at, id) - (generation + 2) as before from due
      where tenant_id = (select tenant_id from due order by revoked_at, id limit 1)
    )
    select f.id::text as id, f.tenant_id from token_families f join ours using (id) where ours.before < $2
    order by f.id for update of f skip locked`,
)
const DROP_TOKENS = statement(
  'drop_tokens',
  'delete from refresh_tokens where tenant_id = $2::uuid and family_id = any($1::uuid[]) returning id::text as id',
)
const DROP_FAMILIES = statement(
  'drop_families',
  'delete from token_families where tenant_id = $2::uuid and id = any($1::uuid[])',
)

/** The content of sealed rows, the oldest run of a log first; by both clocks, since a row may have been recorded late. */
const TAKE_AUDIT = statement(
  'take_audit',
  `with t as materialized (
      select tenant_id from audit_logs where created_at < $1::timestamptz
        and exists (select from audit_seals s where s.tenant_id = coalesce(audit_logs.tenant_id, '00000000-0000-0000-0000-000000000000') and s.id = audit_logs.id)
      limit 1
    )
    select l.id::text as id, l.tenant_id, s.seq::float8 as seq from t
    join audit_seals s on s.tenant_id = coalesce(t.tenant_id, '00000000-0000-0000-0000-000000000000') and s.recorded_at < $1::timestamptz
    join audit_logs l on l.id = s.id and l.created_at < $1::timestamptz
    order by s.seq limit $2`,
)
const DROP_AUDIT = statement('drop_audit', 'select sallyport_purge_audit_logs($1::uuid[])::float8 as gone')
/** Two runners would name the same rows in two records: `audit_logs` has no lock of rows to skip, so the second does not begin. */
const AUDIT_LOCK = statement(
  'audit_lock',
  `select pg_try_advisory_xact_lock(hashtext('sallyport purge audit_logs')) as free`,
)

interface TakenRow {
  readonly id: string
  readonly tenant_id: string | null
  readonly seq?: number
}

export function jobStore(database: Database): JobStore {
  const shift = (): number => database.clock.offsetMs
  return {
    async lead(name, holder, forMs) {
      return (await database.bulk.run(LEAD, [name, holder, forMs])).length === 1
    },
    async resign(name, holder) {
      await database.bulk.run(RESIGN, [name, holder])
    },

    async begin(job, id) {
      await database.bulk.run(LOST, [job, shift()])
      await database.bulk.run(BEGIN, [id, job, shift()])
    },
    async progress(id, result) {
      await database.bulk.run(PROGRESS, [id, JSON.stringify(result)])
    },
    async finish(id, result, error) {
      await database.bulk.run(FINISH, [id, JSON.stringify(result), error ?? null, shift()])
    },
    async runs({ job, limit }) {
      return (await database.bulk.run<RunColumns>(RUNS, [job ?? null, limit])).map(runOf)
    },
    async lastDone() {
      return new Map((await database.bulk.run<RunColumns>(LAST_DONE, [])).map((row) => [row.job, runOf(row)]))
    },

    expireTokens: ({ after, limit }, audit) =>
      database.transaction(async (tx) => {
        const due = await tx.run<Expired & { familyId: string; tokenId: string; sessionId: string | null }>(
          DUE_FAMILIES,
          [after ?? null, tx.now, limit],
        )
        if (due.length === 0) return { expired: 0, next: undefined }
        await tx.run(END_FAMILIES, [
          due.map(({ familyId }) => familyId),
          tx.now,
          due.map(({ tokenId }) => tokenId),
          [...new Set(due.map(({ userId }) => userId))].sort(),
          tenantsOf(due),
        ])
        await distrustDevicesOf(
          tx,
          due.flatMap(({ tenantId, sessionId }) => (sessionId === null ? [] : [{ tenantId, sessionId }])),
        )
        await endSessions(tx, due)
        await insertAudit(
          tx,
          audit(
            due.map((one) => ({ ...one, sessionId: one.sessionId ?? undefined })),
            tx.now,
          ),
        )
        return { expired: due.length, next: due.length < limit ? undefined : due.at(-1)?.familyId }
      }),

    expireSessions: (limit, audit) =>
      database.transaction(async (tx) => {
        const due = await tx.run<{ tenantId: string; userId: string; sessionId: string }>(DUE_SESSIONS, [tx.now, limit])
        await endSessions(tx, due)
        await insertAudit(
          tx,
          audit(
            due.map((one) => ({ ...one, tokenId: undefined, familyId: undefined })),
            tx.now,
          ),
        )
        return due.length
      }),

    purge: (rule, audit) =>
      database.transaction(async (tx) => {
        const purged = await purge(tx, rule)
        if (purged !== undefined) await insertAudit(tx, audit(purged, tx.now))
        return purged
      }),
  }
}

function tenantsOf(rows: readonly { readonly tenantId: string }[]): readonly string[] {
  return [...new Set(rows.map(({ tenantId }) => tenantId))]
}

async function endSessions(
  tx: Tx,
  due: readonly { readonly tenantId: string; readonly sessionId?: string | null | undefined }[],
): Promise<void> {
  const sessions = due.flatMap(({ tenantId, sessionId }) => (sessionId == null ? [] : [{ tenantId, ref: sessionId }]))
  if (sessions.length === 0) return
  await tx.run(END_SESSIONS, [sessions.map(({ ref }) => ref).sort(), tx.now, tenantsOf(sessions)])
  await insertChanges(
    tx,
    sessions.map((session) => ({ ...session, kind: 'session' as const })),
  )
}

async function purge(tx: Tx, rule: PurgeRule): Promise<Purged | undefined> {
  const { table, olderThanMs, limit } = rule
  const before = new Date(tx.now.getTime() - olderThanMs)
  if (table === 'token_families') return purgeFamilies(tx, before, rule)
  if (table === 'audit_logs') return purgeAudit(tx, before, limit)
  const { take, drop } = table === 'changes' ? CHANGES : SIMPLE[table]
  const rows = await tx.run<TakenRow>(take, [before, limit])
  const first = rows[0]
  if (first === undefined) return undefined
  const ids = rows.map(({ id }) => id)
  await tx.run(drop, table === 'changes' ? [ids] : [ids, first.tenant_id])
  return { tenantId: first.tenant_id, table, count: ids.length, alsoCount: {}, before, idsSha256: digestOfIds(ids) }
}

async function purgeFamilies(
  tx: Tx,
  before: Date,
  { limit, reuseOlderThanMs }: PurgeRule,
): Promise<Purged | undefined> {
  const reuseBefore = new Date(Math.min(before.getTime(), tx.now.getTime() - (reuseOlderThanMs ?? 0)))
  const rows = await tx.run<TakenRow>(TAKE_FAMILIES, [before, limit, reuseBefore])
  const tenantId = rows[0]?.tenant_id
  if (tenantId == null) return undefined
  const families = rows.map(({ id }) => id)
  const tokens = (await tx.run<{ id: string }>(DROP_TOKENS, [families, tenantId])).map(({ id }) => id)
  await tx.run(DROP_FAMILIES, [families, tenantId])
  return {
    tenantId,
    table: 'token_families',
    count: families.length,
    alsoCount: { refresh_tokens: tokens.length },
    before,
    idsSha256: digestOfIds([...families, ...tokens]),
  }
}

async function purgeAudit(tx: Tx, before: Date, limit: number): Promise<Purged | undefined> {
  if ((await tx.run<{ free: boolean }>(AUDIT_LOCK, []))[0]?.free !== true) return undefined
  const rows = await tx.run<TakenRow>(TAKE_AUDIT, [before, limit])
  const first = rows[0]
  if (first === undefined) return undefined
  const ids = rows.map(({ id }) => id)
  const [done] = await tx.run<{ gone: number }>(DROP_AUDIT, [ids])
  if (done?.gone !== ids.length) {
    throw new TypeError('retention: the database would not remove every row of the batch')
  }
  return {
    tenantId: first.tenant_id,
    table: 'audit_logs',
    count: ids.length,
    alsoCount: {},
    before,
    idsSha256: digestOfIds(ids),
    firstSeq: first.seq,
    lastSeq: rows.at(-1)?.seq,
  }
}

interface RunColumns {
  readonly id: string
  readonly job: string
  readonly started_at: Date
  readonly finished_at: Date | null
  readonly state: JobRun['state']
  readonly result: JobRun['result']
  readonly error: string | null
}

function runOf({ id, job, started_at, finished_at, state, result, error }: RunColumns): JobRun {
  return {
    id,
    job,
    startedAt: started_at,
    finishedAt: finished_at ?? undefined,
    state,
    result,
    error: error ?? undefined,
  }
}
