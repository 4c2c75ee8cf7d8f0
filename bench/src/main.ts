/**
 * `npm run bench`: measures Sallyport beside its references on this machine.
 *
 *   npm run bench                    quick, about eight minutes
 *   npm run bench -- --full          long runs, large tables
 *   npm run bench -- --only NAME     one benchmark; may be repeated
 *
 * Prints a table, and writes the figures to `bench/results/` as JSON with a plot of how cost grows. Build first.
 *
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Bench, Report } from './bench.ts'
import { auditAppendBench } from './benches/audit-append.ts'
import { auditVerifyBench } from './benches/audit-verify.ts'
import { authenticateBench } from './benches/authenticate.ts'
import { authenticatedHttpBench } from './benches/authenticated-http.ts'
import { exportBench } from './benches/export.ts'
import { growthBench } from './benches/growth.ts'
import { ipRulesBench } from './benches/ip-rules.ts'
import { refreshHttpBench } from './benches/refresh-http.ts'
import { rotationBench } from './benches/rotation.ts'
import { startBench } from './benches/start.ts'
import { describeServer } from './database.ts'
import { growthPlot } from './plot.ts'
import { comparisonTable, figureTable } from './table.ts'

const BENCHES: readonly Bench[] = [
  authenticateBench,
  authenticatedHttpBench,
  rotationBench,
  refreshHttpBench,
  auditAppendBench,
  auditVerifyBench,
  exportBench,
  growthBench,
  ipRulesBench,
  startBench,
]
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
const POSTGRES_URL = process.env['SALLYPORT_BENCH_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { full: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
  })
  const { full, only } = values
  const unknown = only?.filter((name) => !BENCHES.some((bench) => bench.name === name)) ?? []
  if (unknown.length > 0) {
    console.error(`no such benchmark: ${unknown.join(', ')} (there are: ${BENCHES.map(({ name }) => name).join(', ')})`)
    return 2
  }
  const server = await describeServer(POSTGRES_URL)
  const machine = { node: process.version, system: release(), processors: cpus().map(({ model }) => model) }
  console.log(`Node ${machine.node}, ${machine.processors.length} × ${machine.processors[0] ?? 'unknown processor'}`)
  console.log(
    `PostgreSQL ${Object.entries(server)
      .map(([name, value]) => `${name} = ${value}`)
      .join(', ')}`,
  )
  if (server['synchronous_commit'] !== 'on' || server['fsync'] !== 'on') {
    console.log('This server does not wait for its disk: its figures say nothing of durable commits.')
  }
  const reports: { name: string; title: string; report: Report }[] = []
  for (const { name, title, run } of BENCHES.filter((bench) => only?.includes(bench.name) ?? true)) {
    console.log(`\n${title} (${name})`)
    const started = performance.now()
    const report = await run({ full, postgresUrl: POSTGRES_URL, say: (line) => console.log(`  ${line}`) })
    console.log(figureTable(report.figures))
    for (const note of report.notes ?? []) console.log(`  ${note}`)
    console.log(`  took ${((performance.now() - started) / 1000).toFixed(0)} s`)
    reports.push({ name, title, report })
  }
  const comparisons = reports.flatMap(({ report }) => report.comparisons)
  console.log(`\n${comparisonTable(comparisons)}`)
  await mkdir(RESULTS, { recursive: true })
  const file = `${RESULTS}${full ? 'full' : 'quick'}${only === undefined ? '' : `-${only.join('-')}`}.json`
  await writeFile(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), full, machine, server, reports }, undefined, 2)}\n`,
  )
  console.log(`\nwritten: ${file}`)
  const growth = reports.flatMap(({ report }) => report.growth ?? [])
  if (growth.length > 0) {
    const plot = `${RESULTS}${full ? 'full' : 'quick'}-growth.svg`
    await writeFile(plot, growthPlot(growth))
    console.log(`written: ${plot}`)
  }
  return 0
}

process.exitCode = await main(process.argv.slice(2))
