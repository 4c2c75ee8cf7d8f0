/**
 * Rate limits in PostgreSQL, as their library speaks to it.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { LimiterClient } from '../contract/limits.ts'
import type { Database } from './database.ts'

export function limiterClient(database: Database): LimiterClient {
  const names = new Map<string, string>()
  return {
    async query({ text, values }) {
      // A statement is prepared under a name that its text gives it: an older library beside this one has other texts.
      let name = names.get(text)
      if (name === undefined) {
        name = `sallyport_limit_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
        names.set(text, name)
      }
      // The library asks how many were removed; a DELETE tells that by its rows alone.
      const returning = /^\s*DELETE/i.test(text) ? `${text} returning key` : text
      const rows = await database.run<{ points?: unknown; expire?: unknown }>({ name, text: returning }, values)
      return {
        // bigint comes as text: the library would compare it with a number.
        rows: rows.map((row) => ({ ...row, ...(row.expire != null && { expire: Number(row.expire) }) })),
        rowCount: rows.length,
      }
    },
  }
}
