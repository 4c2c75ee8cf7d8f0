/**
 * The server's secrets and the keys derived from them, newest first, so that a secret can be replaced while nodes run.
 *
 * @module
 */

import { createHash, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import { SallyportError } from '../errors.ts'

const ACCEPT = 'accept:'
const MIN_BYTES = 32
const ID_BYTES = 5

/** What one secret is derived into. Each key serves one purpose, so that none of them says anything about another. */
interface Derived {
  readonly mac: Buffer
  readonly rotation: Buffer
  readonly encryption: Buffer
  readonly pepper: Buffer
}

/** The keys of one secret. Printing it shows its id alone. */
export class SecretKey {
  /** Names the key in what was made with it. Says nothing of the secret, and may be stored and shown. */
  readonly idHex: string
  /** The same five bytes, for formats that carry them raw. */
  readonly id: Buffer
  readonly #derived: Derived

  constructor(secret: Uint8Array) {
    this.id = createHash('sha256').update('sallyport/secret-id/v1\0').update(secret).digest().subarray(0, ID_BYTES)
    this.idHex = this.id.toString('hex')
    this.#derived = {
      mac: derive(secret, 'mac'),
      rotation: derive(secret, 'rotation'),
      encryption: derive(secret, 'encryption'),
      pepper: derive(secret, 'pepper'),
    }
  }

  /** For HMAC-SHA256 over what the server hands out and must recognise. */
  get mac(): Buffer {
    return this.#derived.mac
  }

  /** For deriving the successor of a refresh token. */
  get rotation(): Buffer {
    return this.#derived.rotation
  }

  /** For AES-256-GCM over what is stored. */
  get encryption(): Buffer {
    return this.#derived.encryption
  }

  /** For keying the hashes of what people choose. */
  get pepper(): Buffer {
    return this.#derived.pepper
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return `[secret ${this.idHex}]`
  }
}

/** All secrets that this server honours, one of which it uses for what is new. */
export class SecretRing {
  /** Makes everything new. */
  readonly signing: SecretKey
  readonly #keys: readonly SecretKey[]
  readonly #byHex: ReadonlyMap<string, SecretKey>

  constructor(keys: readonly SecretKey[], signing: SecretKey) {
    this.signing = signing
    this.#keys = keys
    this.#byHex = new Map(keys.map((key) => [key.idHex, key]))
  }

  /** Every key, in the order of the entries: for values that cannot say which key made them. */
  get keys(): readonly SecretKey[] {
    return this.#keys
  }

  /** The key with this id, ten lower-case hex digits. */
  find(idHex: string): SecretKey | undefined {
    return this.#byHex.get(idHex)
  }

  /** The key whose id stands at `offset` of `bytes`. Allocates nothing. */
  findById(bytes: Uint8Array, offset = 0): SecretKey | undefined {
    for (const key of this.#keys) {
      const { id } = key
      let at = 0
      while (at < ID_BYTES && bytes[offset + at] === id[at]) at++
      if (at === ID_BYTES) return key
    }
    return undefined
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return `[secret ring ${this.#keys.map((key) => key.idHex).join(', ')}]`
  }
}

/**
 * Reads the server's secrets.
 *
 * To replace a secret without refusing anyone, deploy three times: `accept:NEW,OLD`, so that every node knows the new
 * one before any node uses it; then `NEW,OLD`; and, when whatever OLD made has expired or been sealed again, `NEW`.
 *
 * @param entries Newest first. Each is base64url of at least 32 random bytes; one with the prefix `accept:` is honoured
 *   in what others made and makes nothing new. The first without the prefix is used.
 * @throws SallyportError `CONFIG_INVALID`, which names the entry by its position and never by its content.
 */
export function secretRing(entries: readonly string[]): SecretRing {
  const keys: SecretKey[] = []
  let signing: SecretKey | undefined
  for (const [index, entry] of entries.entries()) {
    const position = index + 1
    const accepted = entry.startsWith(ACCEPT)
    const key = new SecretKey(decode(accepted ? entry.slice(ACCEPT.length) : entry, position))
    const twin = keys.findIndex((other) => other.idHex === key.idHex)
    if (twin !== -1) refuse(position, `must differ from entry ${twin + 1}`)
    if (!accepted) signing ??= key
    keys.push(key)
  }
  if (signing === undefined) {
    throw new SallyportError('CONFIG_INVALID', 'secrets: at least one entry must stand without the prefix "accept:"', {
      facts: { field: 'secrets' },
    })
  }
  return new SecretRing(keys, signing)
}

function decode(text: string, position: number): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  // Node skips what it cannot decode: only what it writes back the same way was understood.
  if (text === '' || bytes.toString('base64url') !== text) {
    refuse(position, 'must be base64url without padding (A-Z, a-z, 0-9, "-" and "_")')
  }
  if (bytes.length < MIN_BYTES) refuse(position, `must be at least ${MIN_BYTES} bytes, and is ${bytes.length}`)
  if (isPredictable(text, bytes)) refuse(position, 'must be random bytes, and is a placeholder or a pattern')
  return bytes
}

/**
 * Whether the bytes were plainly not drawn at random. A random secret is refused by this less than once in 10^12: it
 * finds examples copied from a page, not weak generators.
 */
function isPredictable(text: string, bytes: Buffer): boolean {
  // "change-me-change-me-…" is valid base64url, and long enough.
  if (text.toLowerCase().replaceAll(/[_-]/g, '').includes('changeme')) return true
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return true
  // All bytes equal, or counting up, as in the key of many a test vector.
  const step = (bytes[1] ?? 0) - (bytes[0] ?? 0)
  if (bytes.every((byte, at) => at === 0 || ((byte - (bytes[at - 1] ?? 0) - step) & 0xff) === 0)) return true
  for (let period = 2; period <= bytes.length / 2; period++) {
    if (bytes.subarray(period).equals(bytes.subarray(0, bytes.length - period))) return true
  }
  return false
}

function refuse(position: number, rule: string): never {
  throw new SallyportError('CONFIG_INVALID', `secrets: entry ${position} ${rule}`, {
    facts: { field: 'secrets', position },
  })
}

/** HKDF-SHA256 (RFC 5869). No salt: the input is uniform already, and every node must derive the same. */
function derive(secret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `sallyport/${purpose}/v1`, 32))
}
