/**
 * Reads JSON so that it can mean one thing only: strict UTF-8, no repeated keys, no `__proto__`, no bottomless nesting.
 *
 * @module
 */

import { invalidField } from '../errors.ts'
import { textFault } from './plain-text.ts'

/** Deeper than any body of this API, and shallow enough to walk by recursion. */
const MAX_DEPTH = 32

// A byte order mark stays in the text, where JSON.parse refuses it; dropping it would be a second reading of the bytes.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text in `bytes`. Throws `INVALID_REQUEST` for anything but UTF-8, where a lenient reader would guess. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalidField('body', 'must be UTF-8')
  }
}

/** The value in `bytes`. Throws `INVALID_REQUEST` for what two parsers could read differently, and for text nobody types. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may be a password.
    throw invalidField('body', 'must be valid JSON')
  }
  refuseAmbiguity(text)
  refuseOddValues(value, '')
  return value
}

/** Walks text that is known to be valid JSON, for what the parsed value no longer shows: repeated keys and depth. */
function refuseAmbiguity(text: string): void {
  // One entry for each open bracket: the keys so far of an object, nothing for an array.
  const open: (Set<string> | undefined)[] = []
  let atKey = false
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        atKey = text.charCodeAt(i) === 0x7b
        open.push(atKey ? new Set() : undefined)
        if (open.length > MAX_DEPTH) throw invalidField('body', `must not be nested deeper than ${MAX_DEPTH} levels`)
        break
      case 0x7d: // }
      case 0x5d: // ]
        open.pop()
        atKey = false
        break
      case 0x2c: // ,
        atKey = open.at(-1) !== undefined
        break
      case 0x22: {
        // "
        const end = endOfString(text, i)
        if (atKey) {
          // Compared as read: "a" and "\u0061" are one key.
          const key = JSON.parse(text.slice(i, end + 1)) as string
          const keys = open.at(-1) as Set<string>
          if (key === '__proto__') throw invalidField('__proto__', 'is not a name for a field')
          if (keys.has(key)) throw invalidField(shownName(key), 'must not be given twice')
          keys.add(key)
          atKey = false
        }
        i = end
        break
      }
    }
  }
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1
  return i
}

/** Whatever the schema, no string holds control characters or half a character, and no number is infinite. */
function refuseOddValues(value: unknown, path: string): void {
  if (typeof value === 'string') {
    const fault = textFault(value)
    if (fault !== undefined) throw invalidField(path || 'body', fault)
  } else if (typeof value === 'number') {
    // 1e309 is valid JSON and reads as Infinity.
    if (!Number.isFinite(value)) throw invalidField(path || 'body', 'must be a number in range')
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseOddValues(item, join(path, String(index)))
  } else if (value !== null && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      const inner = join(path, shownName(name))
      const fault = textFault(name)
      if (fault !== undefined) throw invalidField(inner, `its name ${fault}`)
      refuseOddValues(member, inner)
    }
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** A client's own name for a field, fit to be shown back: short, and of whole and visible characters. */
export function shownName(name: string): string {
  if (name === '') return '""'
  const clean = name.toWellFormed().replaceAll(/\p{Cc}/gu, '\u{fffd}')
  return clean.length > 64 ? `${clean.slice(0, 64).toWellFormed()}…` : clean
}
