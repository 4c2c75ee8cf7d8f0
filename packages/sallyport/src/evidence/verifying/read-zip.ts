/**
 * Reads the files of a ZIP one after another, and distrusts each.
 *
 * @module
 */

import type { Readable } from 'node:stream'
import type { Entry, ZipFile } from 'yauzl'
import { open } from 'yauzl'

/** Something in the file is not as it has to be. `file` is the path inside, or the file itself. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
  readonly file: string
  constructor(file: string, message: string) {
    super(`${file}: ${message}`)
    this.file = file
  }
}

/** An open ZIP. */
export interface Zip {
  readonly names: readonly string[]
  /** @throws BundleError naming the file, for one that is missing or broken. */
  read(name: string): AsyncGenerator<Buffer>
  close(): void
}

/** Far more than a bundle has. */
const MOST_ENTRIES = 10_000
const DEFLATE = 8
const EMPTY_DEFLATED = Buffer.of(0x03, 0x00)

/** Opens a ZIP. @throws BundleError when it is none. */
export async function openZip(path: string): Promise<Zip> {
  const file = await new Promise<ZipFile>((resolve, reject) => {
    open(
      path,
      { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true },
      (error, zip) => {
        if (error) reject(new BundleError(path, `is no ZIP that can be read (${error.message})`))
        else resolve(zip)
      },
    )
  })
  const entries = new Map<string, Entry>()
  try {
    await new Promise<void>((resolve, reject) => {
      file.on('error', (error: Error) =>
        reject(new BundleError(path, `its table of contents is broken (${error.message})`)),
      )
      file.on('end', resolve)
      file.on('entry', (entry: Entry) => {
        if (entries.has(entry.fileName)) return reject(new BundleError(entry.fileName, 'is there twice'))
        if (entries.size >= MOST_ENTRIES) return reject(new BundleError(path, 'has more files than a bundle has'))
        entries.set(entry.fileName, entry)
        file.readEntry()
      })
      file.readEntry()
    })
  } catch (error) {
    file.close()
    throw error
  }
  return {
    names: [...entries.keys()],
    read: (name) => readEntry(file, name, entries.get(name)),
    close: () => file.close(),
  }
}

async function* readEntry(file: ZipFile, name: string, entry: Entry | undefined): AsyncGenerator<Buffer> {
  if (entry === undefined) throw new BundleError(name, 'is missing')
  // Nothing, deflated, has bits to spare: they are held to what they are always written as.
  const empty = entry.uncompressedSize === 0 && entry.compressionMethod === DEFLATE
  try {
    const stream = await new Promise<Readable>((resolve, reject) => {
      const given = (error: Error | null, opened: Readable): void => (error ? reject(error) : resolve(opened))
      if (empty) file.openReadStream(entry, { decompress: false, decrypt: null, start: null, end: null }, given)
      else file.openReadStream(entry, given)
    })
    if (empty) {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      if (!Buffer.concat(chunks).equals(EMPTY_DEFLATED))
        throw new BundleError(name, 'is not as an empty file is written')
      return
    }
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    if (error instanceof BundleError) throw error
    throw new BundleError(name, `cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
}
