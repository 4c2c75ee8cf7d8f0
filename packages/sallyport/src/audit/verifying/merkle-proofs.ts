/**
 * Which subtrees a proof is made of, and the proofs put together from them.
 *
 * @module
 */

import { nodeHash } from './merkle.ts'

/** The leaves from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The subtrees whose hashes prove that leaf `index` is in the tree of `size`: the leaf's sibling first, upward (RFC 6962 section 2.1.1). */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new TypeError('merkle: the leaf must be in the tree')
  }
  const path: Range[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  return path.reverse()
}

/** The subtrees whose hashes prove that the tree of `second` begins with the tree of `first` (RFC 6962 section 2.1.2). */
export function consistencyRanges(first: number, second: number): readonly Range[] {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 1 || first > second) {
    throw new TypeError('merkle: the first size must be from 1 to the second')
  }
  const path: Range[] = []
  let start = 0
  let end = second
  while (end > first) {
    const middle = start + splitOf(end - start)
    if (first <= middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  // The whole first tree is known to whoever checks, as its root.
  if (start > 0) path.push({ start, end })
  return path.reverse()
}

/** A complete subtree by its place: `level` 0 are the leaves. */
export interface NodeRef {
  readonly level: number
  readonly index: number
}

/** The complete subtrees that a range of a proof is made of, left to right. A range is complete itself, or ends where the tree ends. */
export function completeNodes({ start, end }: Range): readonly NodeRef[] {
  const nodes: NodeRef[] = []
  let at = start
  while (at < end) {
    let width = 1
    let level = 0
    while (at % (width * 2) === 0 && at + width * 2 <= end) {
      width *= 2
      level++
    }
    nodes.push({ level, index: at / width })
    at += width
  }
  return nodes
}

/** The hash of a range from those of its complete subtrees, left to right. */
export function rangeHash(hashes: readonly Buffer[]): Buffer {
  const [last, ...larger] = hashes.toReversed()
  if (last === undefined) throw new TypeError('merkle: a range of a proof is not empty')
  return larger.reduce((right, left) => nodeHash(left, right), last)
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}
