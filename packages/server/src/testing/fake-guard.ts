/**
 * An engine that answers what a test wants, for what the service does around it.
 *
 * @module
 */

import type { Events, Sallyport } from 'sallyport'

export interface FakeGuard {
  readonly guard: Sallyport
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void
}

/** `handler` answers everything that is no page of the service. */
export function fakeGuard(handler: Sallyport['handler']): FakeGuard {
  const listeners = new Map<string, ((event: never) => void)[]>()
  const guard: Pick<Sallyport, 'handler' | 'on' | 'ready'> = {
    handler,
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener])
      return () => listeners.delete(name)
    },
    ready: async () => ({ ok: true, checks: { database: 'up', migrations: 'current', feed: 'live', risk: 'ok' } }),
  }
  return {
    guard: guard as Sallyport,
    emit: (name, event) => listeners.get(name)?.forEach((listener) => listener(event as never)),
  }
}
