/**
 * What the service counts, in the Prometheus format.
 *
 * @module
 */

import type { Sallyport } from 'sallyport'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  /** Notes one answered request. Called for each, so it allocates nothing for a route that it has met. */
  request(method: string, path: string, status: number, seconds: number): void
  /** The page that Prometheus reads. */
  page(): Promise<string>
  readonly contentType: string
  close(): void
}

/** Refreshes are promised within tens of milliseconds, and shutdown waits ten seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
/** More routes than there are, and a bound on what a client can make the service remember. */
const MOST_ROUTES = 1_000
const ID = /\/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_-]{22,}|\d+)(?=\/|$)/g
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Listens to the guard's events and counts. */
export function createMetrics(guard: Sallyport): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const created = new Counter({ registers, name: 'sallyport_sessions_created_total', help: 'Sessions created.' })
  const revoked = new Counter({
    registers,
    name: 'sallyport_sessions_revoked_total',
    help: 'Sessions ended, by reason.',
    labelNames: ['reason'],
  })
  const refreshes = new Counter({
    registers,
    name: 'sallyport_refreshes_total',
    help: 'Refreshes, by outcome: rotated; replayed, by cause; reused (a theft, contained); refused, by code.',
    labelNames: ['outcome', 'cause'],
  })
  const durations = new Histogram({
    registers,
    name: 'sallyport_http_request_duration_seconds',
    help: 'Time to answer a request, by method, route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
  })
  new Gauge({
    registers,
    name: 'sallyport_ready',
    help: '1 while a part of the service is well: database reachable, migrations current, change feed live.',
    labelNames: ['check'],
    async collect() {
      const { checks } = await guard.ready()
      this.set({ check: 'database' }, checks.database === 'up' ? 1 : 0)
      this.set({ check: 'migrations' }, checks.migrations === 'current' ? 1 : 0)
      this.set({ check: 'feed' }, checks.feed === 'live' ? 1 : 0)
    },
  })

  const rotated = refreshes.labels('rotated', '')
  const reused = refreshes.labels('reused', '')
  for (const counter of [rotated, reused]) counter.inc(0)
  const stops = [
    guard.on('session.created', () => created.inc()),
    guard.on('session.revoked', ({ reason }) => revoked.labels(reason).inc()),
    guard.on('token.refreshed', ({ outcome, cause }) =>
      outcome === 'rotated' ? rotated.inc() : refreshes.labels('replayed', cause ?? '').inc(),
    ),
    guard.on('token.reused', () => reused.inc()),
    // Counted as reused already.
    guard.on('token.refused', ({ code }) => code !== 'REFRESH_TOKEN_REUSED' && refreshes.labels('refused', code).inc()),
  ]

  const children = new Map<string, { observe(seconds: number): void }>()
  return {
    request(method, path, status, seconds) {
      // Looked up as it came first: most requests go to a path without an id in it.
      const key = `${method} ${status} ${path}`
      let child = children.get(key)
      if (child === undefined) {
        const route = status === 404 ? 'unmatched' : path.replaceAll(ID, '/:id')
        const known = children.size < MOST_ROUTES
        const label = METHODS.has(method) ? method : 'other'
        child = durations.labels(label, known ? route : 'other', String(status))
        // A path with an id in it would fill the map with one entry for each id.
        if (known && route === path) children.set(key, child)
      }
      child.observe(seconds)
    },
    page: () => registry.metrics(),
    contentType: registry.contentType,
    close() {
      for (const stop of stops) stop()
      registry.clear()
    },
  }
}
