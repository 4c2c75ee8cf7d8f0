/**
 * A sealed log for tests: rows with every column filled, a sealer that runs when it is told to, and a way past the store.
 *
 * @module
 */

import { deepEqual } from 'node:assert/strict'
import { newId } from '../../ids.ts'
import { silent } from '../../internal/logger.ts'
import { secretRing } from '../../secrets/secret-ring.ts'
import type { Store } from '../../store/contract/store.ts'
import type { AuditEvent, AuditRow } from '../record.ts'
import { auditRow } from '../record.ts'
import { sealLog } from '../seal.ts'
import { Sealer, type SealerDeps } from '../sealer.ts'
import type { LogVerdict, VerifyLogOptions } from '../verify-log.ts'
import { verifyLog } from '../verify-log.ts'
import { Witness, type WitnessOptions } from '../witness.ts'

/** What the bench asks of a database: the store's own statements, which this folder may not know. */
export interface RawSql {
  exclusively<T>(work: (run: (text: string) => Promise<readonly Record<string, unknown>[]>) => Promise<T>): Promise<T>
}

export interface LedgerBench {
  readonly deps: SealerDeps & { readonly store: Store }
  readonly sealer: Sealer
  readonly tenantId: string
  /** Writes rows, which then wait to be sealed. */
  write(count: number, event?: Partial<AuditEvent>): Promise<readonly AuditRow[]>
  seal(): Promise<void>
  /** Seals and signs. @returns The signed note. */
  checkpoint(): Promise<string>
  verify(options?: VerifyLogOptions): Promise<LogVerdict>
  /** As someone would who may do anything to the database: triggers off, then the statement. */
  tamper(text: string): Promise<readonly Record<string, unknown>[]>
}

const SECRETS = secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'])
const TABLES = ['audit_logs', 'audit_seals', 'audit_nodes', 'audit_checkpoints']
let at = Date.parse('2026-01-01T00:00:00.000Z')

/** A row that has something in every column. */
export function fullRow(tenantId: string | null, event: Partial<AuditEvent> = {}): AuditRow {
  at += 7
  return auditRow(
    {
      tenantId,
      action: 'USER_ROLE_UPDATED',
      outcome: 'FAIL',
      failureReason: 'FORBIDDEN',
      userId: newId(),
      actorName: 'Ada Lovelace',
      staffId: newId(),
      sessionId: newId(),
      realUserId: newId(),
      resource: 'tenant_staff',
      resourceId: newId(),
      oldValue: { role: 'member', at },
      newValue: { role: 'owner', nested: { text: 'ä "quoted"\n', number: 1.5e-7 } },
      metadata: { list: [1, null, true] },
      country: 'DE',
      city: 'Köln',
      request: { correlationId: newId(), ipAddress: '192.0.2.1', userAgent: 'bench/1' },
      ...event,
    },
    new Date(at),
  )
}

export function ledgerBench(
  store: Store,
  sql: RawSql,
  {
    witness = {},
    tenantId = newId(),
    log = silent,
  }: { witness?: WitnessOptions; tenantId?: string; log?: typeof silent } = {},
): LedgerBench {
  const settings = {
    issuer: 'https://id.example.com',
    audit: { sealEveryMs: 2000, checkpointEveryMs: 60_000, checkpointRows: 1000 },
  }
  const deps: LedgerBench['deps'] = { store, secrets: SECRETS, settings, witness: new Witness(witness, log), log }
  const sealer = new Sealer(deps)
  return {
    deps,
    sealer,
    tenantId,
    async write(count, event) {
      const rows = Array.from({ length: count }, () => fullRow(tenantId, event))
      await store.audit.append(rows)
      return rows
    },
    seal: () => sealLog(deps, tenantId),
    async checkpoint() {
      const checkpoint = await sealer.checkpoint(tenantId)
      if (checkpoint === undefined) throw new TypeError('the log is empty')
      return checkpoint.note
    },
    async verify(options) {
      const verdict = await verifyLog({ store, settings }, tenantId, options)
      // Every log is looked at in small runs as well, so that each change meets the seams between them too.
      const inRuns = await verifyLog({ store, settings }, tenantId, options, 16)
      deepEqual({ ...inRuns, rows: verdict.rows, root: verdict.root }, verdict)
      if (verdict.finding === undefined) deepEqual(inRuns, verdict)
      return verdict
    },
    tamper: (text) =>
      sql.exclusively(async (run) => {
        const triggers = (what: string) => TABLES.map((table) => `alter table ${table} ${what} trigger user`).join(';')
        await run(triggers('disable'))
        try {
          return await run(text)
        } finally {
          await run(triggers('enable'))
        }
      }),
  }
}
