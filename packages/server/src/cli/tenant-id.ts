/**
 * The id of a tenant as it is given on the command line.
 *
 * @module
 */

import { ArgumentError } from './report.ts'

/** @throws ArgumentError for what is no id: the database would say it in other words. */
export function tenantId(text: string): string {
  if (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return text
  throw new ArgumentError(`${text} is no id of a tenant: a UUID in lower case`)
}
