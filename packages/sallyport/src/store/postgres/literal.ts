/**
 * Values as SQL literals, for the statements that take no bound parameters: EXECUTE, DECLARE and COPY.
 *
 * @module
 */

import { Column, textColumn } from './columns.ts'
import type { SqlValue } from './database.ts'

/** A value as a literal. `standard_conforming_strings` is on. @throws TypeError for what has no literal. */
export function literal(value: SqlValue): string {
  if (value === null) return 'null'
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('sql: a number must be finite')
    return String(value)
  }
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (value instanceof Date) return `'${value.toISOString()}'`
  if (value instanceof Uint8Array)
    return `'\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}'`
  if (typeof value === 'string') return quoted(value)
  if (value instanceof Column) return quoted(textColumn(value))
  return quoted(`{${value.map(arrayElement).join(',')}}`)
}

export function quoted(text: string): string {
  if (text.includes('\u0000')) throw new TypeError('sql: a string holds a NUL character')
  return `'${text.replaceAll("'", "''")}'`
}

/** The text of a statement with its values in it. */
export function withLiterals(text: string, values: readonly SqlValue[]): string {
  return text.replaceAll(/\$(\d+)/g, (_, at: string) => literal(values[Number(at) - 1] ?? null))
}

function arrayElement(element: string | number | null): string {
  if (element === null) return 'null'
  if (typeof element === 'number') return String(element)
  return `"${element.replaceAll(/["\\]/g, '\\$&')}"`
}
