/**
 * Binds sessions to a key of this browser (DPoP, RFC 9449): what is stolen from it is then worth nothing elsewhere.
 *
 * @module
 */

import { randomId, toBase64url } from './base64url.ts'
import type { Platform } from './platform.ts'
import { orNothing } from './platform.ts'

export interface KeyBinding {
  /**
   * A proof for one POST to `htu`; `undefined` where there is no key.
   *
   * @param make Whether a key is made where there is none: when a session begins, and never later.
   */
  prove(htu: string, make: boolean): Promise<string | undefined>
  /** Notes what an answer says of nonces and of the time. */
  learn(answer: Response): void
  /** Whether it could be looked whether there is a key. Where not, that there is none says nothing of the session. */
  certain(): boolean
}

/** Some browsers never answer when they are told to keep nothing. */
const PATIENCE_MS = 2000
const STORE = 'keys'
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** @param name The key's name in the browser: one for each service. */
export function keyBinding(platform: Platform, name: string): KeyBinding {
  const { subtle } = platform.crypto as Partial<Crypto>
  const indexedDB = orNothing(() => platform.indexedDB)
  let pair: CryptoKeyPair | undefined
  let looked = true
  let nonce: string | undefined
  let aheadMs = 0
  if (!subtle || !indexedDB) return { prove: async () => undefined, learn() {}, certain: () => true }

  const load = async (make: boolean): Promise<CryptoKeyPair | undefined> => {
    const opening = indexedDB.open('sallyport', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    const database = await result(opening)
    const store = (mode: IDBTransactionMode) => database.transaction(STORE, mode).objectStore(STORE)
    const read = () => result<CryptoKeyPair | undefined>(store('readonly').get(name))
    try {
      const known = await read()
      if (known || !make) return known
      const made = await subtle.generateKey(ALGORITHM, false, ['sign'])
      // Of two tabs that make one at once, the first has it kept and both use that.
      await result(store('readwrite').add(made, name)).catch(() => 0)
      return await read()
    } finally {
      database.close()
    }
  }

  return {
    async prove(htu, make) {
      try {
        pair ??= await new Promise<CryptoKeyPair | undefined>((resolve, reject) => {
          platform.setTimeout(reject, PATIENCE_MS)
          load(make).then(resolve, reject)
        })
        looked = true
      } catch {
        looked = false
      }
      if (!pair) return undefined
      const unsigned = [
        { typ: 'dpop+jwt', alg: 'ES256', jwk: await subtle.exportKey('jwk', pair.publicKey) },
        { jti: randomId(platform), htm: 'POST', htu, iat: Math.floor((platform.Date.now() + aheadMs) / 1000), nonce },
      ]
        .map((part) => toBase64url(utf8(JSON.stringify(part))))
        .join('.')
      return `${unsigned}.${toBase64url(await subtle.sign(ALGORITHM, pair.privateKey, utf8(unsigned)))}`
    },
    learn({ headers }) {
      nonce = headers.get('dpop-nonce') ?? nonce
      // The device's clock may be off by hours; proofs must be of the service's time.
      const date = headers.get('date')
      if (date) aheadMs = Date.parse(date) - platform.Date.now()
    },
    certain: () => looked,
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = reject
  })
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}
