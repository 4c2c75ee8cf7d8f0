/**
 * A tenant's own rules in PostgreSQL. The tenant's row is the lock: changes of one tenant happen one after the other.
 *
 * @module
 */

import { and, eq } from 'drizzle-orm'
import { SallyportError } from '../../errors.ts'
import type { IpRuleId, SessionId, TenantId, UserId } from '../../ids.ts'
import { isId } from '../../ids.ts'
import type {
  AccessStore,
  IpRuleChange,
  IpRuleChangeFacts,
  IpRuleRow,
  IpRuleType,
  PolicyRow,
  StoredSettings,
} from '../contract/access.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Sql, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { liveSql } from './live-sessions.ts'
import { ipRules, tenants } from './schema.ts'

/** Tenant and rules in one trip: a tenant without rules is one row with a null id. */
const POLICY: Statement = {
  name: 'sallyport_policy',
  text: `select ${nowSql('$2')} as now, t.settings, r.id, r.type, r.cidr, r.label, r.created_by, r.created_at, r.expires_at
    from tenants t left join ip_rules r on r.tenant_id = t.id
    where t.id = $1 order by r.created_at, r.id`,
}

interface PolicyPart {
  readonly now: Date
  readonly settings: StoredSettings
  readonly id: IpRuleId | null
  readonly type: IpRuleType
  readonly cidr: string
  readonly label: string | null
  readonly created_by: UserId | null
  readonly created_at: Date
  readonly expires_at: Date | null
}

const PLACES: Statement = {
  name: 'sallyport_session_places',
  text: `select s.id, s.user_id, u.name, s.ip_address, s.last_seen_at
    from user_sessions s join users u on u.id = s.user_id
    where s.tenant_id = $1 and ${liveSql('s', { now: nowSql('$2'), idleMs: '$3', maxSessionLifeMs: '$5' })}
    order by s.last_seen_at desc, s.id desc limit $4`,
}

export function accessStore(database: Database): AccessStore {
  const readPolicy = (sql: Sql, tenantId: TenantId) => policyOf(sql, tenantId, database.clock.offsetMs)
  return {
    policy: (tenantId) => readPolicy(database, tenantId),

    async tenantNamed(named) {
      const by = isId(named) ? 'id' : 'slug'
      const [row] = await database.run<{ id: TenantId }>(
        { name: `sallyport_tenant_by_${by}`, text: `select id from tenants where ${by} = $1` },
        [by === 'id' ? named : named.toLowerCase()],
      )
      return row?.id
    },

    changeRule: ({ tenantId, change, most, refuse }, audit) =>
      database.transaction(async (tx) => {
        await lockTenant(tx, tenantId)
        const before = await readPolicy(tx, tenantId)
        if (before === undefined) return { kind: 'unknown' }
        const facts = factsOf(before, change, tx.now)
        if (facts === undefined) return { kind: 'unknown' }
        const { newRule } = facts
        if (newRule !== undefined && isTwice(facts.after.rules, newRule)) return { kind: 'duplicate' }
        if (facts.after.rules.length > most && change.kind === 'add') return { kind: 'too-many' }
        const error = refuse(facts)
        if (error !== undefined) return { kind: 'refused', error }
        await write(tx, tenantId, change, newRule)
        await insertChanges(tx, [{ tenantId, kind: 'ip_rules', ref: tenantId }])
        await insertAudit(tx, audit(facts, tx.now))
        return { kind: 'changed', facts }
      }),

    clearRules: (tenantId, audit) =>
      database.transaction(async (tx) => {
        await lockTenant(tx, tenantId)
        const before = await readPolicy(tx, tenantId)
        const rules = before?.rules ?? []
        if (rules.length === 0) return rules
        await tx.db.delete(ipRules).where(eq(ipRules.tenantId, tenantId))
        await insertChanges(tx, [{ tenantId, kind: 'ip_rules', ref: tenantId }])
        await insertAudit(tx, audit(rules, tx.now))
        return rules
      }),

    changeSettings: ({ tenantId, change }, audit) =>
      database.transaction(async (tx) => {
        await lockTenant(tx, tenantId)
        const before = await readPolicy(tx, tenantId)
        if (before === undefined) return undefined
        const after = change(before)
        if (after instanceof SallyportError) return after
        await tx.db.update(tenants).set({ settings: after }).where(eq(tenants.id, tenantId))
        await insertChanges(tx, [{ tenantId, kind: 'settings', ref: tenantId }])
        await insertAudit(tx, audit({ before: before.settings, after }, tx.now))
        return after
      }),

    async places({ tenantId, idleMs, maxSessionLifeMs, limit }) {
      const rows = await database.run<{
        id: SessionId
        user_id: UserId
        name: string
        ip_address: string | null
        last_seen_at: Date
      }>(PLACES, [tenantId, database.clock.offsetMs, idleMs, limit, maxSessionLifeMs])
      return rows.map((row) => ({
        sessionId: row.id,
        userId: row.user_id,
        userName: row.name,
        ipAddress: row.ip_address,
        lastSeenAt: row.last_seen_at,
      }))
    },
  }
}

async function policyOf(sql: Sql, tenantId: TenantId, offsetMs: number): Promise<PolicyRow | undefined> {
  const rows = await sql.run<PolicyPart>(POLICY, [tenantId, offsetMs])
  const [first] = rows
  if (first === undefined) return undefined
  const rules = rows.flatMap((row): IpRuleRow[] =>
    row.id === null
      ? []
      : [
          {
            id: row.id,
            type: row.type,
            cidr: row.cidr,
            label: row.label,
            createdBy: row.created_by,
            createdAt: row.created_at,
            expiresAt: row.expires_at,
          },
        ],
  )
  return { tenantId, settings: first.settings, rules, now: first.now }
}

async function lockTenant(tx: Tx, tenantId: TenantId): Promise<void> {
  await tx.run({ name: 'sallyport_lock_tenant', text: 'select 1 from tenants where id = $1 for no key update' }, [
    tenantId,
  ])
}

function factsOf(before: PolicyRow, change: IpRuleChange, now: Date): IpRuleChangeFacts | undefined {
  if (change.kind === 'add') {
    const newRule = { ...change.rule, createdAt: now }
    return { before, after: { ...before, rules: [...before.rules, newRule] }, oldRule: undefined, newRule }
  }
  const oldRule = before.rules.find(({ id }) => id === change.id)
  if (oldRule === undefined) return undefined
  const newRule = change.kind === 'update' ? { ...oldRule, ...change.to } : undefined
  const rules = before.rules.flatMap((rule) =>
    rule.id !== change.id ? [rule] : newRule === undefined ? [] : [newRule],
  )
  return { before, after: { ...before, rules }, oldRule, newRule }
}

function isTwice(rules: readonly IpRuleRow[], { id, type, cidr }: IpRuleRow): boolean {
  return rules.some((rule) => rule.id !== id && rule.type === type && rule.cidr === cidr)
}

async function write(tx: Tx, tenantId: TenantId, change: IpRuleChange, rule: IpRuleRow | undefined): Promise<void> {
  if (change.kind === 'add') {
    await tx.db.insert(ipRules).values({ ...change.rule, tenantId, createdAt: tx.now })
    return
  }
  const named = and(eq(ipRules.tenantId, tenantId), eq(ipRules.id, change.id))
  if (rule === undefined) {
    await tx.db.delete(ipRules).where(named)
    return
  }
  const { type, cidr, label, expiresAt } = rule
  await tx.db.update(ipRules).set({ type, cidr, label, expiresAt }).where(named)
}
