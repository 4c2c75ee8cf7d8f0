/**
 * Estimates how few pieces a password is put together from, the way one who guesses would put it together.
 *
 * @module
 */

import { COMMON_WORDS, GLUE_WORDS, WALKS } from './common-pieces.ts'

const LONGEST_WORD = 24
/** Below this a repeat, a run or a walk is an accident. */
const SHORTEST_PIECE = 3

/**
 * The least number of pieces that spell the text: a common word, a word of the context, a keyboard walk, a run, a year or a
 * short number counts as one, so does each letter that nothing explains; a repeat of what went before and a filling
 * word count as half of one, a sign as a quarter.
 *
 * @param words Words of the context in which the password is set: names, the tenant, the product. In lower case.
 */
export function guessCost(password: string, words: ReadonlySet<string>): number {
  const text = Array.from(password.normalize('NFKC').toLowerCase())
  // Words are also found behind the usual replacements of letters; walks and runs are found as typed.
  const disguised = text.map((character) => LETTER_BEHIND[character] ?? character)
  const cheapest = new Array<number>(text.length + 1).fill(Number.POSITIVE_INFINITY)
  cheapest[0] = 0
  for (let start = 0; start < text.length; start++) {
    const before = cheapest[start] as number
    const said = text.slice(0, start).join('')
    relax(cheapest, start + 1, before + costOfOne(text[start] as string))
    for (let end = start + 1; end <= text.length; end++) {
      const piece = text.slice(start, end).join('')
      const cost = costOfPiece(piece, disguised.slice(start, end).join(''), said, words)
      if (cost !== undefined) relax(cheapest, end, before + cost)
    }
  }
  return cheapest[text.length] as number
}

/** Whether the whole text is one short block said over and over. */
export function isOneBlockRepeated(password: string, longestBlock: number): boolean {
  const text = Array.from(password.toLowerCase())
  for (let length = 1; length <= Math.min(longestBlock, Math.floor(text.length / 2)); length++) {
    if (text.every((character, index) => character === text[index % length])) return true
  }
  return false
}

const LETTER_BEHIND: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
  '+': 't',
}

function relax(cheapest: number[], index: number, cost: number): void {
  if (cost < (cheapest[index] as number)) cheapest[index] = cost
}

function costOfOne(character: string): number {
  return /[\p{L}\p{N}]/u.test(character) ? 1 : 0.25
}

function costOfPiece(piece: string, disguised: string, said: string, words: ReadonlySet<string>): number | undefined {
  // First, since what is said again is cheaper than what it is.
  if (piece.length >= SHORTEST_PIECE && said.includes(piece)) return 0.5
  if (piece.length <= LONGEST_WORD) {
    if (GLUE_WORDS.has(piece)) return 0.5
    if (isWord(piece, words) || isWord(disguised, words)) return 1
  }
  if (/^\d{1,4}$/.test(piece) || isDate(piece)) return 1
  if (piece.length < SHORTEST_PIECE) return undefined
  if (isRun(piece) || WALKS.some((walk) => walk.includes(piece))) return 1
  return undefined
}

function isWord(piece: string, words: ReadonlySet<string>): boolean {
  return COMMON_WORDS.has(piece) || words.has(piece)
}

/** Day, month and year together, in whatever order. */
function isDate(piece: string): boolean {
  if (!/^(?:\d{6}|\d{8})$/.test(piece)) return false
  const pairs = [piece.slice(0, 2), piece.slice(2, 4), piece.slice(4, 6)].map(Number)
  return pairs.filter((pair) => pair >= 1 && pair <= 31).length >= 2
}

/** `aaaa`, `abcd`, `9876`. */
function isRun(piece: string): boolean {
  const points = Array.from(piece, (character) => character.codePointAt(0) as number)
  const step = (points[1] as number) - (points[0] as number)
  if (Math.abs(step) > 1) return false
  return points.every((point, index) => index === 0 || point - (points[index - 1] as number) === step)
}
