/**
 * Writes out a template of the database folder.
 *
 * @module
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const BLOCK = 512

/**
 * Unpacks a tar archive (POSIX ustar, as PGlite writes it) of folders and files into `folder`. PGlite can load one too, but
 * goes through its own file system for each block, which takes three times as long.
 *
 * @throws TypeError for anything that such an archive of a database does not hold.
 */
export function unpack(archive: Buffer, folder: string): void {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK)
    at += BLOCK
    // Two empty blocks end an archive.
    if (header.every((byte) => byte === 0)) continue
    const name =
      text(header, 345, 155) === '' ? text(header, 0, 100) : `${text(header, 345, 155)}/${text(header, 0, 100)}`
    const size = Number.parseInt(text(header, 124, 12), 8)
    const type = text(header, 156, 1)
    const path = join(folder, name)
    if (name.split('/').includes('..') || !Number.isSafeInteger(size) || at + size > archive.length) {
      throw new TypeError(`template: entry ${JSON.stringify(name)} is broken`)
    }
    if (type === '5') {
      mkdirSync(path, { recursive: true, mode: 0o700 })
    } else if (type === '0' || type === '') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(path, archive.subarray(at, at + size), { mode: 0o600 })
    } else {
      throw new TypeError(`template: entry ${JSON.stringify(name)} is neither a file nor a folder`)
    }
    at += Math.ceil(size / BLOCK) * BLOCK
  }
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end).trim()
}
