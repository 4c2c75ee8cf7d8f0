/**
 * The secret of the embedded default: made once, beside the data.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationError } from './problems.ts'

/**
 * Reads `secrets` in the data folder (one secret a line, newest first), and makes it where it is missing. Of processes that
 * start together one makes it and all read the same.
 *
 * @throws SallyportError `CONFIG_INVALID` when a database is there and the secret that it was made with is not.
 */
export function secretsOf(dataDir: string): readonly string[] {
  const file = join(dataDir, 'secrets')
  if (!existsSync(file)) {
    // A new secret would open nothing of what the database holds: better said now than as an unreadable signing key later.
    if (existsSync(join(dataDir, 'database'))) {
      const rule = 'is missing, and the database beside it was made with it: restore it, or set SALLYPORT_SECRETS'
      throw configurationError([{ where: file, rule }])
    }
    make(file, dataDir)
  }
  const secrets = readFileSync(file, 'utf8')
    .split(/\s+/)
    .filter((line) => line !== '')
  if (secrets.length === 0)
    throw configurationError([{ where: file, rule: 'is empty: restore it, or set SALLYPORT_SECRETS' }])
  closeToOthers(file)
  return secrets
}

function make(file: string, dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  try {
    // Appears with its whole content, and only where nobody was first.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/** A copy or a restore may have opened the file to others. */
function closeToOthers(file: string): void {
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
}
