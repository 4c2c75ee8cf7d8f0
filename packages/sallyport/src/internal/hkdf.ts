/**
 * HKDF-SHA-256 (RFC 5869) for one block of output, by the two HMACs that it is. `hkdfSync` of node:crypto takes twice as long
 * for the same, and each refresh waits for it.
 *
 * @module
 */

import { createHmac } from 'node:crypto'

/** 32 bytes derived from `secret` under `salt`, for `info` alone. */
export function hkdf32(secret: string | Uint8Array, salt: Uint8Array, info: Uint8Array): Buffer {
  const extracted = createHmac('sha256', salt).update(secret).digest()
  return createHmac('sha256', extracted).update(info).update(FIRST_BLOCK).digest()
}

const FIRST_BLOCK = Buffer.of(1)
