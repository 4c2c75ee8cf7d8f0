/**
 * What every implementation of the port of the audit log must pass.
 *
 * @module
 */

import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { leafHash } from '../../audit/leaf.ts'
import type { AuditRow } from '../../audit/record.ts'
import { auditRow } from '../../audit/record.ts'
import { newId } from '../../ids.ts'
import type { AuditQuery } from '../contract/audit.ts'
import type { OpenHarness, Runner } from './harness.ts'
import { breaksCleanly, Marked } from './harness.ts'

/** Registers the cases. */
export function auditStoreContract(runner: Runner, open: OpenHarness): void {
  const { test } = runner

  test('audit: a row is read back as it was written, to the leaf', async () => {
    const { store } = await open()
    const tenantId = newId<string>()
    const row = auditRow(
      {
        tenantId,
        action: 'SESSION_REVOKED',
        outcome: 'FAIL',
        failureReason: 'FORBIDDEN',
        userId: newId(),
        actorName: 'Ada “Countess” \\ Łovelace \u2028 😀',
        staffId: newId(),
        sessionId: newId(),
        realUserId: newId(),
        resource: 'session',
        resourceId: "o'clock",
        oldValue: { b: 1, a: [null, true, 1e21, 0.1, 1e-7], ünïcode: {} },
        newValue: { a: [] },
        metadata: { nested: { deep: ['\u0001', '"', '\\', '\n'] }, none: null },
        country: 'DE',
        city: 'München',
        request: { correlationId: 'c-1', ipAddress: '2001:db8::1', userAgent: 'it’s {"a":1}' },
      },
      new Date('2030-01-02T03:04:05.678Z'),
    )
    await store.audit.append([row])
    const [read] = await store.audit.page({ tenantId, limit: 10 })
    ok(read)
    deepEqual(read, row)
    deepEqual(leafHash({ ...read, salt: Buffer.from(read.salt) }), Buffer.from(row.leafHash))
  })

  test('audit: rows are written all or none', async () => {
    const harness = await open()
    const mark = new Marked(newId())
    const twin = mark.row()
    await rejects(harness.store.audit.append([mark.row(), twin, twin]))
    equal(await mark.written(harness), 0)
    await harness.store.audit.append([])
    await harness.store.audit.append([mark.row(), mark.row()])
    equal(await mark.written(harness), 2)
  })

  test('audit: a page is newest first and goes on where the one before ended', async () => {
    const { store } = await open()
    const tenantId = newId<string>()
    const mark = new Marked(tenantId)
    const at = (ms: number) => mark.row(new Date(Date.UTC(2030, 0, 1) + ms))
    // Two in one millisecond: the id decides between them.
    const rows = [at(0), at(1), at(1), at(2), at(3)]
    await store.audit.append(rows)
    const read: AuditRow[] = []
    let after: AuditQuery['after']
    for (;;) {
      const page = await store.audit.page({ tenantId, limit: 2, after })
      read.push(...page)
      after = page.at(-1)
      if (after === undefined) break
    }
    const newest = [...rows].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1))
    deepEqual(
      read.map(({ id }) => id),
      newest.map(({ id }) => id),
    )
  })

  test('audit: another tenant reads none of it', async () => {
    const { store } = await open()
    const [ours, theirs] = [newId<string>(), newId<string>()]
    await store.audit.append([new Marked(ours).row()])
    equal((await store.audit.page({ tenantId: ours, limit: 10 })).length, 1)
    deepEqual(await store.audit.page({ tenantId: theirs, limit: 10 }), [])
  })

  test('audit: a row is found by its id, by its session and by its request, in its own tenant alone', async () => {
    const { store } = await open()
    const [tenantId, theirs, sessionId, correlationId] = [newId<string>(), newId<string>(), newId(), newId<string>()]
    const row = auditRow({ tenantId, action: 'SESSION_REVOKED', sessionId, correlationId }, new Date())
    await store.audit.append([row, new Marked(tenantId).row()])
    deepEqual(await store.audit.find(tenantId, row.id), row)
    equal(await store.audit.find(theirs, row.id), undefined)
    equal(await store.audit.find(tenantId, newId()), undefined)
    for (const by of [{ sessionId }, { correlationId }]) {
      deepEqual((await store.audit.search({ tenantId, limit: 10, ...by })).rows, [row])
      deepEqual((await store.audit.search({ tenantId: theirs, limit: 10, ...by })).rows, [])
    }
    deepEqual((await store.audit.search({ tenantId, limit: 10, sessionId: newId() })).rows, [])
  })

  breaksCleanly(runner, open, 'audit append', async (harness) => {
    const mark = new Marked(newId())
    return {
      write: ({ audit }) => audit.append([mark.row(), mark.row()]),
      happened: async () => {
        const written = await mark.written(harness)
        ok(written === 0 || written === 2, `${written} of 2`)
        return written === 2
      },
    }
  })
}
