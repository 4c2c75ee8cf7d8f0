/**
 * `npm run build`: the style sheet of `@sallyport/react` and the console, each only where something that it is made of
 * changed since.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { bundle } from 'lightningcss'
import { build } from 'vite'
import { isTest, listFiles } from './repository.ts'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')
const CONSOLE = 'apps/console'
const STYLES = 'packages/react/dist/styles.css'
/** The versions of what builds, and of what is built in. */
const LOCK = 'package-lock.json'

/** Runs `make` unless `target` is there and the files that it is made of are those of the last time. */
async function whenStale(target: string, inputs: readonly string[], make: () => Promise<void>): Promise<void> {
  const stamp = join(root, 'node_modules/.cache/sallyport', target.replaceAll('/', '-'))
  const hash = createHash('sha256')
  for (const file of inputs) {
    hash.update(`${file}\0`)
    hash.update(await readFile(join(root, file)))
  }
  const digest = hash.digest('hex')
  const isFresh = (await readFile(stamp, 'utf8').catch(() => undefined)) === digest
  if (isFresh && existsSync(join(root, target))) return
  await make()
  await mkdir(dirname(stamp), { recursive: true })
  await writeFile(stamp, digest)
}

async function buildStyles(): Promise<void> {
  const { code } = bundle({ filename: join(root, 'packages/react/src/styles/index.css'), minify: true })
  await mkdir(dirname(join(root, STYLES)), { recursive: true })
  await writeFile(join(root, STYLES), code)
}

async function buildConsole(): Promise<void> {
  await build({ root: join(root, CONSOLE), logLevel: 'warn' })
  const compressible = await filesOf(`${CONSOLE}/dist`, ['.js', '.css', '.svg'])
  await Promise.all(compressible.map(compress))
}

/** A copy in each encoding beside the file, so that serving one costs no work. */
async function compress(file: string): Promise<void> {
  const text = await readFile(join(root, file))
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
  await writeFile(join(root, `${file}.br`), await promisify(brotliCompress)(text, quality))
  await writeFile(join(root, `${file}.gz`), await promisify(gzip)(text, { level: 9 }))
}

/** Unlike `listFiles` this looks into a `dist` that it is given. */
async function filesOf(folder: string, endings: readonly string[]): Promise<string[]> {
  return (await listFiles(root, folder, endings)).filter((file) => !isTest(file))
}

const sources = [
  ...(await filesOf('packages/client/src', ['.ts'])),
  ...(await filesOf('packages/react/src', ['.ts', '.tsx', '.css'])),
  ...(await filesOf(`${CONSOLE}/src`, ['.ts', '.tsx', '.css'])),
  ...(await filesOf(`${CONSOLE}/public`, [''])),
  `${CONSOLE}/index.html`,
  `${CONSOLE}/vite.config.ts`,
  'tools/build-faces.ts',
  LOCK,
]
await whenStale(
  STYLES,
  sources.filter((file) => file.endsWith('.css') || file === LOCK),
  buildStyles,
)
await whenStale(`${CONSOLE}/dist/index.html`, sources, buildConsole)
