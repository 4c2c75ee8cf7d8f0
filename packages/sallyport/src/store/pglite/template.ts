/**
 * The template of a database folder: what `initdb` and the migrations make, done once at build time.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { shippedMigrations } from '../postgres/migrate.ts'

/** Beside src and dist alike. */
const ARCHIVE = new URL('../../../dist/pglite-template.tar.gz', import.meta.url)
const FINGERPRINT = new URL('../../../dist/pglite-template.sha256', import.meta.url)

/**
 * What a template was made from: the migrations, by their text, and the version of PGlite, whose files of one version
 * another need not read.
 */
export async function templateFingerprint(): Promise<string> {
  const hash = createHash('sha256').update(await pgliteVersion())
  for (const { name, checksum } of await shippedMigrations()) hash.update(`\0${name}\0${checksum}`)
  return hash.digest('hex')
}

/** The template as a tar archive; `undefined` where there is none, or none of these migrations and this PGlite. */
export async function readTemplate(): Promise<Buffer | undefined> {
  if (!(await isTemplateCurrent())) return undefined
  try {
    // The archive's own checksum shows a torn one.
    return await promisify(gunzip)(await readFile(ARCHIVE))
  } catch {
    return undefined
  }
}

/** Whether the template on disk is the one that these sources make. */
export async function isTemplateCurrent(): Promise<boolean> {
  const made = await readFile(FINGERPRINT, 'utf8').catch(() => undefined)
  return made !== undefined && made.trim() === (await templateFingerprint())
}

/** Puts a template in place. Whoever reads meanwhile finds none, and takes the slower way. */
export async function writeTemplate(archive: Uint8Array): Promise<void> {
  await replace(FINGERPRINT, 'being made\n')
  await replace(ARCHIVE, await promisify(gzip)(archive, { level: 9 }))
  await replace(FINGERPRINT, `${await templateFingerprint()}\n`)
}

async function replace(file: URL, content: string | Uint8Array): Promise<void> {
  const draft = `${fileURLToPath(file)}.${process.pid}`
  await writeFile(draft, content)
  await rename(draft, file)
}

async function pgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const manifest = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
