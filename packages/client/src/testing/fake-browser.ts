/**
 * A browser whose tabs share cookies, storage, locks and channels, on the test's clock.
 *
 * @module
 */

import type { Client } from '../client.ts'
import { createClientOn } from '../create-client.ts'
import { memoryStorage } from '../memory-storage.ts'
import type { ClientOptions, ClientStorage } from '../options.ts'
import type { Channel, Locks, Platform } from '../platform.ts'
import type { FakeService } from './fake-service.ts'
import { SERVICE } from './fake-service.ts'

export interface FakeBrowser {
  readonly jar: Map<string, string>
  readonly localStorage: ClientStorage
  /** Makes a tab. What stands in `more` is another thing there, or is not there at all. */
  tab(options?: ClientOptions, more?: Partial<Platform>): Client
  /** Closes every client of it. */
  close(): void
  readonly locks: FakeLocks
  /** Says something to all tabs, as another script of the page could. */
  broadcast(name: string, data: unknown, origin?: string): void
}

interface FakeLocks extends Locks {
  /** Takes the lock and never lets go, as a tab that hangs. */
  seize(name: string): void
}

export const PAGE = 'https://app.example.com'

export function fakeBrowser(service: FakeService, { page = PAGE }: { readonly page?: string } = {}): FakeBrowser {
  const jar = new Map<string, string>()
  const localStorage = memoryStorage()
  const locks = fakeLocks()
  const channels = new Map<string, Set<Channel>>()
  const clients: Client[] = []

  class FakeChannel implements Channel {
    onmessage: Channel['onmessage'] = null
    readonly #name: string
    constructor(name: string) {
      this.#name = name
      const open = channels.get(name) ?? new Set()
      channels.set(name, open.add(this))
    }
    postMessage(message: unknown): void {
      const data = structuredClone(message)
      for (const other of channels.get(this.#name) ?? []) {
        if (other !== this) deliver(other, data, page)
      }
    }
    close(): void {
      channels.get(this.#name)?.delete(this)
    }
  }

  const browser: Platform = {
    async fetch(input, init) {
      const request = new Request(input, init)
      const sendsCookies = (init?.credentials ?? request.credentials) !== 'omit'
      const given = service.serve(request, sendsCookies ? jar.get('session') : undefined)
      const answer = await new Promise<Response>((resolve, reject) => {
        // The one that was given: a Request's own follows it for as long as nobody cleans up.
        const signal = init?.signal ?? request.signal
        const stop = () => reject(signal.reason as Error)
        if (signal.aborted) stop()
        signal.addEventListener('abort', stop)
        given.then(resolve, reject)
      })
      if (sendsCookies) {
        for (const line of answer.headers.getSetCookie()) {
          const [name = '', value = ''] = line.split('=')
          if (value === '') jar.delete(name)
          else jar.set(name, value)
        }
      }
      return answer
    },
    setTimeout: (run, ms) => setTimeout(run, ms),
    Date,
    crypto,
    AbortSignal: {
      timeout(ms) {
        const controller = new AbortController()
        setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), ms)
        return controller.signal
      },
    },
    location: { origin: page, href: `${page}/some/page` },
    document: {
      get cookie() {
        // Of another origin's cookies a page sees nothing.
        return page === SERVICE && jar.has('iat') ? `theme=dark; iat=${jar.get('iat')}` : 'theme=dark'
      },
    },
    navigator: { locks },
    BroadcastChannel: FakeChannel,
    localStorage,
  }

  return {
    jar,
    localStorage,
    locks,
    tab(options = {}, more = {}) {
      // By their getters: reading some of it throws in a browser that keeps nothing.
      const all = { ...Object.getOwnPropertyDescriptors(browser), ...Object.getOwnPropertyDescriptors(more) }
      const client = createClientOn(Object.defineProperties({} as Platform, all), { baseUrl: SERVICE, ...options })
      clients.push(client)
      return client
    },
    close() {
      for (const client of clients) client.close()
    },
    broadcast(name, data, origin = page) {
      for (const channel of channels.get(name) ?? []) deliver(channel, data, origin)
    },
  }
}

function deliver(channel: Channel, data: unknown, origin: string): void {
  setTimeout(() => channel.onmessage?.({ data, origin } as MessageEvent), 0)
}

function fakeLocks(): FakeLocks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    seize(name) {
      tails.set(name, new Promise(() => undefined))
    },
    async request(name, { signal }, work) {
      const before = tails.get(name) ?? Promise.resolve()
      let release!: () => void
      const ours = new Promise<void>((resolve) => {
        release = resolve
      })
      tails.set(
        name,
        before.then(() => ours),
      )
      try {
        await Promise.race([
          before,
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
        ])
        return await work()
      } finally {
        release()
      }
    },
  }
}
