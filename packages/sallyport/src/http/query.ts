/**
 * Reads the query of a URL, each parameter at most once and each escape exactly once.
 *
 * @module
 */

import { invalidField } from '../errors.ts'
import { shownName } from './json.ts'
import { textFault } from './plain-text.ts'

const MAX_LENGTH = 8192

/** The parameters by name. `URLSearchParams` would keep repeats and quietly mend broken escapes. */
export function parseQuery(query: string, maxLength = MAX_LENGTH): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null)
  if (query === '') return parameters
  if (query.length > maxLength) throw invalidField('query', `must have at most ${maxLength} characters`)
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = unescapeOnce(equals < 0 ? pair : pair.slice(0, equals), 'query')
    const shown = shownName(name)
    const value = equals < 0 ? '' : unescapeOnce(pair.slice(equals + 1), shown)
    if (name in parameters) throw invalidField(shown, 'must not be given twice')
    const fault = textFault(name) ?? textFault(value)
    if (fault !== undefined) throw invalidField(shown, fault)
    parameters[name] = value
  }
  return parameters
}

/** Form decoding (`+` is a space) of one name or value. */
function unescapeOnce(text: string, field: string): string {
  return decodeOnce(text.replaceAll('+', ' '), field)
}

/** Percent decoding, once. Throws `INVALID_REQUEST` for escapes that are no UTF-8. */
export function decodeOnce(text: string, field: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidField(field, 'must be percent-encoded UTF-8')
  }
}
