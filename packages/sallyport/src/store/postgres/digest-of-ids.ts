/**
 * A digest by which a list of removed ids can be known again.
 *
 * @module
 */

import { createHash } from 'node:crypto'

/** SHA-256 over the ids, sorted, one a line: what an auditor with a list of their own can compute again. */
export function digestOfIds(ids: readonly string[]): string {
  return createHash('sha256')
    .update(
      [...ids]
        .sort()
        .map((id) => `${id}\n`)
        .join(''),
    )
    .digest('hex')
}
