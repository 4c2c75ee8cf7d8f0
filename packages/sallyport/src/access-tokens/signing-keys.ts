/**
 * The ring of signing keys as one node holds it in memory.
 *
 * @module
 */

import { inspect } from 'node:util'
import { SallyportError } from '../errors.ts'
import type { SecretRing } from '../secrets/secret-ring.ts'
import type { KeyStore, SigningKeyList } from '../store/contract/keys.ts'
import type { SigningKey, VerifyingKey } from './signing-key.ts'
import { readSigningKey } from './signing-key.ts'
import { LEEWAY_SECONDS } from './token-times.ts'

const RELOAD_INTERVAL_MS = 1000

export interface SigningKeysDeps {
  readonly store: Pick<KeyStore, 'list'>
  readonly secrets: SecretRing
  readonly now: () => Date
  /** How long an access token lives: a retired key verifies that long, and the leeway. */
  readonly accessTtlMs: number
}

interface Held {
  readonly key: SigningKey
  /** By this node's clock; for a retired key the moment at which its last token has expired. */
  readonly verifiesUntil: number
}

interface Loaded {
  readonly active: SigningKey
  readonly activatedAt: Date
  readonly byKid: ReadonlyMap<string, Held>
}

/**
 * The keys that sign and verify. Reading it asks nobody; {@link SigningKeys.reload} brings it up to date and is called
 * for each change of kind `key` in the feed.
 */
export class SigningKeys {
  readonly #deps: SigningKeysDeps
  #loaded: Loaded | undefined
  #refusing = true
  /** Counts what may have made the ring untrue, so that a read begun before cannot declare it true again. */
  #doubts = 0
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined
  #lastAttempt = Number.NEGATIVE_INFINITY

  constructor(deps: SigningKeysDeps) {
    this.#deps = deps
  }

  /** The active key. @throws SallyportError `UNAVAILABLE` while the ring refuses. */
  get signing(): SigningKey {
    return this.#trusted().active
  }

  /** Since when the active key signs, by the database's clock: for judging whether a rotation is due. */
  get activatedAt(): Date {
    return this.#trusted().activatedAt
  }

  /**
   * The key that verifies tokens naming `kid`. The next key is among them: another node may sign with it already.
   *
   * @throws SallyportError `UNAVAILABLE` while the ring refuses.
   */
  find(kid: string): VerifyingKey | undefined {
    const held = this.#trusted().byKid.get(kid)
    return held && this.#verifies(held) ? held.key : undefined
  }

  /** Every key that verifies now: what the world may know. @throws SallyportError `UNAVAILABLE` while the ring refuses. */
  published(): readonly SigningKey[] {
    return [...this.#trusted().byKid.values()].filter((held) => this.#verifies(held)).map(({ key }) => key)
  }

  /**
   * Reads the ring again. Resolves when a read that began after the call has been taken over.
   *
   * It is called because something changed. If it fails, what this node holds is known to be untrue, and may hold a key
   * that was revoked: the ring refuses until a read succeeds, and tries again by itself when it is used.
   */
  async reload(): Promise<void> {
    try {
      await this.#read()
    } catch (error) {
      this.refuseUntilReloaded()
      throw error
    }
  }

  /** For a node that has lost sight of changes: signs and verifies nothing until the ring has been read again. */
  refuseUntilReloaded(): void {
    this.#refusing = true
    this.#doubts++
  }

  /**
   * Reads the ring again for a token that names an unknown key, at most once a second. A failure changes nothing: it
   * says nothing of the keys that are known.
   *
   * @returns Whether the ring was read, so that looking again makes sense.
   */
  async reloadForUnknownKey(): Promise<boolean> {
    // Those who come while a read is under way share it; the next may start one a second after this one started.
    if (!this.#running && !this.#mayTry()) return false
    try {
      await (this.#running ?? this.#start())
      return true
    } catch {
      return false
    }
  }

  toJSON(): string {
    return '[signing keys]'
  }

  [inspect.custom](): string {
    return this.toJSON()
  }

  #verifies(held: Held): boolean {
    return held.verifiesUntil === Number.POSITIVE_INFINITY || this.#deps.now().getTime() < held.verifiesUntil
  }

  #trusted(): Loaded {
    if (this.#refusing || !this.#loaded) {
      // Nobody else may come to repair it: the feed reports a change once.
      void this.reloadForUnknownKey()
      throw new SallyportError('UNAVAILABLE', 'the signing keys cannot be read')
    }
    return this.#loaded
  }

  #mayTry(): boolean {
    const now = this.#deps.now().getTime()
    // Below zero the clock was set back: no reason to wait for it to catch up.
    const elapsed = now - this.#lastAttempt
    if (elapsed >= 0 && elapsed < RELOAD_INTERVAL_MS) return false
    this.#lastAttempt = now
    return true
  }

  /** A read that begins now or, where one is under way, after it: that one may have begun before the change. */
  #read(): Promise<void> {
    if (!this.#running) return this.#start()
    this.#queued ??= this.#afterRunning(this.#running)
    return this.#queued
  }

  async #afterRunning(running: Promise<void>): Promise<void> {
    try {
      await running
    } catch {
      // Told to those who asked for it.
    }
    this.#queued = undefined
    return this.#start()
  }

  #start(): Promise<void> {
    this.#running = this.#load().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #load(): Promise<void> {
    const doubts = this.#doubts
    const loaded = this.#take(await this.#deps.store.list())
    this.#loaded = loaded
    if (this.#doubts === doubts) this.#refusing = false
  }

  #take({ keys, now }: SigningKeyList): Loaded {
    const { secrets, accessTtlMs } = this.#deps
    // Ages are the database's to judge; this node's clock only measures what is left of them.
    const here = this.#deps.now().getTime() - now.getTime()
    const byKid = new Map<string, Held>()
    for (const row of keys) {
      if (row.state === 'revoked') continue
      const retired = row.state === 'retired'
      const until = retired
        ? (row.retiredAt?.getTime() ?? 0) + accessTtlMs + LEEWAY_SECONDS * 1000
        : Number.POSITIVE_INFINITY
      if (until <= now.getTime()) continue
      // A retired key has no business signing, whatever its row holds.
      const key = readSigningKey(secrets, retired ? { ...row, sealedPrivateKey: null } : row)
      byKid.set(row.kid, { key, verifiesUntil: until + here })
    }
    const row = keys.find(({ state }) => state === 'active')
    const active = row && byKid.get(row.kid)?.key
    if (!active) throw new SallyportError('UNAVAILABLE', 'there is no active signing key')
    return { active, activatedAt: row.activatedAt ?? row.createdAt, byKid }
  }
}
