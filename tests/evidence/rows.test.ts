/**
 * What each event says, and that nothing is logged past the places that the documentation lists.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openZip } from '../../packages/sallyport/src/evidence/verifying/read-zip.ts'

const BUNDLE = fileURLToPath(new URL('fixtures/bundle-0.1.0.zip', import.meta.url))
const PACKAGES = fileURLToPath(new URL('../../packages/', import.meta.url))

type Schema = { readonly required: string[]; readonly properties: Record<string, { type?: string; format?: string }> }

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  uuid: /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/,
}

async function textOf(name: string): Promise<string> {
  const zip = await openZip(BUNDLE)
  const chunks = []
  for await (const chunk of zip.read(name)) chunks.push(chunk)
  zip.close()
  return Buffer.concat(chunks).toString()
}

test('every event says who, what, when, with what outcome and for which request, in the form that its schema says', async () => {
  const schema = JSON.parse(await textOf('schema/audit-logs.schema.json')) as Schema
  const rows = (await textOf('data/audit-logs.ndjson')).split('\n').slice(0, -1)
  expect(rows.length).toBeGreaterThan(5)
  for (const line of rows) {
    const row = JSON.parse(line) as Record<string, unknown>
    expect(Object.keys(row).sort()).toEqual([...schema.required].sort())
    for (const [name, { type, format }] of Object.entries(schema.properties)) {
      const value = row[name]
      if (value === null || type === undefined) continue
      expect(type === 'integer' ? Number.isInteger(value) : typeof value === type, `${name} ${line}`).toBe(true)
      if (format !== undefined) expect(value, name).toMatch(FORMATS[format] as RegExp)
    }
    for (const name of ['id', 'created_at', 'action', 'outcome', 'correlation_id', 'leaf_hash'])
      expect(row[name], name).toBeTruthy()
    expect(['SUCCESS', 'FAIL']).toContain(row['outcome'])
    // A person, or what machine it was.
    expect(row['user_id'] ?? (row['metadata'] as { actor?: string } | null)?.actor).toBeTruthy()
  }
})

test('nothing in the packages writes to the console; only the command line writes to the standard streams', () => {
  const offending: string[] = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (/\.tsx?$/.test(entry.name) && !/\.test(?:-d)?\.tsx?$/.test(entry.name)) {
        const source = readFileSync(path, 'utf8')
        if (/\bconsole\s*\.\s*\w+\(/.test(source)) offending.push(path)
        if (/process\.std(?:out|err)\.write/.test(source) && !path.includes('/server/src/cli')) offending.push(path)
      }
    }
  }
  for (const name of readdirSync(PACKAGES)) visit(join(PACKAGES, name, 'src'))
  expect(offending).toEqual([])
})
