/**
 * The other tabs of this browser: one at a time where it can be arranged, and what one has got is told to all.
 *
 * @module
 */

import type { Held } from './access-token.ts'
import type { ErrorCode } from './errors.ts'
import type { Platform } from './platform.ts'
import { orNothing } from './platform.ts'
import type { SignedInState } from './state.ts'

/** What tabs tell each other: what one holds and, where it knows, of whom; or that a session has ended. */
export type Message =
  | { readonly held: Held; readonly me: SignedInState | undefined }
  | { readonly out: string; readonly reason: ErrorCode }

export interface Tabs {
  /**
   * Does the work while no other tab does. A hint: where the browser has no locks, or another tab holds on for too long, it is done
   * nevertheless, and the service's retry rule keeps everybody signed in.
   */
  alone<T>(work: () => Promise<T>): Promise<T>
  tell(message: Message): void
  close(): void
}

/** Longer than an answer takes, shorter than a person waits. */
const LOCK_WAIT_MS = 5000
/** Who is next has heard of it by then, and need not ask. */
const HEAR_MS = 10

/** @param shared Whether they share a session. Else each is alone in the world. */
export function otherTabs(platform: Platform, name: string, shared: boolean, hear: (message: Message) => void): Tabs {
  const { location, navigator, AbortSignal } = platform
  const channel = orNothing(() => (shared ? new platform.BroadcastChannel!(name) : undefined))
  const limit = shared ? AbortSignal.timeout?.bind(AbortSignal) : undefined
  if (channel) {
    channel.onmessage = ({ data, origin }) => {
      if (origin === location?.origin && isMessage(data)) hear(data)
    }
  }
  return {
    async alone(work) {
      const { locks } = navigator ?? {}
      // One that cannot be waited for with a limit is none to wait for.
      if (!locks || !limit) return work()
      return new Promise((resolve) => {
        const locked = locks.request(name, { signal: limit(LOCK_WAIT_MS) }, async () => {
          const done = work()
          resolve(done)
          await done.catch(() => 0)
          await new Promise<void>((heard) => platform.setTimeout(heard, HEAR_MS))
        })
        // Not to be had. Where it was, this comes too late to do anything.
        locked.catch(() => resolve(work()))
      })
    },
    tell: (message) => channel?.postMessage(message),
    close: () => channel?.close(),
  }
}

type Loose = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Other scripts of this origin, other versions of this one among them, can send what they like. */
function isMessage(data: unknown): data is Message {
  const { held, me, out, reason } = Object(data) as Loose
  const isText = (...values: unknown[]) => values.every((value) => typeof value === 'string')
  if (!held) return isText(out, reason)
  const { token, sid, gen, sentAt, doneAt, dueAt, endsAt } = held
  const { status, user, tenant, staff, session } = Object(me) as Loose
  return (
    isText(token, sid) &&
    [gen, sentAt, doneAt, dueAt, endsAt].every(Number.isFinite) &&
    (!me || (isText(status, user?.['id'], tenant?.['id'], staff?.['id']) && session?.['id'] === sid))
  )
}
