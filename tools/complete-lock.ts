/**
 * `npm run lock`: adds to the lock file the packages for other platforms that npm left out.
 *
 * Native tools come as one optional package for each platform. Where the registry in use doesn't carry all of them (a
 * mirror, a proxy), `npm install` leaves the rest out of the lock file, and `npm ci` then refuses that file everywhere.
 * Their versions stand in the package that asks for them, and their platform in their names.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Problem } from './repository.ts'

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** What `npm ci` would refuse the lock file for. */
export async function checkLock(root: string): Promise<Problem[]> {
  const lock = JSON.parse(await readFile(join(root, FILE), 'utf8')) as LockFile
  return Object.keys(missingPlatforms(lock)).map((path) => ({
    file: FILE,
    line: 1,
    message: `lacks ${path}, so that npm ci refuses it: npm run lock adds it`,
  }))
}

const FILE = 'package-lock.json'

const OS: Readonly<Record<string, string>> = { windows: 'win32' }
const OS_NAMES = /(?:^|[-/])(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|windows)(?=$|[-/])/
const CPU_NAMES = /(?:^|[-/])(arm64|arm(?:v\d)?|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)(?=$|[-/])/
const LIBC: Readonly<Record<string, string>> = { gnu: 'glibc', musl: 'musl' }

/** The optional packages that something in the lock file asks for and that it doesn't hold. */
export function missingPlatforms({ packages }: LockFile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {}
  for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (resolves(packages, path, name)) continue
      missing[`node_modules/${name}`] = { version, ...platformOf(name, dev) }
    }
  }
  return missing
}

/** Whether Node would find `name` from `path`: in a node_modules folder there or in one above. */
function resolves(packages: LockFile['packages'], path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    if (packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`] !== undefined) return true
    if (folder === '') return false
  }
}

/** Fields in the order in which npm writes them, so that its next run changes nothing. */
function platformOf(name: string, dev: boolean | undefined): LockedPackage {
  const os = OS_NAMES.exec(name)?.[1]
  const cpu = CPU_NAMES.exec(name)?.[1]?.replace(/^armv\d$/, 'arm')
  const libc = os === 'linux' ? LIBC[/-(gnu|musl)/.exec(name)?.[1] ?? ''] : undefined
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(dev === true ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    ...(os === undefined ? {} : { os: [OS[os] ?? os] }),
  }
}

async function main(): Promise<void> {
  const file = join(fileURLToPath(new URL('..', import.meta.url)), FILE)
  const lock = JSON.parse(await readFile(file, 'utf8')) as LockFile
  const missing = missingPlatforms(lock)
  const packages = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1))
  await writeFile(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, undefined, 2)}\n`)
  console.log(`${FILE}: ${Object.keys(missing).length} packages for other platforms added`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
