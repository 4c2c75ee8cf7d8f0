/**
 * Puts a host's own texts in the place of the English ones.
 *
 * @module
 */

import type { Messages } from './english.ts'
import { english } from './english.ts'

/** Any part of the texts. Tables of words are added to, so that one word can be replaced alone. */
export type MessageOverrides = {
  readonly [Group in keyof Messages]?: Messages[Group] extends (...args: never[]) => string
    ? Messages[Group]
    : { readonly [Name in keyof Messages[Group]]?: Override<Messages[Group][Name]> }
}

type Override<Text> = Text extends string
  ? string
  : Text extends (...args: never[]) => string
    ? Text
    : { readonly [Word in keyof Text]?: Text[Word] }

/** The texts, with the host's where it has some. */
export function withOverrides(overrides: MessageOverrides | undefined): Messages {
  return overrides === undefined ? english : (merge(english, overrides) as Messages)
}

type Table = Readonly<Record<string, unknown>>

function merge(base: Table, over: Table): Table {
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) {
    if (value === undefined) continue
    const below = merged[name]
    merged[name] = isTable(below) && isTable(value) ? merge(below, value) : value
  }
  return merged
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null
}

/** The word for a code: that of the table, else the code as people read it. */
export function wordFor(words: Readonly<Record<string, string>>, code: string): string {
  // A code is the service's word: one that names a property of every object is no entry of the table.
  if (Object.hasOwn(words, code)) return words[code] as string
  const text = code.toLowerCase().replaceAll(/[_-]+/g, ' ').trim()
  return text.charAt(0).toUpperCase() + text.slice(1)
}
