/**
 * The routes as plain data, so that tests and tools can go over every one of them and a new one cannot escape.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import type { ErrorCode } from '../errors.ts'
import { jsonSchemaOf } from './published.ts'
import type { Auth, Method, PermissionRule, Route } from './route.ts'
import { mountedPath } from './router.ts'
import { sampleOf } from './sample.ts'

/** One route of the table. */
export interface RouteRow {
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly tag: string
  readonly auth: Auth
  readonly mutates: boolean
  readonly permission: PermissionRule | undefined
  readonly stepUp: string | undefined
  readonly audit: readonly AuditAction[]
  readonly whileImpersonating: 'allowed' | 'refused' | 'always'
  readonly errors: readonly ErrorCode[]
  /** A request that passes validation: a path with its parameters filled in, the query that it requires, and a body. */
  readonly sample: { readonly path: string; readonly body: unknown }
}

/** The table of `routes`, as they are served at `basePath`. */
export function routeTable(routes: readonly Route<never>[], basePath = '/api'): RouteRow[] {
  return routes.map((route) => {
    const { name, method, tag, auth, mutates, permission, stepUp, audit, whileImpersonating, errors } = route
    const path = mountedPath(route, basePath)
    const params = samplesOf(route.params)
    const query = new URLSearchParams(samplesOf(route.query)).toString()
    const filled = path.replaceAll(/:([A-Za-z0-9]+)/g, (_, param: string) => encodeURIComponent(params[param] ?? ''))
    return {
      ...{ name, method, path, tag, auth, mutates, permission, stepUp, whileImpersonating, errors },
      audit: audit?.actions ?? [],
      sample: {
        path: query === '' ? filled : `${filled}?${query}`,
        body: route.body === undefined ? undefined : sampleBody(route.body),
      },
    }
  })
}

/** A body that passes validation. */
export function sampleBody(schema: NonNullable<Route['body']>): unknown {
  const json = jsonSchemaOf(schema, 'input')
  return sampleOf(json, json.$defs)
}

function samplesOf(schema: Route['query']): Record<string, string> {
  if (schema === undefined) return {}
  const sample = sampleBody(schema) as Record<string, unknown>
  return Object.fromEntries(Object.entries(sample).map(([name, value]) => [name, String(value)]))
}
