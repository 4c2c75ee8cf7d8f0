/**
 * The Merkle tree of RFC 6962 section 2.1 (the same as RFC 9162): hashing, growth by a frontier, and what a proof is worth.
 *
 * It stands alone, so that whoever checks a log needs none of the code that keeps one.
 *
 * @module
 */

import { createHash, hash } from 'node:crypto'

export const HASH_BYTES = 32

const LEAF = Buffer.from([0])
/** The input of every node: its first byte, and room for two hashes. */
const NODE = Buffer.concat([Buffer.from([1]), Buffer.alloc(2 * HASH_BYTES)])

/** The root of the empty tree. */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest()

/** SHA-256(0x00 ‖ entry). The first byte keeps leaves apart from nodes: without it a node could pass as somebody's entry. */
export function leafHashOf(entry: Uint8Array | string): Buffer {
  return createHash('sha256').update(LEAF).update(entry).digest()
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) return sha256(NODE.subarray(0, 1), left, right)
  NODE.set(left, 1)
  NODE.set(right, 1 + HASH_BYTES)
  // By way of text: to hand out bytes costs twice the hash itself.
  return Buffer.from(hash('sha256', NODE, 'binary'), 'binary')
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const whole = createHash('sha256')
  for (const part of parts) whole.update(part)
  return whole.digest()
}

/** A subtree that will never change: the 2^`level` leaves that start at leaf `index` · 2^`level`. */
export interface CompleteNode {
  readonly level: number
  readonly index: number
  readonly hash: Buffer
}

/**
 * The complete subtrees of a growing tree, largest first: all that is needed to append to it and to know its root, and no
 * more than 53 hashes at any size.
 */
export class Frontier {
  #size: number
  readonly #hashes: Buffer[]

  /** @throws TypeError unless there is one hash of 32 bytes for each one-bit of `size`. */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    if (!isSize(size)) throw new TypeError('merkle: a size is a whole number from 0 to 2^53 - 1')
    if (hashes.length !== onesOf(size) || hashes.some((hash) => hash.length !== HASH_BYTES)) {
      throw new TypeError('merkle: a frontier has one hash of 32 bytes for each complete subtree')
    }
    this.#size = size
    this.#hashes = hashes.map((hash) => Buffer.from(hash))
  }

  /** Reads what {@link Frontier.toBytes} wrote. @throws TypeError where the bytes are not of this size. */
  static fromBytes(size: number, bytes: Uint8Array): Frontier {
    const all = Buffer.from(bytes)
    if (all.length % HASH_BYTES !== 0) throw new TypeError('merkle: a frontier is of whole hashes')
    const hashes = Array.from({ length: all.length / HASH_BYTES }, (_, at) =>
      all.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
    )
    return new Frontier(size, hashes)
  }

  get size(): number {
    return this.#size
  }

  /**
   * Adds one leaf, or a complete subtree of 2^`level` leaves.
   *
   * @param completed Is told each larger subtree that this completes, smallest first.
   * @throws TypeError unless the hash has 32 bytes, and the size is a multiple of the subtree's.
   */
  append(added: Uint8Array, completed?: (node: CompleteNode) => void, level = 0): void {
    if (added.length !== HASH_BYTES) throw new TypeError('merkle: a hash has 32 bytes')
    const width = 2 ** level
    if (this.#size % width !== 0) throw new TypeError('merkle: a subtree begins at a multiple of its size')
    let hash = Buffer.from(added)
    // Each trailing one-bit of the size is a complete subtree as large as the one in hand.
    for (let rest = this.#size / width; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(this.#hashes.pop() as Buffer, hash) as Buffer<ArrayBuffer>
      level++
      completed?.({ level, index: (rest - 1) / 2, hash })
    }
    this.#hashes.push(hash)
    this.#size += width
  }

  root(): Buffer {
    const [last, ...larger] = this.#hashes.toReversed()
    if (last === undefined) return EMPTY_ROOT
    return larger.reduce((right, left) => nodeHash(left, right), last)
  }

  toBytes(): Buffer {
    return Buffer.concat(this.#hashes)
  }

  copy(): Frontier {
    return new Frontier(this.#size, this.#hashes)
  }
}

export interface InclusionClaim {
  readonly leafIndex: number
  readonly treeSize: number
  readonly leafHash: Uint8Array
  readonly hashes: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether the proof shows that the leaf is at that index in the tree of that size and root (RFC 9162 section 2.1.3.2). */
export function verifyInclusion({ leafIndex, treeSize, leafHash, hashes, root }: InclusionClaim): boolean {
  // A "leaf hash" of another length would let the empty proof of a tree of one say whatever its root says.
  if (leafHash.length !== HASH_BYTES || root.length !== HASH_BYTES || !areHashes(hashes)) return false
  if (!isSize(leafIndex) || !isSize(treeSize) || leafIndex >= treeSize) return false
  let node = leafIndex
  let last = treeSize - 1
  let hash: Uint8Array = leafHash
  for (const sibling of hashes) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      // A node without a sibling moves up unhashed; never is it paired with itself.
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = half(last)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equal(hash, root)
}

export interface ConsistencyClaim {
  readonly firstSize: number
  readonly secondSize: number
  readonly firstRoot: Uint8Array
  readonly secondRoot: Uint8Array
  readonly hashes: readonly Uint8Array[]
}

/**
 * Whether the proof shows that the second tree begins with everything in the first (RFC 9162 section 2.1.4.2).
 *
 * A first size of 0 is refused: nothing needs proving there, and a verifier that nods it through nods through any proof.
 */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { firstSize, secondSize, firstRoot, secondRoot, hashes } = claim
  if (firstRoot.length !== HASH_BYTES || secondRoot.length !== HASH_BYTES || !areHashes(hashes)) return false
  if (!isSize(firstSize) || !isSize(secondSize) || firstSize === 0 || firstSize > secondSize) return false
  if (firstSize === secondSize) return hashes.length === 0 && equal(firstRoot, secondRoot)
  // A first tree that is one complete subtree is its own first hash, and the proof leaves it out.
  const path = isPowerOfTwo(firstSize) ? [firstRoot, ...hashes] : [...hashes]
  const [start, ...rest] = path
  if (hashes.length === 0 || start === undefined) return false
  let node = firstSize - 1
  let last = secondSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  let first = start
  let second = start
  for (const hash of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      first = nodeHash(hash, first)
      second = nodeHash(hash, second)
      while (node % 2 === 0 && node !== 0) {
        node /= 2
        last = half(last)
      }
    } else {
      second = nodeHash(second, hash)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && equal(first, firstRoot) && equal(second, secondRoot)
}

/** Whether this can be the size of a tree. */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= 63 && hashes.every((hash) => hash.length === HASH_BYTES)
}

// Sizes go past 32 bits, so no bitwise operators.
function half(value: number): number {
  return Math.floor(value / 2)
}

function onesOf(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = half(rest)) ones += rest % 2
  return ones
}

function isPowerOfTwo(size: number): boolean {
  return onesOf(size) === 1
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.from(one).equals(other)
}
