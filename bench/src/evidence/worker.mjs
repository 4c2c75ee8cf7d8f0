/**
 * Exports or verifies once, in a process of its own, and writes what became of it as JSON. Plain JavaScript, so that its peak of
 * memory is that of the work and not of a compiler: `node worker.mjs <method> <url> <secret> <tenant>`.
 *
 * @module
 */

import pg from 'pg'
import { stringify } from 'csv-stringify'
import { sallyport } from '../../../packages/sallyport/dist/index.js'
import { postgres } from '../../../packages/sallyport/dist/postgres.js'

const [method = '', url = '', secret = '', tenantId = ''] = process.argv.slice(2)

async function withGuard(work) {
  const guard = sallyport({
    store: postgres({ url }),
    issuer: 'https://bench.example.com',
    secrets: [secret],
    jobs: { schedule: false },
  })
  try {
    await guard.start()
    // Nothing beside the work: no job, and no sealer, which would first read all that was filled in and never signed.
    await guard.engine.sealer.stop()
    return await work(guard)
  } finally {
    await guard.close()
  }
}

async function withClient(work) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const JOINED = `select s.seq, s.recorded_at, l.* from audit_seals s join audit_logs l on l.id = s.id
  where s.tenant_id = '${tenantId}' order by s.seq`

/** A cell as most people write it first. */
function cell(value) {
  if (value === null) return ''
  const text =
    value instanceof Date
      ? value.toISOString()
      : Buffer.isBuffer(value)
        ? value.toString('hex')
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value)
  return `"${text.replaceAll('"', '""')}"`
}

const METHODS = {
  export: () =>
    withGuard(async (guard) => {
      const started = performance.now()
      const by = { tenantId, machine: 'bench' }
      const { body } = await guard.compliance.export(by, { dataset: 'audit-logs', format: 'csv' })
      let firstByte
      for await (const _ of body) firstByte ??= performance.now() - started
      return { seconds: (performance.now() - started) / 1000, firstByte }
    }),

  verify: () =>
    withGuard(async (guard) => {
      const started = performance.now()
      const [log] = await guard.audit.verify({ tenantId })
      if (log?.finding !== undefined) throw new Error(log.finding.message)
      return { seconds: (performance.now() - started) / 1000 }
    }),

  loadAll: () =>
    withClient(async (client) => {
      const started = performance.now()
      const { rows } = await client.query(JOINED)
      const lines = rows.map((row) => `${Object.values(row).map(cell).join(',')}\r\n`)
      // A string has a limit of half a gigabyte, which a million rows exceed.
      const pieces = []
      for (let at = 0; at < lines.length; at += 100_000)
        pieces.push(Buffer.from(lines.slice(at, at + 100_000).join('')))
      if (Buffer.concat(pieces).length === 0) throw new Error('nothing was read')
      return { seconds: (performance.now() - started) / 1000 }
    }),

  cursor: () =>
    withClient(async (client) => {
      const started = performance.now()
      const out = stringify({ quoted: true, escape_formulas: true })
      out.on('data', () => undefined)
      await client.query('begin')
      await client.query(`declare reading cursor for ${JOINED}`)
      for (let more = true; more; ) {
        const { rows } = await client.query('fetch 1000 from reading')
        for (const row of rows) {
          if (!out.write(Object.values(row))) await new Promise((resolve) => out.once('drain', resolve))
        }
        more = rows.length === 1000
      }
      await client.query('commit')
      return { seconds: (performance.now() - started) / 1000 }
    }),
}

const done = await METHODS[method]()
process.stdout.write(JSON.stringify({ ...done, peakMB: process.resourceUsage().maxRSS / 1024 }))
