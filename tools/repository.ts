/**
 * What the checks share: finding files, reading the import and export statements of a module, and saying where a
 * problem stands.
 *
 * @module
 */

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

export interface Problem {
  /** Relative to the repository, with forward slashes. */
  readonly file: string
  readonly line: number
  readonly message: string
}

/** An `import`, a re-export, or a dynamic `import()` of a module. */
export interface ImportStatement {
  readonly specifier: string
  readonly line: number
  /** Gone after compilation: it names a type, and brings in no code. */
  readonly typeOnly: boolean
}

export interface PackageManifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin?: Readonly<Record<string, string>>
}

const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage', '.git', '.sallyport'])

/** Every file under `folder` whose name ends in one of `endings`, relative to `root`, sorted. */
export async function listFiles(root: string, folder: string, endings: readonly string[]): Promise<string[]> {
  if (!existsSync(join(root, folder))) return []
  const found: string[] = []
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) {
        if (!SKIPPED_FOLDERS.has(entry.name)) await walk(path)
      } else if (endings.some((ending) => entry.name.endsWith(ending))) {
        found.push(relative(root, path).split(sep).join('/'))
      }
    }
  }
  await walk(join(root, folder))
  return found.sort()
}

/** The packages under `packages/` that are published, by folder name. */
export async function listPublishedPackages(root: string): Promise<{ folder: string; manifest: PackageManifest }[]> {
  const entries = await readdir(join(root, 'packages'), { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => `packages/${entry.name}`)
  const packages = await Promise.all(
    folders.sort().map(async (folder) => {
      const text = await readFile(join(root, folder, 'package.json'), 'utf8').catch(() => undefined)
      return text === undefined ? undefined : { folder, manifest: JSON.parse(text) as PackageManifest }
    }),
  )
  return packages.filter((found) => found !== undefined && found.manifest.private !== true) as {
    folder: string
    manifest: PackageManifest
  }[]
}

/**
 * Statements are recognised at the start of a line, where the formatter puts them: text in comments and strings,
 * which is indented or prefixed, is not mistaken for one.
 */
export function readImports(source: string): ImportStatement[] {
  const statements = /^(?:import|export)\b(?:[^'"();=]*?\bfrom)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm
  return Array.from(source.matchAll(statements), (match) => ({
    specifier: match[1] ?? match[2] ?? '',
    line: lineAt(source, match.index),
    typeOnly: /^(?:import|export) type\b/.test(match[0]),
  }))
}

export function lineAt(source: string, index: number): number {
  let line = 1
  for (let at = source.indexOf('\n'); at !== -1 && at < index; at = source.indexOf('\n', at + 1)) line += 1
  return line
}

export function isTest(file: string): boolean {
  return /\.test(-d)?\.tsx?$/.test(file)
}
