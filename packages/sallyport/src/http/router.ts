/**
 * Finds the route of a method and path, and what else a known path would have answered to.
 *
 * @module
 */

import type { Result, Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'
import { METHODS, type Route } from './route.ts'

/** A route, and the parameters of the path as they came, still escaped. */
export interface Match<G> {
  readonly route: Route<G>
  readonly params: Readonly<Record<string, string>>
}

export interface RouteFinder<G> {
  find(method: string, path: string): Match<G> | undefined
  /** The methods that `path` is known for, as the `Allow` header lists them; empty for an unknown path. */
  allowed(path: string): string[]
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** The path that `route` is served at, where the API is mounted at `basePath`. */
export function mountedPath(route: Pick<Route<never>, 'path'>, basePath: string): string {
  return route.path.startsWith('/api/') ? basePath + route.path.slice(4) : route.path
}

/** Builds the finder. Throws `TypeError` when two routes answer to the same method and path. */
export function routerOf<G>(routes: readonly Route<G>[], basePath: string): RouteFinder<G> {
  // Whole paths first: one look-up, and `/impersonate/exit` can never be read as `/impersonate/:staffId`.
  const literal = new Map<string, Match<G>>()
  const patterns: Router<Route<G>> = new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] })
  const taken = new Map<string, string>()
  const names = new Set<string>()

  for (const route of routes) {
    const path = mountedPath(route, basePath)
    const key = `${route.method} ${path.replaceAll(/:[^/]+/g, ':')}`
    if (taken.has(key))
      throw new TypeError(`routes ${taken.get(key)} and ${route.name} both answer ${route.method} ${path}`)
    if (names.has(route.name)) throw new TypeError(`two routes are named ${route.name}`)
    taken.set(key, route.name)
    names.add(route.name)
    if (route.paramNames.length === 0) literal.set(`${route.method} ${path}`, { route, params: NO_PARAMS })
    else patterns.add(route.method, path, route)
  }

  const hasPatterns = routes.some((route) => route.paramNames.length > 0)
  const find = (method: string, path: string): Match<G> | undefined =>
    literal.get(`${method} ${path}`) ?? (hasPatterns ? firstOf(patterns.match(method, path)) : undefined)

  return {
    find,
    allowed(path) {
      const methods: string[] = METHODS.filter((method) => find(method, path) !== undefined)
      return methods.includes('GET') ? ['HEAD', ...methods].sort() : methods
    },
  }
}

/** Hono's routers give all matches, either with their parameters or with places in a shared list of them. */
function firstOf<G>(result: Result<Route<G>>): Match<G> | undefined {
  const first = result[0][0]
  if (first === undefined) return undefined
  const [route, found] = first
  const values = result[1]
  const params: Record<string, string> = {}
  for (const name of route.paramNames) {
    const at = found[name]
    params[name] = typeof at === 'number' ? ((values as string[])[at] as string) : (at as string)
  }
  return { route, params }
}
