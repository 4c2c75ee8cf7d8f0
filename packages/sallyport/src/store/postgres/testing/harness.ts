/**
 * The store contract's harness on PostgreSQL and PGlite.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { ChallengeId, StaffId, TenantId, TokenId, UserId } from '../../../ids.ts'
import { newId } from '../../../ids.ts'
import type { StoreHarness, StoreUnderTest } from '../../conformance/harness.ts'
import { auditStore } from '../audit.ts'
import { feedStore } from '../changes.ts'
import type { Database, SqlValue } from '../database.ts'
import { keyStore } from '../keys.ts'
import { ledgerStore } from '../ledger.ts'
import { overviewStore } from '../overview.ts'
import { riskStore } from '../risk.ts'
import { sessionStore } from '../sessions.ts'
import { tokenStore } from '../tokens.ts'
import { boundDatabase } from './bound-database.ts'
import { Break } from './breaking.ts'

/** The ports that the contract tries, over one database. */
export function portsOf(given: Database): StoreUnderTest {
  const database = boundDatabase(given)
  return {
    tokens: tokenStore(database),
    sessions: sessionStore(database),
    feed: feedStore(database),
    audit: auditStore(database),
    ledger: ledgerStore(database),
    overview: overviewStore(database),
    risk: riskStore(database),
  }
}

/** Runs one statement, prepared under a name of its own. */
export function rowsOf<Row>(
  database: Database,
  text: string,
  values: readonly SqlValue[] = [],
): Promise<readonly Row[]> {
  const name = `test_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
  return database.run<Row>({ name, text }, values)
}

/** Makes an enabled member in the directory; whatever is not named is made too. */
export async function insertMember(
  database: Database,
  of: { readonly tenantId?: TenantId; readonly userId?: UserId; readonly role?: string } = {},
): Promise<{ readonly tenantId: TenantId; readonly userId: UserId; readonly staffId: StaffId }> {
  const { tenantId = newId<TenantId>(), userId = newId<UserId>(), role = 'owner' } = of
  const staffId = newId<StaffId>()
  if (of.tenantId === undefined) {
    await rowsOf(database, 'insert into tenants (id, slug, name, created_at) values ($1, $2, $2, now())', [
      tenantId,
      `t-${tenantId}`,
    ])
  }
  if (of.userId === undefined) {
    await rowsOf(database, "insert into users (id, email, name, created_at) values ($1, $2, 'Ada', now())", [
      userId,
      `${userId}@example.com`,
    ])
  }
  await rowsOf(
    database,
    'insert into tenant_staff (id, tenant_id, user_id, role, created_at) values ($1, $2, $3, $4, now())',
    [staffId, tenantId, userId, role],
  )
  return { tenantId, userId, staffId }
}

const DISABLE = {
  staff: "update tenant_staff set status = 'disabled' where id = $1",
  user: 'update users set disabled_at = now() where id = $1',
  tenant: 'update tenants set disabled_at = now() where id = $1',
} as const

/** @param breaking The same database through a connection that breaks. */
export function postgresHarness(database: Database, breaking: (fault: Break) => Database): StoreHarness {
  const rows = <Row>(text: string, values: readonly SqlValue[] = []) => rowsOf<Row>(database, text, values)
  return {
    store: portsOf(database),
    clock: database.clock,
    member: (of) => insertMember(database, of),
    async disable(what, { staffId, userId, tenantId }) {
      await rows(DISABLE[what], [{ staff: staffId, user: userId, tenant: tenantId }[what]])
    },
    async raiseVersion({ staffId }) {
      await rows('update tenant_staff set session_version = session_version + 1 where id = $1', [staffId])
    },
    async hold(sessionId) {
      await rows('update user_sessions set step_up_required_at = now() where id = $1', [sessionId])
    },
    async trust({ tenantId, staffId }, device, forMs) {
      await rows(
        `insert into trusted_devices (tenant_id, staff_id, device_hash, trusted_until, last_seen_at)
          values ($1, $2, $3, clock_timestamp() + $4::float8 * interval '1 millisecond', clock_timestamp())`,
        [tenantId, staffId, device, forMs],
      )
    },
    async passRiskStepUp({ tenantId, userId, sessionId, presented, boundTo }) {
      const id = newId<ChallengeId>()
      await rows(
        `insert into step_up_challenges (id, tenant_id, user_id, session_id, purpose, factor, created_at, verified_at, expires_at,
            presented, device)
          values ($1, $2, $3, $4, 'session_risk', 'totp', now(), now(), now() + interval '10 minutes', $5, $6)`,
        [id, tenantId, userId, sessionId, presented, boundTo],
      )
      return id
    },
    async token(tokenId) {
      const [row] = await rows<{
        nonce: Uint8Array | null
        confirmed: Date | null
        suspicious: Date | null
        successor: TokenId | null
      }>(
        `select nonce, confirmed_at as confirmed, suspicious_reuse_at as suspicious, replaced_by_token_id as successor
          from refresh_tokens where id = $1`,
        [tokenId],
      )
      if (row === undefined) throw new TypeError('the token is not there')
      const { nonce, confirmed, suspicious, successor } = row
      return { nonce, confirmedAt: confirmed, suspiciousReuseAt: suspicious, replacedByTokenId: successor }
    },
    async familySize(familyId) {
      const [row] = await rows<{ size: number }>(
        'select count(*)::int4 as size from refresh_tokens where family_id = $1',
        [familyId],
      )
      return row?.size ?? 0
    },
    async pending(ids) {
      const found = await rows<{ id: string }>('select id from audit_pending where id = any($1::uuid[])', [ids])
      return found.map(({ id }) => id)
    },
    breaking(statement, when) {
      const fault = new Break(statement, when)
      return { store: portsOf(breaking(fault)), broke: fault.broke }
    },
    async emptyKeys() {
      await rows('delete from signing_keys')
      await rows("delete from changes where kind = 'key'")
      const audited = () =>
        rows<{ id: string }>(
          `select resource_id as id from audit_logs where resource = 'signing_key' order by created_at, id`,
        )
      const before = (await audited()).length
      return {
        keys: keyStore(database),
        written: async () => ({
          changes: (await rows<{ ref: string }>(`select ref from changes where kind = 'key' order by id`)).map(
            ({ ref }) => ref,
          ),
          audited: (await audited()).slice(before).map(({ id }) => id),
        }),
      }
    },
  }
}
