/**
 * Serves the API's own description: the OpenAPI document, and the page that people read.
 *
 * @module
 */

import { z } from 'zod'
import { documentationPage } from '../documentation-page.ts'
import type { HttpEngine } from '../engine.ts'
import { type OpenApiOptions, openApiDocument } from '../openapi.ts'
import { type Route, route } from '../route.ts'

/** The two routes that describe `routes`, and themselves with them. */
export function documentationRoutes<G extends HttpEngine>(
  routes: readonly Route<G>[],
  options: OpenApiOptions = {},
): readonly Route<HttpEngine>[] {
  const { basePath = '/api' } = options
  // Both are written once, when they are first asked for: a service that is never asked pays nothing.
  const document = once(() => openApiDocument([...routes, ...own], options))
  const page = once(() => documentationPage(document(), `${basePath}/openapi.json`))

  const own: readonly Route<HttpEngine>[] = [
    route({
      method: 'GET',
      path: '/api/openapi.json',
      name: 'getOpenApi',
      tag: 'Documentation',
      summary: 'The OpenAPI 3.1 document of this API.',
      auth: 'none',
      mutates: false,
      responses: { 200: { description: 'The document.', body: z.record(z.string(), z.unknown()) } },
      async handle() {
        return { status: 200, body: document() as unknown as Record<string, unknown> }
      },
    }),
    route({
      method: 'GET',
      path: '/api/docs',
      name: 'getDocumentation',
      tag: 'Documentation',
      summary: 'This page.',
      auth: 'none',
      mutates: false,
      responses: { 200: { description: 'The page.', content: 'text/html; charset=utf-8' } },
      async handle() {
        const { html, contentSecurityPolicy } = page()
        return { status: 200, body: html, headers: { 'content-security-policy': contentSecurityPolicy, ...PAGE } }
      },
    }),
  ]
  return own
}

/** What a page that is looked at says besides: no window of another origin holds on to it. */
const PAGE = { 'cross-origin-opener-policy': 'same-origin' }

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
