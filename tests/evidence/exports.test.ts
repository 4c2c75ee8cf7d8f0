import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DATASET_NAMES } from '../../packages/sallyport/src/evidence/datasets.ts'
import { exportDataset } from '../../packages/sallyport/src/evidence/export-dataset.ts'
import { machineAsking } from '../../packages/sallyport/src/evidence/requester.ts'
import { outcomeOf, refusalOf } from '../support/directory-bench.ts'
import type { EvidenceBench } from './support.ts'
import { bytesOf, KINDS, openEvidence, parseCsv, sha256, undefused } from './support.ts'

describe.each(KINDS)('exports on %s', (kind) => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence(kind)
  })
  afterAll(() => bench.close())

  const json = async (input: Parameters<EvidenceBench['export']>[0]) =>
    (JSON.parse((await bench.export({ ...input, format: 'json' })).toString()) as { rows: Record<string, unknown>[] })
      .rows

  test('every dataset reads the same in csv, json and ndjson', async () => {
    await bench.event({ newValue: { a: 'x"y', b: [1, null] }, actorName: '=1+1', failureReason: '' })
    for (const dataset of DATASET_NAMES) {
      // Sealed before, and up to now: the rows that an export leaves of itself are in none of the three.
      await bench.seal()
      const to =
        dataset === 'staff-access'
          ? {}
          : { from: new Date(Date.now() - 86_400_000).toISOString(), to: new Date().toISOString() }
      const rows = await json({ dataset, format: 'json', ...to })
      expect(rows.length, dataset).toBeGreaterThan(dataset === 'step-up-challenges' ? -1 : 0)
      const lines = (await bench.export({ dataset, format: 'ndjson', ...to })).toString()
      expect(
        lines
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line)),
        dataset,
      ).toEqual(rows)
      const { header, rows: cells } = parseCsv((await bench.export({ dataset, format: 'csv', ...to })).toString())
      expect(header).toEqual(Object.keys(rows[0] ?? Object.fromEntries(header.map((name) => [name, null]))))
      const texts = rows.map((row) =>
        header.map((name) => {
          const value = row[name] as unknown
          if (value === null || value === undefined) return null
          return typeof value === 'string' ? value : JSON.stringify(value)
        }),
      )
      const spaced = (cell: string | null) =>
        cell !== null && /^[[{]/.test(cell) ? JSON.stringify(JSON.parse(cell)) : cell === null ? null : undefused(cell)
      expect(
        cells.map((row) => row.map(spaced)),
        dataset,
      ).toEqual(texts)
    }
  })

  test('no export holds the hash of a token', async () => {
    const hashes = await bench.rows("select encode(token_hash, 'hex') as hash from refresh_tokens")
    const text = (await bench.export({ dataset: 'refresh-tokens', format: 'ndjson' })).toString()
    expect(text).toContain('family_id')
    for (const { hash } of hashes) expect(text).not.toContain(hash)
    expect(text).not.toMatch(/nonce|token_hash|secret_id/)
  })

  test('whatever a cell holds, the file parses back equal and no cell begins as a formula', async () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.stringMatching(/^'{0,2}[=+@\t\r\n-].{0,5}$/),
      fc.constantFrom('a,b', '"', '""', '\r\n', '\n', "'", "'=", '＝cmd', '-', ' =1', '\u0085', '\u2028'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          name.filter((text) => text.isWellFormed() && !text.includes('\u0000')),
          { minLength: 1, maxLength: 8 },
        ),
        async (names) => {
          const from = new Date(Date.now() - 1)
          const events = []
          for (const actorName of names) events.push(await bench.event({ actorName }))
          await bench.seal()
          const input = {
            dataset: 'audit-logs',
            from: from.toISOString(),
            to: new Date(Date.now() + 1000).toISOString(),
          } as const
          const { header, rows } = parseCsv((await bench.export({ ...input, format: 'csv' })).toString())
          const column = header.indexOf('actor_name')
          const ids = header.indexOf('id')
          for (const { id, actorName } of events) {
            const cell = rows.find((row) => row[ids] === id)?.[column] as string
            expect(undefused(cell)).toBe(actorName)
            expect(cell).not.toMatch(/^[=+@\t\r\n＝＋－＠-]/)
          }
        },
      ),
      { numRuns: 15 },
    )
  })

  test('a period is half-open, and the union of days is the whole', async () => {
    const at = (hours: number) => new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000 + hours * 3_600_000)
    for (const hours of [0, 6, 12, 18, 24]) {
      await bench.event({ actorName: `h${hours}` })
      await bench.sealAt(at(hours))
    }
    const ids = async (from: number, to: number) => {
      const rows = await json({
        dataset: 'audit-logs',
        format: 'json',
        from: at(from).toISOString(),
        to: at(to).toISOString(),
      })
      return rows.map((row) => row['seq'])
    }
    const recorded = (
      await json({ dataset: 'audit-logs', format: 'json', from: at(-0.1).toISOString(), to: at(30).toISOString() })
    )
      .filter((row) => /^h\d/.test(String(row['actor_name'])))
      .map((row) => [row['seq'], row['recorded_at']] as const)
    expect(recorded).toHaveLength(5)
    const first = recorded[2]?.[1] as string
    const last = recorded[4]?.[1] as string
    const seqs = (await json({ dataset: 'audit-logs', format: 'json', from: first, to: last })).map((row) => row['seq'])
    // The event at exactly `to` is in the next export, and in no other.
    expect(seqs).toEqual([recorded[2]?.[0], recorded[3]?.[0]])
    const whole = await ids(-1, 23.9)
    expect([...(await ids(-1, 9)), ...(await ids(9, 20)), ...(await ids(20, 23.9))]).toEqual(whole)
    expect(whole).toEqual(whole.map((_, i) => (whole[0] as number) + i))
  })

  test('start and end are recorded, with rows, bytes and SHA-256 of what was sent', async () => {
    const { exportId, body, fileName } = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
      dataset: 'user-sessions',
      format: 'csv',
      from: '2026-02-28T23:59:59.999+14:00',
      to: '2026-03-01T00:00:00-14:00',
    })
    const bytes = await bytesOf(body)
    expect(fileName).toBe('user-sessions_20260228T095959Z_20260301T140000Z.csv')
    expect(parseCsv(bytes.toString()).rows).toEqual([])
    const rows = await bench.rows(
      `select action, metadata from audit_logs where resource_id = '${exportId}' order by created_at, id`,
    )
    expect(rows.map((row) => row['action'])).toEqual(['DATA_EXPORT_STARTED', 'DATA_EXPORT_COMPLETED'])
    expect(rows[1]?.['metadata']).toMatchObject({ rows: 0, bytes: bytes.length, sha256: sha256(bytes), actor: 'test' })
  })

  test('without an end, what has just happened is in it', async () => {
    const { id } = await bench.event({ actorName: 'just now' })
    expect((await json({ dataset: 'audit-logs', format: 'json' })).map((row) => row['id'])).toContain(id)
  })

  test('a tenant has one export at a time, and the next begins when it ended', async () => {
    const input = { dataset: 'audit-logs', format: 'csv' } as const
    const running = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), input)
    const refused = await refusalOf(exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), input))
    expect([refused.code, refused.facts['reason']]).toEqual(['CONFLICT', 'export_running'])
    const other = await bench.owner({ tenantName: 'Other' })
    await bytesOf((await exportDataset(bench.engine, machineAsking(other.issued.session.tenantId, 'test'), input)).body)
    await running.body.cancel()
    expect(await outcomeOf(bench.export(input))).toBe('done')
    const [row] = await bench.rows(
      `select failure_reason from audit_logs where resource_id = '${running.exportId}' and action = 'DATA_EXPORT_FAILED'`,
    )
    expect(row?.['failure_reason']).toBe('ABORTED')
  })

  test('a reader that reads nothing holds nothing up', async () => {
    const { body } = await exportDataset(bench.engine, machineAsking(bench.tenantId, 'test'), {
      dataset: 'user-sessions',
      format: 'csv',
    })
    const reader = body.getReader()
    await reader.read()
    await bench.owner({ tenantName: 'Meanwhile' })
    await reader.cancel()
  })

  test('another tenant is in no export', async () => {
    const canary = await bench.owner({ name: 'Canary Canarsson', email: 'canary@example.com', tenantName: 'Birds' })
    for (const dataset of DATASET_NAMES) {
      const text = (await bench.export({ dataset, format: 'ndjson' })).toString()
      expect(
        text.includes('Canary') ||
          text.includes(canary.issued.session.tenantId) ||
          text.includes(canary.issued.session.userId),
        dataset,
      ).toBe(false)
    }
  })

  test.each([
    ['from', { from: 'yesterday' }],
    ['from', { from: '2026-02-30T00:00:00Z' }],
    ['from', { from: '2026-01-01' }],
    ['from', { from: '2026-01-01T00:00:00+14:01' }],
    ['to', { to: '2026-01-01T24:00:00Z' }],
    ['to', { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }],
    ['to', { from: '2026-02-01T00:00:00Z', to: '2026-02-01T00:00:00Z' }],
    ['from', { from: '2024-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }],
    ['from', { from: '-000001-01-01T00:00:00Z' }],
  ])('INVALID_RANGE names %s: %j', async (field, range) => {
    const refused = await refusalOf(bench.export({ dataset: 'audit-logs', format: 'csv', ...range }))
    expect([refused.code, refused.status, refused.facts['field']]).toEqual(['INVALID_RANGE', 400, field])
  })

  test('the list of access takes no period', async () => {
    const refused = await refusalOf(
      bench.export({ dataset: 'staff-access', format: 'csv', to: '2026-01-01T00:00:00Z' }),
    )
    expect([refused.code, refused.facts['field']]).toEqual(['INVALID_RANGE', 'to'])
  })

  test('a leap day is a day', async () => {
    expect(
      await outcomeOf(
        bench.export({
          dataset: 'user-sessions',
          format: 'csv',
          from: '2028-02-29T00:00:00Z',
          to: '2028-03-01T00:00:00Z',
        }),
      ),
    ).toBe('done')
  })

  test('E9: the day that clocks are changed, a leap day and the ends of a year have their own events and no others', async () => {
    const moments = [
      '2027-03-27T22:59:00Z',
      '2027-03-27T23:01:00Z',
      '2027-03-28T21:59:00Z',
      '2027-03-28T22:01:00Z',
      '2027-12-31T23:59:00Z',
      '2028-01-01T00:01:00Z',
      '2028-02-28T23:59:00Z',
      '2028-02-29T00:01:00Z',
      '2028-02-29T23:59:00Z',
      '2028-03-01T00:01:00Z',
    ]
    for (const moment of moments) {
      await bench.event({ actorName: moment })
      await bench.sealAt(new Date(moment))
    }
    const of = async (from: string, to: string) =>
      (await json({ dataset: 'audit-logs', format: 'json', from, to }))
        .map((row) => row['actor_name'])
        .filter((name) => moments.includes(String(name)))
    // Berlin puts its clocks forward: 23 hours, and both offsets in one period.
    expect(await of('2027-03-28T00:00:00+01:00', '2027-03-29T00:00:00+02:00')).toEqual(moments.slice(1, 3))
    expect(await of('2027-12-01T00:00:00Z', '2028-01-01T00:00:00Z')).toEqual(moments.slice(4, 5))
    expect(await of('2028-01-01T14:00:00+14:00', '2028-01-01T10:00:00-14:00')).toEqual(moments.slice(5, 6))
    expect(await of('2028-02-29T00:00:00Z', '2028-03-01T00:00:00Z')).toEqual(moments.slice(7, 9))
    expect(await of('2028-02-01T00:00:00Z', '2028-02-29T00:00:00Z')).toEqual(moments.slice(6, 7))
  })
})
