/**
 * What this node knows of the tokens that it handed out: the facts behind the newest one of each family, as they were then.
 *
 * They spare the next refresh its first round trip, and nothing else rests on them: only a refresh that nothing speaks against is
 * done from them, and its one write holds every one of them against the database. Whatever is to be refused, answered again
 * or contained is read anew.
 *
 * @module
 */

import type { FamilyId } from '../ids.ts'
import type { NewToken, RefreshFacts, RefreshSession } from '../store/contract/tokens.ts'
import type { ParsedToken } from './token-format.ts'

/** About a kilobyte each. */
const MOST = 20_000

/** The facts of a token with a session, and the digest of the device that they were counted for. */
export interface Lineage {
  readonly facts: RefreshFacts & { readonly session: RefreshSession }
  readonly device: string | undefined
}

export class Lineages {
  readonly #known = new Map<FamilyId, Lineage & { readonly hash: Uint8Array }>()
  readonly #most: number

  constructor(most: number = MOST) {
    this.#most = most
  }

  /** The facts of exactly this token. They are forgotten with it: a refresh that fails reads. */
  take({ familyId, hash }: ParsedToken): Lineage | undefined {
    const known = this.#known.get(familyId)
    if (known === undefined || Buffer.compare(known.hash, hash) !== 0) return undefined
    this.#known.delete(familyId)
    return known
  }

  /** Keeps what the next refresh will find, from what this one rested on. `since` is what the session has become by it. */
  rotated({ facts, device }: Lineage, successor: NewToken, ttlMs: number, since: Partial<RefreshSession>): void {
    const { now, family, session } = facts
    const generation = facts.token.generation + 1
    this.#keep(family.id, {
      hash: successor.tokenHash,
      device,
      facts: {
        ...facts,
        token: {
          id: successor.id,
          generation,
          issuedAt: now,
          // By a clock that was read before the write: never later than the row says.
          expiresAt: new Date(now.getTime() + ttlMs),
          consumedAt: null,
          isRevoked: false,
          revokeReason: null,
          ipAddress: successor.ipAddress,
          userAgent: successor.userAgent,
          deviceFingerprint: successor.deviceFingerprint,
        },
        family: { ...family, generation },
        successor: null,
        session: { ...session, ...since },
      },
    })
  }

  #keep(familyId: FamilyId, lineage: Lineage & { readonly hash: Uint8Array }): void {
    // Set anew, so that the first in the map is the one that was not used for the longest time.
    this.#known.delete(familyId)
    if (this.#known.size >= this.#most) {
      const oldest = this.#known.keys().next().value
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(familyId, lineage)
  }
}
