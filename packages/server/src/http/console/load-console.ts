/**
 * Reads the built console into memory, compressed, once: what is served is what was there at the start, and no path of a
 * request ever reaches the file system.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export const ENCODINGS = ['br', 'gzip'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** One file of the console, in every form that it is served in. */
export interface ConsoleFile {
  readonly contentType: string
  readonly plain: Uint8Array<ArrayBuffer>
  /** Left out where compressing makes nothing smaller. */
  readonly compressed: Readonly<Partial<Record<Encoding, Uint8Array<ArrayBuffer>>>>
  /** Of the content; each encoding of it has one of its own, made from this. */
  readonly digest: string
}

/** The built console. */
export interface BuiltConsole {
  /** The page itself, as it was built. */
  readonly index: string
  /** Everything else, by its path from the root of the site. */
  readonly files: ReadonlyMap<string, ConsoleFile>
}

/** Beside the packed server, and in a clone of the repository. Alike from src/http/console and dist/http/console. */
const FOLDERS = ['../../../console/', '../../../../../apps/console/dist/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  webmanifest: 'application/manifest+json; charset=utf-8',
  svg: 'image/svg+xml; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
}
const COMPRESSIBLE = /charset=utf-8$/
const SIBLINGS: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz' }

/** @returns `undefined` where the console is not built. */
export async function loadConsole(folders: readonly string[] = FOLDERS): Promise<BuiltConsole | undefined> {
  const folder = folders.find((one) => existsSync(join(one, 'index.html')))
  if (folder === undefined) return undefined
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length))
  const served = paths.filter(
    (path) => path !== 'index.html' && !Object.values(SIBLINGS).some((end) => path.endsWith(end)),
  )
  const files = await Promise.all(
    served.map(async (path) => [`/${path.replaceAll('\\', '/')}`, await readConsoleFile(join(folder, path))] as const),
  )
  return { index: await readFile(join(folder, 'index.html'), 'utf8'), files: new Map(files) }
}

async function readConsoleFile(path: string): Promise<ConsoleFile> {
  const content = await readFile(path)
  const contentType = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
  const [br, gz] = await Promise.all(
    ENCODINGS.map((encoding) => readFile(path + SIBLINGS[encoding]).catch(() => undefined)),
  )
  return consoleFile(content, contentType, { ...(br && { br }), ...(gz && { gzip: gz }) })
}

/** @param given What was compressed beforehand; the rest is compressed here. */
export async function consoleFile(
  content: Uint8Array,
  contentType: string,
  given: Readonly<Partial<Record<Encoding, Uint8Array>>> = {},
): Promise<ConsoleFile> {
  const plain = own(content)
  const compressed: Partial<Record<Encoding, Uint8Array<ArrayBuffer>>> = {}
  for (const encoding of COMPRESSIBLE.test(contentType) ? ENCODINGS : []) {
    const smaller = given[encoding] ?? (await COMPRESS[encoding](plain))
    if (smaller.length < plain.length) compressed[encoding] = own(smaller)
  }
  return { contentType, plain, compressed, digest: createHash('sha256').update(plain).digest('base64url').slice(0, 27) }
}

// The highest quality takes a second for what the build has not compressed itself; this takes a few milliseconds.
const COMPRESS: Readonly<Record<Encoding, (content: Uint8Array) => Promise<Uint8Array>>> = {
  br: (content) => promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (content) => promisify(gzip)(content),
}

function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
