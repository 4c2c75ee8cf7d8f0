/**
 * The signing keys in PostgreSQL.
 *
 * Two partial unique indexes keep it at one active and one next key whatever runs at the same time. Changes wait for each
 * other on one row, the first key ever made (none is ever deleted), so that each decides on what the one before left.
 *
 * @module
 */

import { and, asc, eq } from 'drizzle-orm'
import type { AuditOf } from '../contract/audited.ts'
import type { KeyStore, NewSigningKey, SigningKeyFacts, SigningKeyRow, SigningKeyState } from '../contract/keys.ts'
import { insertAudit } from './audit.ts'
import { insertChanges } from './changes.ts'
import type { Database, Statement, Tx } from './database.ts'
import { nowSql } from './database.ts'
import { signingKeys } from './schema.ts'

/** One statement, so that the list and the clock are of one snapshot; the outer join answers the clock of an empty table too. */
const LIST: Statement = {
  name: 'sallyport_signing_keys',
  text: `select ${nowSql('$1')} as now, k.kid, k.alg, k.public_jwk, k.private_key, k.state, k.created_at,
      k.activated_at, k.retired_at, k.revoked_at
    from (select 1) one left join signing_keys k on true
    order by k.created_at, k.kid`,
}

interface ListRow {
  readonly now: Date
  readonly kid: string | null
  readonly alg: SigningKeyRow['alg']
  readonly public_jwk: SigningKeyRow['publicJwk']
  readonly private_key: string | null
  readonly state: SigningKeyState
  readonly created_at: Date
  readonly activated_at: Date | null
  readonly retired_at: Date | null
  readonly revoked_at: Date | null
}

export function keyStore(database: Database): KeyStore {
  return {
    async list() {
      const rows = await database.run<ListRow>(LIST, [database.clock.offsetMs])
      const now = rows[0]?.now
      if (now === undefined) throw new TypeError('signing keys: the list answered no row')
      return { now, keys: rows.flatMap((row) => (row.kid === null ? [] : [fromRow(row.kid, row)])) }
    },

    create: ({ active, next }, audit) =>
      database.transaction(async (tx) => {
        await lockChanges(tx)
        // Waits for a node that is writing the same, and then finds its row.
        if (!(await insertKey(tx, active, 'active'))) return false
        await insertKey(tx, next, 'next')
        const { kid } = active
        await record(tx, audit, {
          change: 'created',
          kid,
          was: null,
          retired: null,
          activated: kid,
          next: next.kid,
        })
        return true
      }),

    rotate: ({ active, promoted, next }, audit) =>
      database.transaction(async (tx) => {
        await lockChanges(tx)
        if ((await kidOf(tx, 'active')) !== active || (await kidOf(tx, 'next')) !== promoted) return false
        await tx.db
          .update(signingKeys)
          .set({ state: 'retired', retiredAt: tx.now, privateKey: null })
          .where(eq(signingKeys.kid, active))
        await promote(tx)
        await insertKey(tx, next, 'next')
        await record(tx, audit, {
          change: 'rotated',
          kid: promoted,
          was: 'next',
          retired: active,
          activated: promoted,
          next: next.kid,
        })
        return true
      }),

    revoke: ({ kid, next }, audit) =>
      database.transaction(async (tx) => {
        await lockChanges(tx)
        const [row] = await tx.db.select({ state: signingKeys.state }).from(signingKeys).where(eq(signingKeys.kid, kid))
        if (!row) return { kind: 'unknown' }
        const was = row.state
        if (was === 'revoked') return { kind: 'already-revoked' }
        await tx.db
          .update(signingKeys)
          .set({ state: 'revoked', revokedAt: tx.now, privateKey: null })
          .where(eq(signingKeys.kid, kid))
        const activated = was === 'active' ? await promote(tx) : null
        const replaced = was !== 'retired' && (await insertKey(tx, next, 'next'))
        await record(tx, audit, {
          change: 'revoked',
          kid,
          was,
          retired: was === 'active' ? kid : null,
          activated,
          next: replaced ? next.kid : null,
        })
        return { kind: 'revoked', was }
      }),

    reseal: ({ kid, from, to }, audit) =>
      database.transaction(async (tx) => {
        const [row] = await tx.db
          .update(signingKeys)
          .set({ privateKey: to })
          .where(and(eq(signingKeys.kid, kid), eq(signingKeys.privateKey, from)))
          .returning({ state: signingKeys.state })
        if (!row) return false
        await record(tx, audit, {
          change: 'resealed',
          kid,
          was: row.state,
          retired: null,
          activated: null,
          next: null,
        })
        return true
      }),
  }
}

/** The statements that follow see what the change before this one committed: each has a snapshot of its own. */
async function lockChanges(tx: Tx): Promise<void> {
  await tx.db
    .select({ kid: signingKeys.kid })
    .from(signingKeys)
    .orderBy(asc(signingKeys.createdAt), asc(signingKeys.kid))
    .limit(1)
    .for('update')
}

async function kidOf(tx: Tx, state: 'active' | 'next'): Promise<string | undefined> {
  const [row] = await tx.db.select({ kid: signingKeys.kid }).from(signingKeys).where(eq(signingKeys.state, state))
  return row?.kid
}

async function promote(tx: Tx): Promise<string | null> {
  const [row] = await tx.db
    .update(signingKeys)
    .set({ state: 'active', activatedAt: tx.now })
    .where(eq(signingKeys.state, 'next'))
    .returning({ kid: signingKeys.kid })
  return row?.kid ?? null
}

/** Whether the key went in: it does not where its state is taken. */
async function insertKey(tx: Tx, key: NewSigningKey, state: 'active' | 'next'): Promise<boolean> {
  const rows = await tx.db
    .insert(signingKeys)
    .values({
      kid: key.kid,
      alg: key.alg,
      publicJwk: { ...key.publicJwk },
      privateKey: key.sealedPrivateKey,
      state,
      createdAt: tx.now,
      activatedAt: state === 'active' ? tx.now : null,
    })
    .onConflictDoNothing()
    .returning({ kid: signingKeys.kid })
  return rows.length === 1
}

async function record(tx: Tx, audit: AuditOf<SigningKeyFacts>, facts: SigningKeyFacts): Promise<void> {
  await insertAudit(tx, audit(facts, tx.now))
  await insertChanges(tx, [{ tenantId: null, kind: 'key', ref: facts.kid }])
}

function fromRow(kid: string, row: ListRow): SigningKeyRow {
  return {
    kid,
    alg: row.alg,
    publicJwk: row.public_jwk,
    sealedPrivateKey: row.private_key,
    state: row.state,
    createdAt: row.created_at,
    activatedAt: row.activated_at,
    retiredAt: row.retired_at,
    revokedAt: row.revoked_at,
  }
}
