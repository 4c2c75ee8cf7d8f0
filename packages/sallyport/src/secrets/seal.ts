/**
 * Encrypts what must be stored and read again (TOTP seeds, private signing keys), each value bound to its row.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { SallyportError } from '../errors.ts'
import type { SecretRing } from './secret-ring.ts'

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SEALED = /^v1\.([0-9a-f]{10})\.([A-Za-z0-9_-]{38,})$/

/**
 * AES-256-GCM under the ring's newest key. The nonce is random: a key stays far below the 2^32 values at which that
 * would begin to matter (NIST SP 800-38D, section 8.3).
 *
 * @param additionalData Names the place that the value belongs to, such as `signing_keys:<kid>`. A sealed value that is
 *   copied to another row, by a bug or by someone who can write to the database, does not open there.
 */
export function seal(ring: SecretRing, plaintext: Uint8Array | string, additionalData: string): string {
  const key = ring.signing
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.encryption, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associated(key.idHex, additionalData))
  const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  const sealed = Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()])
  return `${VERSION}.${key.idHex}.${sealed.toString('base64url')}`
}

/**
 * Reads a sealed value.
 *
 * @param additionalData Exactly what it was sealed with.
 * @throws SallyportError `INTERNAL`, the same for every reason: whoever can change the database must not learn from
 *   the answer whether the key, the row or the bytes were wrong. The reason is in `cause`, for the log.
 */
export function open(ring: SecretRing, sealed: string, additionalData: string): Buffer {
  const match = SEALED.exec(sealed)
  if (!match) throw unreadable(new Error('it is not in the form of a sealed value'))
  const [, idHex = '', body = ''] = match
  const key = ring.find(idHex)
  if (!key) throw unreadable(new Error(`no secret of this server has the id ${idHex}`))
  const bytes = Buffer.from(body, 'base64url')
  if (bytes.toString('base64url') !== body) throw unreadable(new Error('it is not canonical base64url'))
  try {
    const tagAt = bytes.length - TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', key.encryption, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(associated(idHex, additionalData))
    decipher.setAuthTag(bytes.subarray(tagAt))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, tagAt)), decipher.final()])
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** Whether a sealed value was made with another key than the ring's newest: seal it again before that key is dropped. */
export function needsReseal(ring: SecretRing, sealed: string): boolean {
  return !sealed.startsWith(`${VERSION}.${ring.signing.idHex}.`)
}

/** The id has a fixed length, so no two pairs of id and data run together into the same bytes. */
function associated(idHex: string, additionalData: string): Buffer {
  return Buffer.from(`sallyport/seal/${VERSION}/${idHex}/${additionalData}`)
}

function unreadable(cause: unknown): SallyportError {
  return new SallyportError('INTERNAL', 'a stored secret cannot be read', { cause })
}
