/**
 * Random bytes for ids, salts and nonces, drawn in blocks: each of the few microseconds that a call into the generator takes
 * would else be paid several times a request.
 *
 * @module
 */

import { randomFillSync } from 'node:crypto'

const block = Buffer.alloc(4096)
let used = block.length

/** `size` random bytes, at most 64. Handed out once, and wiped where they came from. */
export function randomChunk(size: number): Buffer {
  if (size > 64) throw new RangeError('random chunks have at most 64 bytes')
  if (used + size > block.length) {
    randomFillSync(block)
    used = 0
  }
  const chunk = Buffer.from(block.subarray(used, used + size))
  block.fill(0, used, used + size)
  used += size
  return chunk
}
