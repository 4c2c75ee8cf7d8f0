/**
 * The way from a leaf to the root of its tree (RFC 9162 section 2.1.3.2).
 *
 * @module
 */

import type { Bytes } from './bytes.ts'
import { concat, sha256 } from './bytes.ts'

export interface InclusionPath {
  readonly leafIndex: number
  readonly treeSize: number
  readonly leaf: Bytes
  /** The leaf's sibling first, upward. */
  readonly hashes: readonly Bytes[]
}

/** The root that the path leads to; `undefined` where it is no path of a tree of this size. */
export async function rootOf({ leafIndex, treeSize, leaf, hashes }: InclusionPath): Promise<Bytes | undefined> {
  if (!Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= treeSize) return undefined
  // By division and not by shifting: a log can grow beyond 32 bits.
  let at = leafIndex
  let last = treeSize - 1
  let root = leaf
  for (const hash of hashes) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      root = await nodeHash(hash, root)
      while (at % 2 === 0 && at !== 0) {
        at /= 2
        last = Math.floor(last / 2)
      }
    } else {
      root = await nodeHash(root, hash)
    }
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 ? root : undefined
}

const NODE = Uint8Array.of(1)

function nodeHash(left: Bytes, right: Bytes): Promise<Bytes> {
  return sha256(concat(NODE, left, right))
}
