/**
 * What a client needs of where it runs: a part of `globalThis`, handed in so that a test can stand at a chosen moment in a browser of
 * its own.
 *
 * @module
 */

import type { ClientStorage } from './options.ts'

/** The part of `LockManager` that is used. */
export interface Locks {
  request<T>(name: string, options: { readonly signal: AbortSignal }, work: () => Promise<T>): Promise<T>
}

/** The part of `BroadcastChannel` that is used. */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null
  postMessage(message: unknown): void
  close(): void
}

export interface Platform {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  setTimeout(run: () => void, ms: number): unknown
  /** The device's clock, which may be wrong: ages are measured with it, and moments never. */
  readonly Date: { now(): number }
  readonly crypto: Crypto
  /** Some browsers from before 2022 have no `timeout`: there a request takes as long as it takes. */
  readonly AbortSignal: { timeout?(ms: number): AbortSignal }
  /** Set in a browser. */
  readonly location?: { readonly origin: string; readonly href: string }
  /** Not there in a worker. */
  readonly document?: { readonly cookie: string }
  readonly navigator?: { readonly locks?: Locks }
  readonly BroadcastChannel?: new (name: string) => Channel
  readonly localStorage?: ClientStorage
  readonly indexedDB?: IDBFactory
}

/** Reads what throws at being read where a browser is told to keep nothing. */
export function orNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
