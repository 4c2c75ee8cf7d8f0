/**
 * Where the refresh token is, and what is known of it: in a cookie that no script reads, or in a storage that all tabs share.
 *
 * @module
 */

import { randomId } from './base64url.ts'
import { memoryStorage } from './memory-storage.ts'
import type { ClientStorage } from './options.ts'
import type { Platform } from './platform.ts'
import { orNothing } from './platform.ts'

/** What is presented at a refresh: the token, or nothing where a cookie brings it. */
export interface Presented {
  readonly refreshToken?: string
}

export interface Credentials {
  /** `undefined` where there surely is none: nothing need be asked. */
  read(): Promise<Presented | undefined>
  /** Whether what was presented is still what is kept. Of a cookie nobody can tell. */
  isCurrent(presented: Presented): Promise<boolean>
  /** Keeps what came in its place. */
  keep(refreshToken: string | undefined): Promise<unknown>
  /** Forgets it: it was refused for good, or signed out. */
  drop(): Promise<unknown>
  /** A random id of this browser, where it can be kept as long as the refresh token. */
  device(): Promise<string | undefined>
}

/**
 * Body delivery.
 *
 * @param name Before each key in the storage.
 */
export function storedCredentials(platform: Platform, name: string, storage = memoryStorage()): Credentials {
  const slot = `${name}:refresh`
  return {
    async read() {
      const refreshToken = await storage.getItem(slot)
      return refreshToken ? { refreshToken } : undefined
    },
    isCurrent: async ({ refreshToken }) => (await storage.getItem(slot)) === refreshToken,
    keep: async (refreshToken) => storage.setItem(slot, refreshToken as string),
    drop: async () => storage.removeItem(slot),
    device: () => device(platform, name, storage),
  }
}

/**
 * Cookie delivery.
 *
 * @param sameOrigin Whether the service is the page's own origin.
 */
export function cookieCredentials(platform: Platform, name: string, sameOrigin: boolean): Credentials {
  // A browser that keeps nothing does without: the cookie needs none of it.
  const storage = orNothing(() => platform.localStorage)
  const slot = `${name}:ended`
  /** What the companion cookie says: when the newest tokens were issued. */
  const issued = () => /(?:^|; )iat=(\d+)/.exec(platform.document?.cookie ?? '')?.[1]
  return {
    async read() {
      const mark = issued()
      // Refused for good once and still there, since no script can take it away, it is not asked for again and again.
      const none = mark ? mark === (await storage?.getItem(slot)) : sameOrigin && platform.document
      return none ? undefined : {}
    },
    isCurrent: async () => true,
    keep: async () => storage?.removeItem(slot),
    drop: async () => orNothing(() => storage?.setItem(slot, issued() ?? '')),
    device: () => device(platform, name, storage),
  }
}

/** A random id in the storage. Kept nowhere, it would be another one at each visit: then the service's own device cookie has to do. */
async function device(
  platform: Platform,
  name: string,
  storage: ClientStorage | undefined,
): Promise<string | undefined> {
  const slot = `${name}:device`
  try {
    if (!(await storage?.getItem(slot))) await storage?.setItem(slot, randomId(platform))
    // Of two tabs that make one at once, both use what was kept.
    return (await storage?.getItem(slot)) ?? undefined
  } catch {
    return undefined
  }
}
