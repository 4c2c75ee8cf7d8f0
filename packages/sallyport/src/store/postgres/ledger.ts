/**
 * The sealed log in PostgreSQL.
 *
 * How it locks: a batch moves its log's head first, by compare-and-set on the size, and so holds that one row until it
 * commits. Who computed on another size finds no row and leaves nothing behind; nobody ever waits for a lock that a
 * paused process could keep, since nothing is locked between statements of different transactions.
 *
 * @module
 */

import { SallyportError } from '../../errors.ts'
import type { LedgerStore, LogId, LogKeyRow, Seal, StoredCheckpoint, StoredNode } from '../contract/ledger.ts'
import { insertAudit } from './audit.ts'
import type { AuditRow } from '../../audit/record.ts'
import { SEALED_COLUMNS } from '../contract/sealed-rows.ts'
import type { Database, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { countSealed } from './overview.ts'
import { ROW_OF_SEAL } from './row-of-seal.ts'

/** Rows without a tenant belong to the service's own log. */
const NIL = '00000000-0000-0000-0000-000000000000'
const LOG_OF = (column: string): string => `coalesce(${column}, '${NIL}'::uuid)`

const statement = (name: string, text: string): Statement => ({ name: `sallyport_ledger_${name}`, text })

// Numbers are read as float8, exact up to 2^53: drivers differ in what they make of bigint.
const WAITING = statement('waiting', `select ${LOG_OF('tenant_id')} as log, id from audit_pending order by id limit $1`)
const WAITING_OF = statement(
  'waiting_of',
  `select id from audit_pending where ${LOG_OF('tenant_id')} = $1::uuid order by id limit $2`,
)
const PENDING = statement(
  'pending',
  `select id, leaf_hash from audit_pending where id = any($2::uuid[]) and ${LOG_OF('tenant_id')} = $1::uuid order by id`,
)
const HEAD = statement(
  'head',
  'select size::float8 as size, frontier, recorded_at from audit_heads where tenant_id = $1::uuid',
)
const NEW_HEAD = statement(
  'new_head',
  `insert into audit_heads (tenant_id, size, frontier, recorded_at) values ($1::uuid, 0, '', 'epoch') on conflict do nothing`,
)
/** The clock is read once the head's row is held: a later batch cannot have read an earlier time, nor one earlier than this. */
const MOVE_HEAD = statement(
  'move_head',
  `update audit_heads set size = $3::float8::bigint, frontier = $4::bytea, recorded_at = greatest(recorded_at, ${nowSql('$5')})
    where tenant_id = $1::uuid and size = $2::float8::bigint returning recorded_at`,
)
const SEAL = statement(
  'seal',
  `with taken as (
      delete from audit_pending where ${LOG_OF('tenant_id')} = $1::uuid and id = any($3::uuid[]) returning 1),
    sealed as (
      insert into audit_seals (tenant_id, seq, id, leaf_hash, recorded_at)
      select $1::uuid, $2::float8::bigint + at - 1, id, decode(leaf, 'hex'), $5::timestamptz
      from unnest($3::uuid[], $4::text[]) with ordinality as rows (id, leaf, at)
    ),
    noded as (
      insert into audit_nodes (tenant_id, level, index, hash)
      select $1::uuid, level, index, decode(hash, 'hex')
      from unnest($6::smallint[], $7::bigint[], $8::text[]) as nodes (level, index, hash)
    )
    select count(*)::int as taken from taken`,
)
const LEAVES = statement(
  'leaves',
  `select seq::float8 as seq, leaf_hash from audit_seals
    where tenant_id = $1::uuid and seq >= $2::float8::bigint and seq < $3::float8::bigint order by seq`,
)
const NODES = statement(
  'nodes',
  `select level::int as level, index::float8 as index, hash from audit_nodes
      join unnest($2::smallint[], $3::bigint[]) as wanted (level, index) using (level, index)
      where tenant_id = $1::uuid and level > 0
    union all
    select 0, seq::float8, leaf_hash from audit_seals
      join unnest($2::smallint[], $3::bigint[]) as wanted (level, index) on wanted.level = 0 and wanted.index = seq
      where tenant_id = $1::uuid`,
)
const SEALS_OF = statement(
  'seals_of',
  'select id, seq::float8 as seq, recorded_at from audit_seals where tenant_id = $1::uuid and id = any($2::uuid[])',
)
const LOGS = statement(
  'logs',
  `select tenant_id as log from audit_heads
    union select ${LOG_OF('tenant_id')} from audit_pending
    union select tenant_id from audit_checkpoints
    union select tenant_id from audit_signed
    union select id from tenants
    order by 1`,
)
const SEALED = statement(
  'sealed',
  `select ${SEALED_COLUMNS} from audit_seals s left join lateral ${ROW_OF_SEAL} on true
    where s.tenant_id = $1::uuid and s.seq >= $2::float8::bigint and s.seq < $3::float8::bigint order by s.seq`,
)
const SEAL_FROM = statement(
  'seal_from',
  `select seq::float8 as seq, id from audit_seals where tenant_id = $1::uuid and seq >= $2::float8::bigint order by seq limit 1`,
)
const COUNTED = (name: string, tenant: (column: string) => string) =>
  statement(
    name,
    `select (select count(*) from audit_logs l where ${tenant('l.tenant_id')})::float8 as rows,
      (select count(*) from audit_seals where tenant_id = $1::uuid)::float8 as seals,
      (select count(*) from audit_pending p where ${tenant('p.tenant_id')})::float8 as waiting`,
  )
const COUNTED_TENANT = COUNTED('counted_tenant', (column) => `${column} = $1::uuid`)
const COUNTED_SERVICE = COUNTED('counted_service', (column) => `${column} is null`)
// Each row is looked up by itself: for a join the planner may read all seals for every run of rows.
const UNACCOUNTED = (name: string, ours: string) =>
  statement(
    name,
    `with looked as (
        select l.id, l.created_at from audit_logs l
        where ${ours} and ($2::timestamptz is null or (l.created_at, l.id) < ($2::timestamptz, $3::uuid))
        order by l.created_at desc, l.id desc limit $4
      ),
      last as (select created_at, id from looked order by created_at, id limit 1)
      select last.created_at, last.id, (
        select min(l.id::text) from looked l
        where (select true from audit_seals s where s.tenant_id = $1::uuid and s.id = l.id limit 1) is null
          and (select true from audit_pending p where p.id = l.id limit 1) is null
      ) as stray
      from last`,
  )
const UNACCOUNTED_TENANT = UNACCOUNTED('unaccounted_tenant', 'l.tenant_id = $1::uuid')
const UNACCOUNTED_SERVICE = UNACCOUNTED('unaccounted_service', 'l.tenant_id is null')
const DOUBTFUL_PENDING = statement(
  'doubtful_pending',
  `select p.id from audit_pending p left join audit_logs l on l.id = p.id
    where ${LOG_OF('p.tenant_id')} = $1::uuid
      and (l.id is null or l.leaf_hash <> p.leaf_hash or l.tenant_id is distinct from p.tenant_id)
    order by p.id limit 1`,
)
const KEYS = statement(
  'keys',
  'select epoch, public_key, private_key, created_at from audit_log_keys where tenant_id = $1::uuid order by epoch',
)
const ADD_KEY = statement(
  'add_key',
  `insert into audit_log_keys (tenant_id, epoch, public_key, private_key, created_at)
    values ($1::uuid, $2, $3::bytea, $4, ${nowSql('$5')}) on conflict do nothing returning epoch`,
)
const RESEAL_KEY = statement(
  'reseal_key',
  `update audit_log_keys set private_key = $4 where tenant_id = $1::uuid and epoch = $2 and private_key = $3`,
)
const SIGNED = statement(
  'signed',
  'select size::float8 as size, frontier, signed_at from audit_signed where tenant_id = $1::uuid',
)
const SIGN_FIRST = statement(
  'sign_first',
  `insert into audit_signed (tenant_id, size, frontier, signed_at)
    values ($1::uuid, $2::float8::bigint, $3::bytea, ${nowSql('$4')}) on conflict do nothing returning signed_at`,
)
const SIGN_NEXT = statement(
  'sign_next',
  `update audit_signed set size = $2::float8::bigint, frontier = $3::bytea, signed_at = greatest(signed_at, ${nowSql('$4')})
    where tenant_id = $1::uuid and size = $5::float8::bigint returning signed_at`,
)
const KEEP_CHECKPOINT = statement(
  'keep_checkpoint',
  `insert into audit_checkpoints (tenant_id, size, key_epoch, note, signed_at)
    values ($1::uuid, $2::float8::bigint, $3, $4, $5::timestamptz) on conflict do nothing`,
)
const CHECKPOINT_COLUMNS = 'size::float8 as size, key_epoch, note, signed_at'
const CHECKPOINT = statement(
  'checkpoint',
  `select ${CHECKPOINT_COLUMNS} from audit_checkpoints where tenant_id = $1::uuid order by key_epoch desc, size desc limit 1`,
)
const CHECKPOINTS = statement(
  'checkpoints',
  `select ${CHECKPOINT_COLUMNS} from audit_checkpoints where tenant_id = $1::uuid and size >= $2::float8::bigint
    order by size, key_epoch limit $3`,
)
const UNSIGNED = statement(
  'unsigned',
  `select h.tenant_id as log from audit_heads h left join audit_signed s using (tenant_id)
    where h.size <> coalesce(s.size, 0)
      and (s.size is null or h.size < s.size or h.size - s.size >= $2::int
        or s.signed_at <= ${nowSql('$1')} - $3::float8 * interval '1 millisecond')
    order by s.signed_at nulls first limit $4`,
)
const FORGET_SIGNED = statement('forget_signed', 'delete from audit_signed where tenant_id = $1::uuid')
const LEAD = statement(
  'lead',
  `insert into audit_sealer (holder, until) values ($1, clock_timestamp() + $2::float8 * interval '1 millisecond')
    on conflict (one) do update set holder = excluded.holder, until = excluded.until
      where audit_sealer.holder = excluded.holder or audit_sealer.until < clock_timestamp()
    returning 1 as leads`,
)
const RESIGN = statement('resign', `update audit_sealer set until = '-infinity' where holder = $1`)

export function ledgerStore(database: Database): LedgerStore {
  const shift = (): number => database.clock.offsetMs

  async function keys(log: LogId): Promise<readonly LogKeyRow[]> {
    const rows = await database.run<{ epoch: number; public_key: Uint8Array; private_key: string; created_at: Date }>(
      KEYS,
      [log],
    )
    return rows.map((row) => ({
      epoch: row.epoch,
      publicKey: Buffer.from(row.public_key),
      privateKey: row.private_key,
      createdAt: row.created_at,
    }))
  }

  return {
    async waiting(limit) {
      return grouped(await database.run<{ log: string; id: string }>(WAITING, [limit]))
    },

    async waitingOf(log, limit) {
      return (await database.run<{ id: string }>(WAITING_OF, [log, limit])).map(({ id }) => id)
    },

    async pending(log, ids) {
      const rows = await database.run<{ id: string; leaf_hash: Uint8Array }>(PENDING, [log, ids])
      return rows.map((row) => ({ id: row.id, leafHash: Buffer.from(row.leaf_hash) }))
    },

    async head(log) {
      const [row] = await database.run<{ size: number; frontier: Uint8Array; recorded_at: Date }>(HEAD, [log])
      return row && { size: row.size, frontier: Buffer.from(row.frontier), recordedAt: row.recorded_at }
    },

    async seal({ log, size, rows, nodes, frontier }) {
      if (size === 0) await database.run(NEW_HEAD, [log])
      return database.transaction(async (tx) => {
        const [head] = await tx.run<{ recorded_at: Date }>(MOVE_HEAD, [
          log,
          size,
          size + rows.length,
          frontier,
          shift(),
        ])
        if (head === undefined) return 'superseded'
        const [done] = await tx.run<{ taken: number }>(SEAL, [
          log,
          size,
          rows.map(({ id }) => id),
          rows.map(({ leafHash }) => leafHash.toString('hex')),
          head.recorded_at,
          nodes.map(({ level }) => level),
          nodes.map(({ index }) => index),
          nodes.map(({ hash }) => hash.toString('hex')),
        ])
        if (done?.taken !== rows.length) {
          throw new SallyportError('CONFLICT', 'rows that waited to be sealed were taken away by something else')
        }
        await countSealed(
          tx,
          rows.map(({ id }) => id),
        )
        return 'sealed'
      })
    },

    async leaves(log, from, to) {
      const rows = await database.run<{ seq: number; leaf_hash: Uint8Array }>(LEAVES, [log, from, to])
      const gap = rows.findIndex(({ seq }, at) => seq !== from + at)
      return (gap < 0 ? rows : rows.slice(0, gap)).map(({ leaf_hash }) => Buffer.from(leaf_hash))
    },

    async nodes(log, refs) {
      const rows = await database.run<{ level: number; index: number; hash: Uint8Array }>(NODES, [
        log,
        refs.map(({ level }) => level),
        refs.map(({ index }) => index),
      ])
      return rows.map(({ level, index, hash }): StoredNode => ({ level, index, hash: Buffer.from(hash) }))
    },

    async sealsOf(log, ids) {
      if (ids.length === 0) return new Map<string, Seal>()
      const rows = await database.run<{ id: string; seq: number; recorded_at: Date }>(SEALS_OF, [log, ids])
      return new Map(rows.map(({ id, seq, recorded_at }) => [id, { seq, recordedAt: recorded_at }]))
    },

    async logs() {
      return (await database.run<{ log: string }>(LOGS, [])).map(({ log }) => log)
    },

    sealed: (log, { first, end }, page) => database.lines(SEALED, [log, first, end], page),

    async sealFrom(log, seq) {
      return (await database.run<{ seq: number; id: string }>(SEAL_FROM, [log, seq]))[0]
    },

    async counted(log) {
      const [row] = await database.bulk.run<{ rows: number; seals: number; waiting: number }>(
        log === NIL ? COUNTED_SERVICE : COUNTED_TENANT,
        [log],
      )
      return row ?? { rows: 0, seals: 0, waiting: 0 }
    },

    async unaccounted(log, after, limit) {
      const [ms, id] = after?.split('.') ?? []
      const [row] = await database.bulk.run<{ created_at: Date; id: string; stray: string | null }>(
        log === NIL ? UNACCOUNTED_SERVICE : UNACCOUNTED_TENANT,
        [log, ms === undefined ? null : new Date(Number(ms)), id ?? null, limit],
      )
      return { id: row?.stray ?? undefined, last: row && `${row.created_at.getTime()}.${row.id}` }
    },

    async doubtfulPending(log) {
      return (await database.run<{ id: string }>(DOUBTFUL_PENDING, [log]))[0]?.id
    },

    keys,
    key: async (log) => (await keys(log)).at(-1),

    async addKey(log, { epoch, publicKey, privateKey }) {
      await database.run(ADD_KEY, [log, epoch, publicKey, privateKey, shift()])
    },

    async resealKey(log, epoch, from, to) {
      await database.run(RESEAL_KEY, [log, epoch, from, to])
    },

    async signed(log) {
      const [row] = await database.run<{ size: number; frontier: Uint8Array; signed_at: Date }>(SIGNED, [log])
      return row && { size: row.size, frontier: Buffer.from(row.frontier), signedAt: row.signed_at }
    },

    sign: ({ log, after, size, frontier, keyEpoch, note }) =>
      database.transaction(async (tx) => {
        const [row] =
          after === undefined
            ? await tx.run<{ signed_at: Date }>(SIGN_FIRST, [log, size, frontier, shift()])
            : await tx.run<{ signed_at: Date }>(SIGN_NEXT, [log, size, frontier, shift(), after])
        if (row === undefined) return undefined
        await tx.run(KEEP_CHECKPOINT, [log, size, keyEpoch, note, row.signed_at])
        return { size, keyEpoch, note, signedAt: row.signed_at }
      }),

    async checkpoint(log) {
      return (await database.run<CheckpointColumns>(CHECKPOINT, [log])).map(checkpointOf)[0]
    },

    async checkpoints(log, from, limit) {
      return (await database.run<CheckpointColumns>(CHECKPOINTS, [log, from, limit])).map(checkpointOf)
    },

    async unsigned({ rows, ageMs, limit }) {
      return (await database.run<{ log: string }>(UNSIGNED, [shift(), rows, ageMs, limit])).map(({ log }) => log)
    },

    rotateKey: (log, key, audit) => database.transaction((tx) => nextKey(tx, log, key, audit)),

    reanchor: (log, key, audit) =>
      database.transaction(async (tx) => {
        if (!(await nextKey(tx, log, key, audit))) return false
        await tx.run(FORGET_SIGNED, [log])
        return true
      }),

    async lead(holder, forMs) {
      return (await database.run(LEAD, [holder, forMs])).length === 1
    },

    async resign(holder) {
      await database.run(RESIGN, [holder])
    },
  }
}

interface CheckpointColumns {
  readonly size: number
  readonly key_epoch: number
  readonly note: string
  readonly signed_at: Date
}

function checkpointOf({ size, key_epoch, note, signed_at }: CheckpointColumns): StoredCheckpoint {
  return { size, keyEpoch: key_epoch, note, signedAt: signed_at }
}

function grouped(
  rows: readonly { readonly log: string; readonly id: string }[],
): ReadonlyMap<LogId, readonly string[]> {
  const byLog = new Map<LogId, string[]>()
  for (const { log, id } of rows) {
    const ids = byLog.get(log)
    if (ids === undefined) byLog.set(log, [id])
    else ids.push(id)
  }
  return byLog
}

async function nextKey(
  tx: Tx,
  log: LogId,
  { epoch, publicKey, privateKey }: Omit<LogKeyRow, 'createdAt'>,
  audit: (now: Date) => readonly AuditRow[],
): Promise<boolean> {
  const added = await tx.run(ADD_KEY, [log, epoch, publicKey, privateKey, tx.shiftMs])
  if (added.length === 0) return false
  await insertAudit(tx, audit(tx.now))
  return true
}
