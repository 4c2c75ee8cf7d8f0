/**
 * The audit log in PostgreSQL: rows go in with the change that they record, and are never touched again.
 *
 * @module
 */

import { and, desc, eq, sql } from 'drizzle-orm'
import type { AuditRow } from '../../audit/record.ts'
import type { AuditStore } from '../contract/audit.ts'
import { appendTogether } from './append-together.ts'
import { digestOfIds } from './digest-of-ids.ts'
import type { AuditColumns } from './audit-columns.ts'
import { AUDIT_COLUMNS, auditRowOf } from './audit-columns.ts'
import type { Database, Sql, Statement } from './database.ts'
import { mapDriverError } from './errors.ts'
import { auditLogs } from './schema.ts'

// One statement for both tables and any number of rows: a round trip less in every transaction that changes something.
const INSERT: Statement = {
  name: 'sallyport_audit_insert',
  text: `with given as materialized (
      select * from json_to_recordset($1::json) as r (id uuid, "tenantId" uuid, "createdAt" timestamptz, action text,
        outcome text, "failureReason" text, "userId" uuid, "actorName" text, "staffId" uuid, "sessionId" uuid,
        "realUserId" uuid, "isImpersonating" boolean, resource text, "resourceId" text, "oldValue" jsonb, "newValue" jsonb,
        metadata jsonb, "ipAddress" text, country text, city text, "userAgent" text, "correlationId" text, salt text,
        "leafHash" text)
    ), logged as (
      insert into audit_logs (id, tenant_id, created_at, action, outcome, failure_reason, user_id, actor_name, staff_id,
        session_id, real_user_id, is_impersonating, resource, resource_id, old_value, new_value, metadata, ip_address,
        country, city, user_agent, correlation_id, salt, leaf_hash)
      select id, "tenantId", "createdAt", action, outcome, "failureReason", "userId", "actorName", "staffId", "sessionId",
        "realUserId", "isImpersonating", resource, "resourceId", "oldValue", "newValue", metadata, "ipAddress", country, city,
        "userAgent", "correlationId", decode(salt, 'hex'), decode("leafHash", 'hex')
      from given
    )
    insert into audit_pending (id, tenant_id, leaf_hash) select id, "tenantId", decode("leafHash", 'hex') from given`,
}

/** Writes audit rows, and for each the row that the sealer takes: in the transaction of the change that they record. */
export async function insertAudit(sql: Sql, rows: readonly AuditRow[]): Promise<void> {
  const given = recordset(rows)
  if (given !== undefined) await sql.run(INSERT, [given])
}

function recordset(rows: readonly AuditRow[]): string | undefined {
  if (rows.length === 0) return undefined
  return JSON.stringify(
    rows.map((row) => ({ ...row, salt: row.salt.toString('hex'), leafHash: row.leafHash.toString('hex') })),
  )
}

/** How many rows one search looks at: a filter that hardly any row passes must not read a tenant's whole past at once. */
const LOOKED_AT = 20_000

// The inner select walks the index and stops where the outer one has enough: its limit is only met by rare filters.
const WINDOW = `select * from audit_logs where tenant_id = $1::uuid and created_at >= $2::timestamptz and created_at < $3::timestamptz
      and (created_at, id) < ($4::timestamptz, $5::uuid)
    order by created_at desc, id desc`
const SEARCH: Statement = {
  name: 'sallyport_audit_search',
  text: `select ${AUDIT_COLUMNS} from (${WINDOW} limit ${LOOKED_AT}) l
    where ($6::text[] is null or l.action = any($6::text[]))
      and ($7::uuid is null or l.user_id = $7::uuid or l.real_user_id = $7::uuid)
      and ($8::text is null or l.outcome = $8::text)
      and ($9::text is null or l.resource = $9::text)
      and ($10::text is null or position(lower($10::text) in lower(concat_ws(' ', l.action, l.failure_reason, l.actor_name,
        l.resource, l.resource_id, l.ip_address, l.country, l.city, l.user_agent, l.correlation_id, l.user_id::text,
        l.session_id::text))) > 0)
      and ($12::uuid is null or l.session_id = $12::uuid)
      and ($13::text is null or l.correlation_id = $13::text)
    order by l.created_at desc, l.id desc limit $11`,
}
const LAST_LOOKED_AT: Statement = {
  name: 'sallyport_audit_search_end',
  text: `select l.created_at, l.id from (${WINDOW}) l offset ${LOOKED_AT - 1} limit 1`,
}

const FIND: Statement = {
  name: 'sallyport_audit_find',
  text: `select ${AUDIT_COLUMNS} from audit_logs l where l.id = $2::uuid and l.tenant_id = $1::uuid`,
}

