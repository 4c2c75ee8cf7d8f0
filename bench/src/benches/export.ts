/**
 * The export of the audit log as CSV, from the order to the last byte, beside COPY by psql and beside plain designs.
 *
 * @module
 */

import type { Bench, Figure } from '../bench.ts'
import { scratchDatabase } from '../database.ts'
import { fillLog, TENANT } from '../evidence/filled-log.ts'
import { once } from '../evidence/once.ts'
import { postgres } from '../library.ts'
import { byTurns, compare, limit } from '../measure.ts'
import { psqlCopy } from '../references/psql-copy.ts'

const SAME_ROWS = `(select s.seq, s.recorded_at, l.* from audit_seals s join audit_logs l on l.id = s.id
  where s.tenant_id = '${TENANT}' order by s.seq)`

export const exportBench: Bench = {
  name: 'export',
  title: 'Export of the audit log as CSV',
  async run({ full, postgresUrl, say }) {
    const small = full ? 1_000_000 : 200_000
    const large = full ? 10_000_000 : 1_000_000
    const filled = async (rows: number): Promise<Awaited<ReturnType<typeof scratchDatabase>>> => {
      say(`filling an audit log with ${rows.toLocaleString('en-US')} rows`)
      const made = await scratchDatabase(postgresUrl)
      const store = postgres({ url: made.url })
      await store.migrate()
      await store.close()
      await fillLog(made.url, rows)
      return made
    }
    const first = await filled(small)
    let figures: Figure[]
    try {
      const order = { url: first.url, rows: small }
      figures = await byTurns(
        [
          { name: 'export', run: () => once('export', order) },
          { name: 'COPY by psql, the same rows', run: () => psqlCopy(first.url, SAME_ROWS, small) },
          { name: 'COPY by psql, the bare table', run: () => psqlCopy(first.url, 'audit_logs', small) },
          { name: 'a cursor and csv-stringify', run: () => once('cursor', order) },
          { name: 'load all and join', run: () => once('loadAll', order) },
        ],
        3,
        '/s',
      )
    } finally {
      await first.drop()
    }
    const second = await filled(large)
    let much: Figure
    try {
      ;[much] = (await byTurns(
        [
          {
            name: `export, ${large.toLocaleString('en-US')} rows`,
            run: () => once('export', { url: second.url, rows: large }),
          },
        ],
        full ? 1 : 2,
        '/s',
      )) as [Figure]
    } finally {
      await second.drop()
    }
    const [ours, same, bare, stringified, loaded] = figures as [Figure, Figure, Figure, Figure, Figure]
    const memory = { name: 'peakMB', unit: 'MB' }
    return {
      figures: [...figures, much],
      comparisons: [
        compare('export', ours, same, { kind: 'at least', value: 0.6 }),
        compare('export', ours, bare),
        compare('export', ours, stringified),
        compare('export', ours, loaded),
        limit('export, first byte', 'ms', ours.details['firstByte'] ?? Number.NaN, { kind: 'at most', value: 200 }),
        limit('export, peak memory', 'MB', much.details['peakMB'] ?? Number.NaN, { kind: 'at most', value: 150 }),
        compare(
          'export, peak memory at ten times the rows',
          { ...much, name: 'more' },
          ours,
          { kind: 'at most', value: 1.1 },
          memory,
        ),
      ],
    }
  },
}
