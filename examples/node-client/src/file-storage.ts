/**
 * Keeps what the client keeps in a file of its owner alone, so that the next run of a program is still signed in.
 *
 * @module
 */

import { readFile, rename, writeFile } from 'node:fs/promises'
import type { ClientStorage } from '@sallyport/client'

/** @param file Where. It holds a refresh token: treat it as a password. */
export function fileStorage(file: string): ClientStorage {
  type Kept = Record<string, string>
  const read = async (): Promise<Kept> => {
    const text = await readFile(file, 'utf8').catch(() => '{}')
    return JSON.parse(text) as Kept
  }
  const write = async (kept: Kept): Promise<void> => {
    // Whole or not at all: half a file would be a lost session.
    await writeFile(`${file}.new`, JSON.stringify(kept), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  return {
    async getItem(key) {
      return (await read())[key] ?? null
    },
    async setItem(key, value) {
      await write({ ...(await read()), [key]: value })
    },
    async removeItem(key) {
      const { [key]: _, ...rest } = await read()
      await write(rest)
    },
  }
}
