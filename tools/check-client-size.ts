/**
 * What the client costs a page: bundled as Vite does, minified and gzipped, and held to a limit. `npm run size` tells it.
 *
 * @module
 */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import type { Problem } from './repository.ts'

const ENTRY = 'packages/client/dist/index.js'
const LIMIT_BYTES = 6000
const PAGE = 'virtual:page'

/** Bytes of a bundle of these exports of the built client and whatever they need. */
async function sizeOf(root: string, exports: string): Promise<number> {
  const bundle = await rolldown({
    input: PAGE,
    plugins: [
      {
        name: 'a page',
        resolveId: (id) => (id === PAGE ? id : undefined),
        load: (id) => (id === PAGE ? `export ${exports} from ${JSON.stringify(join(root, ENTRY))}` : undefined),
      },
    ],
  })
  const { output } = await bundle.generate({ format: 'es', minify: true })
  await bundle.close()
  return gzipSync(output[0].code, { level: 9 }).length
}

const CLIENT = '{ createClient, SallyportError }'

/** Run after a build. The ceremonies of passkeys and the storage in memory come on top in those pages that import them. */
export async function checkClientSize(root: string): Promise<Problem[]> {
  const bytes = await sizeOf(root, CLIENT)
  if (bytes < LIMIT_BYTES) return []
  const message = `is ${bytes} bytes in a page, minified and gzipped: it must be below ${LIMIT_BYTES}`
  return [{ file: ENTRY, line: 1, message }]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  console.log(`${await sizeOf(root, CLIENT)} bytes: the client, minified and gzipped (limit ${LIMIT_BYTES})`)
  console.log(`${await sizeOf(root, '*')} bytes: everything, with the ceremonies of passkeys`)
}
