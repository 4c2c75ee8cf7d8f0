/**
 * What happened, told to the host after commit.
 *
 * @module
 */

import type { FamilyId, SessionId, TenantId, UserId } from '../ids.ts'
import type { RevokeReason } from '../store/contract/ended-sessions.ts'
import type { Logger } from './logger.ts'

/** Each event in the past tense, with the moment of its emission. */
export interface Events {
  /** A session exists and its first tokens are about to be answered. */
  'session.created': { readonly tenantId: TenantId; readonly sessionId: SessionId; readonly userId: UserId }
  /** A session was ended, for whatever reason; it is refused on this node from now on. */
  'session.revoked': {
    readonly tenantId: TenantId
    readonly sessionId: SessionId
    readonly userId: UserId
    readonly reason: RevokeReason
  }
  /** A refresh token was exchanged: `replayed` when the same successor was handed out again. */
  'token.refreshed': {
    readonly tenantId: TenantId
    readonly outcome: 'rotated' | 'replayed'
    readonly cause?: 'lost-response' | 'concurrent' | undefined
  }
  /** A spent refresh token came back outside the retry rule. The family has been contained already. */
  'token.reused': {
    readonly tenantId: TenantId
    readonly familyId: FamilyId
    readonly sessionId: SessionId | null
    readonly userId: UserId
  }
  /** A sign-in or a refresh was stopped for its risk. Of a sign-in there is no session. */
  'session.blocked': {
    readonly tenantId: TenantId
    readonly userId: UserId
    readonly sessionId: SessionId | null
    readonly reason: 'high_risk_activity' | 'rapid_token_creation'
    readonly score: number
  }
  /** A refresh was refused. `code` is the answer's. */
  'token.refused': { readonly code: string }
}

type Listener<Name extends keyof Events> = (event: Events[Name]) => void

/** Hands events to listeners. A listener that throws is logged and disturbs neither the others nor the request. */
export class EventBus {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  /** @returns A function that stops the listening. */
  on<Name extends keyof Events>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(name, listeners)
    return () => listeners.delete(listener)
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        ;(listener as Listener<Name>)(event)
      } catch (error) {
        this.#log.error({ event: name, err: error }, 'an event listener threw')
      }
    }
  }
}
