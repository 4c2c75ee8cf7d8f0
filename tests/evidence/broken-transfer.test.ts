import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { bytesOf, openEvidence } from './support.ts'
import type { EvidenceBench } from './support.ts'
import { exportDataset } from '../../packages/sallyport/src/evidence/export-dataset.ts'
import { machineAsking } from '../../packages/sallyport/src/evidence/requester.ts'
import { listen } from '../../packages/server/src/http/listen.ts'
import { hasPostgres } from '../support/postgres.ts'

/** In every run; `SALLYPORT_EXPORT_ROWS=1000000` takes some minutes. */
const ROWS = Number(process.env['SALLYPORT_EXPORT_ROWS'] ?? 30_000)

/** Whether the end of the answer came. @param onText Told of each piece: an answer of any size is not held here. */
function fetched(port: number, onText: (text: string) => void): Promise<{ readonly complete: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1' }, (response) => {
      response.setEncoding('utf8')
      response.on('data', onText)
      response.on('error', () => undefined)
      response.on('close', () => resolve({ complete: response.complete }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

describe.skipIf(!hasPostgres)('an export that fails half-way', () => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence('postgres')
    for (let i = 0; i < ROWS / 1000; i++) {
      await bench.engine.store.audit.append(await rowsOf(bench, 1000))
    }
    await bench.seal()
  }, 1_800_000)
  afterAll(() => bench.close())
  // The server says of each broken transfer what it broke by, which here is meant to happen.
  const said: unknown[] = []
  beforeEach(() => {
    said.length = 0
    vi.spyOn(console, 'error').mockImplementation((error: unknown) => void said.push(error))
  })
  afterEach(() => {
    vi.restoreAllMocks()
    for (const error of said) expect(String(error)).toContain('the database went away')
  })

  const failing = (after: number) => {
    let asked = 0
    const { store } = bench.engine
    return {
      ...bench.engine,
      store: {
        ...store,
        evidence: {
          ...store.evidence,
          rowsOfLog: async (query: Parameters<typeof store.evidence.rowsOfLog>[0]) => {
            if (++asked > after) throw new Error('the database went away')
            return store.evidence.rowsOfLog(query)
          },
        },
      },
    }
  }

  test.each(['csv', 'json'] as const)('the client sees that its %s is broken, and the log says so', async (format) => {
    let exportId = ''
    const listener = await listen(
      async () => {
        const made = await exportDataset(failing(3), machineAsking(bench.tenantId, 'test'), {
          dataset: 'audit-logs',
          format,
        })
        exportId = made.exportId
        return new Response(made.body)
      },
      { host: '127.0.0.1', port: 0, secure: false },
    )
    try {
      let text = ''
      const { complete } = await fetched(listener.port, (piece) => {
        text += piece
      })
      expect(complete).toBe(false)
      if (format === 'json') expect(() => JSON.parse(text) as unknown).toThrow()
      const rows = await bench.rows(
        `select action, failure_reason from audit_logs where resource_id = '${exportId}' order by created_at, id`,
      )
      expect(rows.map((row) => row['action'])).toEqual(['DATA_EXPORT_STARTED', 'DATA_EXPORT_FAILED'])
      expect(rows[1]?.['failure_reason']).toBe('INTERNAL')
    } finally {
      await listener.stop(0)
    }
  })

  test('a whole one is complete, and has as many rows as an independent count', { timeout: 600_000 }, async () => {
    const listener = await listen(
      async () =>
        new Response(
          (
            await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
              dataset: 'audit-logs',
              format: 'ndjson',
            })
          ).body,
        ),
      { host: '127.0.0.1', port: 0, secure: false },
    )
    try {
      let rows = 0
      let begun = ''
      let outOfTurn: string | undefined
      const { complete } = await fetched(listener.port, (piece) => {
        const lines = (begun + piece).split('\n')
        begun = lines.pop() ?? ''
        for (const line of lines) if ((JSON.parse(line) as { seq: number }).seq !== rows++) outOfTurn ??= line
      })
      expect([complete, begun, outOfTurn]).toEqual([true, '', undefined])
      expect(rows).toBeGreaterThanOrEqual(ROWS)
      const [counted] = await bench.rows(
        `select count(*)::int as n from audit_seals where tenant_id = '${bench.tenantId}' and seq < ${rows}`,
      )
      expect(counted?.['n']).toBe(rows)
    } finally {
      await listener.stop(0)
    }
  })

  test('no event is lost that is written while exports run', async () => {
    let writing = true
    let written = 0
    const writer = async (): Promise<void> => {
      while (writing) await bench.event({ actorName: `w${written++}` })
    }
    // Side by side they commit in an order that is not that of their times.
    const writers = Promise.all(Array.from({ length: 8 }, writer))
    const seen = new Set<string>()
    let from = new Date(Date.now() - 10_000)
    for (let round = 0; round < 5; round++) {
      const to = new Date()
      const { body } = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
        dataset: 'audit-logs',
        format: 'ndjson',
        from: from.toISOString(),
        to: to.toISOString(),
      })
      for (const line of (await bytesOf(body)).toString().split('\n').slice(0, -1)) {
        const { actor_name, seq } = JSON.parse(line) as { actor_name: string | null; seq: number }
        expect(seen.has(String(seq))).toBe(false)
        seen.add(String(seq))
        if (actor_name?.startsWith('w') === true) seen.add(actor_name)
      }
      from = to
    }
    writing = false
    await writers
    const { body } = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
      dataset: 'audit-logs',
      format: 'ndjson',
      from: from.toISOString(),
      to: new Date(Date.now() + 60_000).toISOString(),
    })
    for (const line of (await bytesOf(body)).toString().split('\n').slice(0, -1))
      seen.add(String((JSON.parse(line) as { actor_name: string | null }).actor_name))
    expect(Array.from({ length: written }, (_, i) => `w${i}`).filter((name) => !seen.has(name))).toEqual([])
  })
})

async function rowsOf(bench: EvidenceBench, count: number) {
  const { auditRow } = await import('../../packages/sallyport/src/audit/record.ts')
  return Array.from({ length: count }, (_, i) =>
    auditRow(
      { tenantId: bench.tenantId, action: 'SESSION_CREATED', correlationId: `r${i}`, actorName: `n${i}` },
      new Date(),
    ),
  )
}
