/**
 * Opens the embedded database: one folder, one process, ready in a moment.
 *
 * @module
 */

import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { SallyportError } from '../../errors.ts'
import { migrate } from '../postgres/migrate.ts'
import { pgliteDatabase } from '../postgres/pglite.ts'
import { lockFolder } from './folder-lock.ts'
import { readTemplate } from './template.ts'
import { unpack } from './unpack.ts'

/**
 * Opens the database in a folder, which is made where it is missing, and brings it up to date. The process has the folder
 * until the database is closed or the process ends.
 *
 * It survives the death of the process at any moment. It is not proof against power loss: PGlite does not sync its files.
 *
 * @param dataDir Holds the database in `database/` and the lock in `sallyport.lock`.
 * @throws SallyportError `CONFIG_INVALID` when another process has the folder, or when what is in it cannot be opened.
 */
export async function openFolder(dataDir: string): Promise<PGlite> {
  const folder = resolve(dataDir)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new SallyportError('CONFIG_INVALID', `the folder ${folder} cannot be made`, { cause })
  }
  const lock = await lockFolder(join(folder, 'sallyport.lock'))
  try {
    const database = join(folder, 'database')
    const filling = join(folder, 'database.filling')
    // Left by a process that died while it filled the folder.
    rmSync(filling, { recursive: true, force: true })
    if (!existsSync(database)) {
      await fill(filling)
      renameSync(filling, database)
    }
    const pglite = await open(database)
    await migrate(pgliteDatabase(pglite))
    const close = pglite.close.bind(pglite)
    pglite.close = async () => {
      try {
        await close()
      } finally {
        lock.release()
      }
    }
    return pglite
  } catch (error) {
    lock.release()
    throw error
  }
}

let template: Promise<Blob | undefined> | undefined

/** A database in memory, up to date, that ends with its process: for tests, which open many in one process. */
export async function openInMemory(): Promise<PGlite> {
  template ??= readTemplate().then((bytes) => bytes && new Blob([new Uint8Array(bytes)]))
  const loadDataDir = await template
  const pglite = await PGlite.create(loadDataDir === undefined ? {} : { loadDataDir })
  await migrate(pgliteDatabase(pglite))
  return pglite
}

async function fill(folder: string): Promise<void> {
  mkdirSync(folder, { mode: 0o700 })
  const packed = await readTemplate()
  if (packed !== undefined) {
    unpack(packed, folder)
    return
  }
  const pglite = await PGlite.create(folder)
  await pglite.close()
}

async function open(folder: string): Promise<PGlite> {
  try {
    return await PGlite.create(folder)
  } catch (cause) {
    throw new SallyportError(
      'CONFIG_INVALID',
      `the embedded database in ${folder} cannot be opened: restore the folder or use another`,
      {
        cause,
      },
    )
  }
}