/** The oldest rows of one log in which one of the ids stands. Rare, and so without an index of its own. */
const TAKE_ERASED: Statement = {
  name: 'sallyport_audit_take_erased',
  text: `with found as materialized (
      select l.id, l.tenant_id, s.seq from audit_logs l
      join audit_seals s on s.id = l.id and s.tenant_id = coalesce(l.tenant_id, '00000000-0000-0000-0000-000000000000')
      where l.salt is not null and (l.user_id = any($1::uuid[]) or l.real_user_id = any($1::uuid[]) or l.resource_id = any($2::text[]))
        and not (l.action = 'EVIDENCE_PURGED')
    )
    select id::text as id, tenant_id, seq::float8 as seq from found
    where tenant_id is not distinct from (select tenant_id from found order by tenant_id limit 1)
    order by seq limit $3`,
}
const ERASE: Statement = {
  name: 'sallyport_audit_erase',
  text: 'select sallyport_erase_audit_logs($1::uuid[])::float8 as gone',
}

export function auditStore(database: Database): AuditStore {
  return {
    append: appendTogether((rows) => insertAudit(database, rows)),

    async find(tenantId, id) {
      const [found] = await database.run<AuditColumns>(FIND, [tenantId, id])
      return found && auditRowOf(found)
    },

    async search({ tenantId, limit, after, ...by }) {
      const { from, to, actions, userId, outcome, resource, text, sessionId, correlationId } = by
      const window = [
        tenantId,
        from ?? '-infinity',
        to ?? 'infinity',
        after?.createdAt ?? 'infinity',
        after?.id ?? 'ffffffff-ffff-ffff-ffff-ffffffffffff',
      ]
      // One more than asked for tells whether there is a next page, without counting.
      const found = await database.run<AuditColumns>(SEARCH, [
        ...window,
        actions ?? null,
        userId ?? null,
        outcome ?? null,
        resource ?? null,
        text ?? null,
        limit + 1,
        sessionId ?? null,
        correlationId ?? null,
      ])
      const rows = found.slice(0, limit).map(auditRowOf)
      const last = rows.at(-1)
      if (found.length > limit && last !== undefined) return { rows, more: { createdAt: last.createdAt, id: last.id } }
      const [end] = await database.run<{ created_at: Date; id: string }>(LAST_LOOKED_AT, window)
      return { rows, more: end && { createdAt: end.created_at, id: end.id } }
    },

    erase: ({ ids, limit }, audit) =>
      database.transaction(async (tx) => {
        const rows = await tx.run<{ id: string; tenant_id: string | null; seq: number }>(TAKE_ERASED, [ids, ids, limit])
        const [first] = rows
        if (first === undefined) return 0
        const [done] = await tx.run<{ gone: number }>(ERASE, [rows.map(({ id }) => id)])
        if (done?.gone !== rows.length)
          throw new TypeError('erasure: the database would not change every row of the batch')
        const idsSha256 = digestOfIds(rows.map(({ id }) => id))
        await insertAudit(tx, audit({ tenantId: first.tenant_id, seqs: rows.map(({ seq }) => seq), idsSha256 }, tx.now))
        return rows.length
      }),

    async appendIn(tx, rows) {
      try {
        const result = await tx.execute(
          sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now` as never,
        )
        const [row] = (result as { readonly rows?: readonly { readonly now: number }[] }).rows ?? []
        if (row === undefined)
          throw new TypeError('audit.record: tx must be a Drizzle transaction on PostgreSQL or PGlite')
        const now = new Date(Math.floor(Number(row.now)) + database.clock.offsetMs)
        const given = recordset(rows(now))
        if (given !== undefined)
          await tx.execute(
            sql.join(
              INSERT.text.split('$1').map((part) => sql.raw(part)),
              sql`${given}`,
            ) as never,
          )
      } catch (error) {
        throw mapDriverError(error, INSERT.name)
      }
    },

    async page({ tenantId, limit, after }) {
      try {
        const rows = await database.db
          .select()
          .from(auditLogs)
          .where(
            and(
              eq(auditLogs.tenantId, tenantId),
              after && sql`(${auditLogs.createdAt}, ${auditLogs.id}) < (${after.createdAt.toISOString()}, ${after.id})`,
            ),
          )
          .orderBy(desc(auditLogs.createdAt), desc(auditLogs.id))
          .limit(limit)
        return rows as unknown as readonly AuditRow[]
      } catch (error) {
        throw mapDriverError(error, 'audit page')
      }
    },
  }
}
