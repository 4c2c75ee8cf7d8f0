/**
 * A storage that ends with the process.
 *
 * @module
 */

import type { ClientStorage } from './options.ts'

/** Keeps everything in memory. */
export function memoryStorage(): ClientStorage {
  const kept = new Map<string, string>()
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      kept.set(key, value)
    },
    removeItem(key) {
      kept.delete(key)
    },
  }
}
