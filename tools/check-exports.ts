/**
 * Nothing is public by accident: what a package exports is a list that a person can read, and each entry of it exists.
 *
 * @module
 */

import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isTest, lineAt, listFiles, listPublishedPackages, type Problem } from './repository.ts'

/** Run after a build: the built files are looked for too. */
export async function checkExports(root: string): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { folder, manifest } of await listPublishedPackages(root)) {
    const declared: [name: string, target: string][] = []
    for (const [name, target] of Object.entries(manifest.exports ?? {})) {
      for (const file of typeof target === 'string' ? [target] : Object.values(target)) declared.push([name, file])
    }
    for (const [name, file] of Object.entries(manifest.bin ?? {})) declared.push([`bin ${name}`, file])

    const file = `${folder}/package.json`
    if (manifest.exports === undefined) {
      problems.push({ file, line: 1, message: 'no "exports": every file of the package would be public' })
    }
    for (const [name, target] of declared) {
      if (`${name}${target}`.includes('*')) {
        problems.push({ file, line: 1, message: `exports "${name}" by a wildcard` })
      } else if (!(await exists(join(root, folder, target)))) {
        problems.push({ file, line: 1, message: `exports "${name}" as ${target}, which does not exist` })
      }
    }
  }
  for (const file of await listFiles(root, 'packages', ['.ts', '.tsx'])) {
    if (isTest(file)) continue
    const source = await readFile(join(root, file), 'utf8')
    problems.push(
      ...find(file, source, /^export default\b|^export\s*\{[^}]*\bas default\b/gm, 'default export: name it'),
      ...find(file, source, /^export (type )?\*/gm, '"export *": list the names'),
    )
    if (/^packages\/[^/]+\/src\/index\.ts$/.test(file)) {
      problems.push(
        ...find(
          file,
          source,
          /^(?!export (type )?\{)(?:export|declare|const|let|function|class|interface|type|enum|async|import)\b/gm,
          'index.ts only re-exports: `export { name } from`',
        ),
      )
    }
  }
  return problems
}

function find(file: string, source: string, pattern: RegExp, message: string): Problem[] {
  return Array.from(source.matchAll(pattern), (match) => ({ file, line: lineAt(source, match.index), message }))
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
