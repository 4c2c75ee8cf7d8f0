/**
 * Makes the template of the embedded database: `initdb` and all migrations, once.
 *
 * @module
 */

import { PGlite } from '@electric-sql/pglite'
import { migrate } from '../postgres/migrate.ts'
import { pgliteDatabase } from '../postgres/pglite.ts'
import { isTemplateCurrent, writeTemplate } from './template.ts'

/** Does nothing where the template is of these migrations and this PGlite already. */
export async function makeTemplate(): Promise<void> {
  if (await isTemplateCurrent()) return
  const pglite = await PGlite.create()
  await migrate(pgliteDatabase(pglite))
  // Else each process that opens a copy for the first time would replay the log.
  await pglite.exec('checkpoint')
  const archive = await pglite.dumpDataDir('none')
  await pglite.close()
  await writeTemplate(new Uint8Array(await archive.arrayBuffer()))
}
