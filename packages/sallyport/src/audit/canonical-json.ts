/**
 * Canonical JSON (RFC 8785): one byte sequence for one value, so that a hash over it can be computed again by anyone.
 *
 * @module
 */

/** Deep enough for any diff or context, shallow enough that no input can exhaust the stack. */
const MAX_DEPTH = 32

/**
 * Serialises a value by RFC 8785.
 *
 * @throws TypeError for what has no canonical form or would not survive the database: `undefined`, functions, non-finite
 * numbers, lone surrogates, NUL characters, cycles and nesting deeper than 32.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (value === null || value === true || value === false) return String(value)
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON: a number must be finite')
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw new TypeError(`canonical JSON: ${typeof value} has no JSON form`)
  if (depth >= MAX_DEPTH) throw new TypeError('canonical JSON: nested too deeply')
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalJson(item, depth + 1)).join(',')}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError('canonical JSON: only plain objects have a canonical form')
  }
  const object = value as Record<string, unknown>
  const names = Object.keys(object)
  // Sorted by UTF-16 code units (RFC 8785 section 3.2.3), which is what JavaScript's own comparison does.
  if (names.length > 1) names.sort()
  let members = ''
  for (const name of names) {
    members += `${members === '' ? '' : ','}${canonicalString(name)}:${canonicalJson(object[name], depth + 1)}`
  }
  return `{${members}}`
}

/** Letters, digits and signs that stand for themselves: most strings, told by one look. */
const PLAIN = /^[ !#-[\]-~]*$/

function canonicalString(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`
  if (!value.isWellFormed()) throw new TypeError('canonical JSON: a string holds a lone surrogate')
  // PostgreSQL's jsonb cannot hold it, so the row read back would not be the row that was hashed.
  if (value.includes('\u0000')) throw new TypeError('canonical JSON: a string holds a NUL character')
  return JSON.stringify(value)
}
