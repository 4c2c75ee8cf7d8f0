/**
 * Puts the built console into the server's package while npm packs it, and takes it away again: a copy that stayed would be
 * served in place of what is built later.
 */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../apps/console/dist/', import.meta.url))
const packed = fileURLToPath(new URL('../packages/server/console/', import.meta.url))

rmSync(packed, { recursive: true, force: true })
if (process.argv[2] !== 'clean') {
  if (!existsSync(`${built}index.html`)) {
    console.error('the console is not built: run "npm run build" before packing the server')
    process.exit(1)
  }
  cpSync(built, packed, { recursive: true })
}
