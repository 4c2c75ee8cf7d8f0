/**
 * `audit verify`: every row read, canonicalised and hashed again, beside the hashing alone.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Bench, Figure, Sample } from '../bench.ts'
import { withDatabase } from '../database.ts'
import { eventRow, growLog } from '../evidence/filled-log.ts'
import { once } from '../evidence/once.ts'
import { openGuard } from '../fixtures.ts'
import { Frontier, leafEntry, postgres } from '../library.ts'
import { byTurns, compare, limit } from '../measure.ts'

export const auditVerifyBench: Bench = {
  name: 'audit-verify',
  title: 'Verification of the audit log',
  run: ({ full, postgresUrl, say }) =>
    withDatabase(postgresUrl, async (url) => {
      const rows = full ? 1_000_000 : 100_000
      say(`writing and sealing ${rows.toLocaleString('en-US')} events`)
      const store = postgres({ url })
      const guard = await openGuard(store)
      await growLog(guard, store, rows)
      await guard.close()
      const order = { url, rows }
      const figures = await byTurns(
        [
          { name: 'audit verify', run: () => once('verify', order) },
          { name: 'hashing alone, one thread', run: () => hashAlone(rows) },
        ],
        full ? 5 : 3,
        '/s',
      )
      const [ours, alone] = figures as [Figure, Figure]
      return {
        figures,
        comparisons: [
          // 150,000 rows a second where hashing alone does 456,000.
          compare('audit verify', ours, alone, { kind: 'at least', value: 0.33 }),
          limit('audit verify', '/s', ours.value, { kind: 'at least', value: 150_000 }),
        ],
      }
    }),
}

/** A leaf and its way into the tree, of entries that are there already: what no verifier of one thread can beat. */
function hashAlone(rows: number): Sample {
  const entries = Array.from({ length: 10_000 }, (_, n) => `\u0000${leafEntry(eventRow(n, new Date()))}`)
  const frontier = new Frontier()
  const started = performance.now()
  for (let n = 0; n < rows; n++) frontier.append(hash('sha256', entries[n % entries.length] ?? '', 'buffer'))
  return { value: (rows * 1000) / (performance.now() - started) }
}
