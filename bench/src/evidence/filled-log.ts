/**
 * Audit logs to measure with: a large one made by statements alone, and a true one whose every row hashes to its leaf.
 *
 * @module
 */

import { administer, settle } from '../database.ts'
import type { Sallyport, Store } from '../library.ts'
import { auditRow, newId } from '../library.ts'
import { USER_AGENT } from '../fixtures.ts'

/** Whose log it is. */
export const TENANT = '00000000-0000-7000-8000-000000000001'

const EVENTS = ['AUTH_TOKEN_REFRESH', 'AUTH_TOKEN_REFRESH', 'AUTH_LOGIN'] as const

/**
 * Fills the log by SQL: as wide as rows of life are, and sealed in number, but their hashes are of nothing. For exports, which
 * recompute none.
 */
export async function fillLog(url: string, rows: number): Promise<void> {
  const id = (kind: string, n: string): string =>
    `(lpad(to_hex(${n}), 12, '0') || '7000' || '8' || substr(md5('${kind}' || ${n}), 2, 15))::uuid`
  const ones = rows.toString(2).replaceAll('0', '').length
  await administer(
    url,
    'set synchronous_commit = off',
    `insert into tenants (id, slug, name, created_at) values ('${TENANT}', 'bench', 'Bench', now())`,
    'alter table audit_logs disable trigger user',
    `insert into audit_logs (id, tenant_id, created_at, action, outcome, user_id, actor_name, staff_id, session_id, resource,
       resource_id, metadata, correlation_id, ip_address, country, city, user_agent, salt, leaf_hash)
     select ${id('audit', 'n')}, '${TENANT}', now() - (${rows} - n) * interval '0.1 second',
       case when n % 3 = 0 then 'AUTH_LOGIN' else 'AUTH_TOKEN_REFRESH' end, 'SUCCESS', ${id('user', '(n % 5000)')}, 'Ada Lovelace',
       ${id('staff', '(n % 5000)')}, ${id('session', '(n % 50000)')}, 'auth_refresh', ${id('token', 'n')}::text,
       jsonb_build_object('familyId', ${id('family', '(n % 50000)')}, 'generation', n / 50000), ${id('request', 'n')}::text,
       '203.0.113.7', 'DE', 'Köln', '${USER_AGENT}', decode(md5(n::text), 'hex'), sha256(n::text::bytea)
     from generate_series(0, ${rows - 1}) n`,
    'alter table audit_logs enable trigger user',
    `insert into audit_seals (tenant_id, seq, id, leaf_hash, recorded_at)
     select tenant_id, row_number() over (order by id) - 1, id, leaf_hash, created_at + interval '1 second' from audit_logs`,
    `insert into audit_heads (tenant_id, size, frontier, recorded_at)
     values ('${TENANT}', ${rows}, decode(repeat('${'00'.repeat(32)}', ${ones}), 'hex'), now())`,
    'vacuum analyze',
  )
  await settle(url)
}

/** Writes true rows, seals them and signs the log. */
export async function growLog(guard: Sallyport, store: Store, rows: number): Promise<void> {
  const from = Date.now() - rows
  for (let at = 0; at < rows; at += 2000) {
    await store.audit.append(
      Array.from({ length: Math.min(2000, rows - at) }, (_, n) => eventRow(at + n, new Date(from + at + n))),
    )
    if (at % 100_000 === 0) await guard.audit.checkpoint(TENANT)
  }
  await guard.audit.checkpoint(TENANT)
}

/** A row as a refresh leaves it. */
export function eventRow(n: number, at: Date): ReturnType<typeof auditRow> {
  return auditRow(
    {
      tenantId: TENANT,
      action: EVENTS[n % EVENTS.length] ?? 'AUTH_LOGIN',
      userId: newId(),
      actorName: 'Ada Lovelace',
      staffId: newId(),
      sessionId: newId(),
      resource: 'auth_refresh',
      resourceId: newId(),
      metadata: { familyId: newId(), generation: n },
      country: 'DE',
      city: 'Köln',
      request: { correlationId: newId(), ipAddress: '203.0.113.7', userAgent: USER_AGENT },
    },
    at,
  )
}
