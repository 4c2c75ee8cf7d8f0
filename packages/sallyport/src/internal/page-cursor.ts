/**
 * Where the next page of a list begins, as a client hands it back: the moment and the id of the last row of the page before.
 *
 * @module
 */

import { invalidField } from '../errors.ts'
import { isId } from '../ids.ts'

/** The last row of a page, by what the list is ordered by. */
export interface PageEnd {
  readonly at: Date
  readonly id: string
}

/** Opaque to clients, and no secret: the query that it goes into is bound to a tenant as the first one was. */
export function writeCursor({ at, id }: PageEnd): string {
  return Buffer.from(`${at.getTime()}.${id}`).toString('base64url')
}

/** @throws SallyportError `INVALID_REQUEST` naming `cursor`, for what no list has answered. */
export function readCursor(cursor: string): PageEnd
export function readCursor(cursor: string | undefined): PageEnd | undefined
export function readCursor(cursor: string | undefined): PageEnd | undefined {
  if (cursor === undefined) return undefined
  const [at = '', id, ...more] = Buffer.from(cursor, 'base64url').toString('latin1').split('.')
  if (!/^\d{12,14}$/.test(at) || !isId(id) || more.length > 0) {
    throw invalidField('cursor', 'is not one that a listing answered')
  }
  return { at: new Date(Number(at)), id }
}
