/**
 * `npm run generate`: writes what the client knows of the API into its sources, where it is checked in.
 *
 * @module
 */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { API_ROUTES } from '../packages/sallyport/src/http/api.ts'
import { openApiDocument } from '../packages/sallyport/src/http/openapi.ts'
import { writeOperations, writeTypes } from './client-types.ts'
import type { Problem } from './repository.ts'

const FOLDER = 'packages/client/src/generated'

async function generated(root: string): Promise<ReadonlyMap<string, string>> {
  const document = openApiDocument(API_ROUTES)
  const files = { 'api.ts': writeTypes(document), 'operations.ts': writeOperations(document) }
  const formatted = Object.entries(files).map(async ([name, text]) => {
    const file = `${FOLDER}/${name}`
    return [file, await format(root, file, text)] as const
  })
  return new Map(await Promise.all(formatted))
}

async function format(root: string, file: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const biome = join(root, 'node_modules/.bin/biome')
    const child = execFile(
      biome,
      ['format', '--vcs-enabled=false', `--stdin-file-path=${file}`],
      { cwd: root },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(`${file}: ${stderr}`))),
    )
    child.stdin?.end(text)
  })
}

/** What the client knows of the API is what the routes say now. */
export async function checkClientTypes(root: string): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const [file, text] of await generated(root)) {
    const found = await readFile(join(root, file), 'utf8').catch(() => '')
    if (found !== text) problems.push({ file, line: 1, message: 'is not what the routes say: npm run generate' })
  }
  return problems
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  for (const [file, text] of await generated(root)) await writeFile(join(root, file), text)
}
