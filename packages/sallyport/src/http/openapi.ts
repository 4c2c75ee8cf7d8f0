/**
 * Writes the OpenAPI 3.1 document of a list of routes, from the very declarations that validate and guard them.
 *
 * @module
 */

import { ERROR_STATUS, type ErrorCode } from '../errors.ts'
import { FACTS, FACTS_OF, titleOf } from './problem.ts'
import { type JsonSchema, jsonSchemaOf } from './published.ts'
import type { CredentialKind, PermissionRule, Route } from './route.ts'
import { mountedPath } from './router.ts'

export interface OpenApiOptions {
  /** Where the API is mounted. Defaults to `/api`. */
  readonly basePath?: string
  readonly title?: string
  /** The version of the API's contract. */
  readonly version?: string
}

export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: JsonSchema
}

export interface OpenApiResponse {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly OpenApiParameter[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
  }
  readonly responses: Readonly<Record<string, OpenApiResponse>>
  /** The permission that is needed. */
  readonly 'x-permission'?: string
  /** Whether the permission is needed for everyone's things or for other people's only. */
  readonly 'x-permission-scope'?: 'always' | 'others'
  readonly 'x-step-up'?: string
  readonly 'x-audit'?: readonly string[]
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly headers: Readonly<Record<string, unknown>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
}

const INFO =
  'Times are ISO 8601 in UTC. Fields that are not listed are refused, and so are repeated ones. ' +
  'Refusals are application/problem+json (RFC 9457); `error` is the stable code. ' +
  'A request that no person has caused, such as a poll, says `Sallyport-Background: true`: it moves no idle limit.'

const SCHEMES: Readonly<Record<CredentialKind, { readonly [field: string]: string }>> = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The access token of a live session. One that is bound to a key may come as `DPoP`, with a proof (RFC 9449).',
  },
  stepUpToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The stepUpToken of a 428.' },
  serviceKey: { type: 'http', scheme: 'bearer', bearerFormat: 'spsk_…', description: 'A key of a service.' },
}

const HEADERS = {
  'X-Request-Id': {
    description: 'The id that joins this answer to the log and the audit rows. One that the client sends is kept.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
  },
  'WWW-Authenticate': { description: 'What would be accepted (RFC 6750, RFC 9470).', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds until another try can pass.', schema: { type: 'integer', minimum: 1 } },
} as const

const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'A refusal or fault (RFC 9457). `error` is stable; `detail` is for people.',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    error: { type: 'string', description: 'The stable code.' },
    requestId: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'detail', 'error', 'requestId'],
}

/** The document. The same routes give the same text. */
export function openApiDocument(
  routes: readonly Route<never>[],
  { basePath = '/api', title = 'Sallyport', version = '1' }: OpenApiOptions = {},
): OpenApiDocument {
  const schemas: Record<string, JsonSchema> = { Problem: PROBLEM }
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  const use = (schema: NonNullable<Route['body']>, io: 'input' | 'output') => lift(jsonSchemaOf(schema, io), schemas)

  for (const route of routes) {
    const path = mountedPath(route, basePath).replaceAll(/:([A-Za-z0-9]+)/g, '{$1}')
    const methods = (paths[path] ??= {})
    methods[route.method.toLowerCase()] = operation(route, use)
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description: INFO },
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: { schemas, headers: HEADERS, securitySchemes: SCHEMES },
  }
}

type Use = (schema: NonNullable<Route['body']>, io: 'input' | 'output') => JsonSchema

function operation(route: Route<never>, use: Use): OpenApiOperation {
  const { name, tag, summary, description, permission, stepUp, audit } = route
  const parameters = [
    ...(route.params === undefined ? [] : parametersOf(use(route.params, 'input'), 'path')),
    ...(route.query === undefined ? [] : parametersOf(use(route.query, 'input'), 'query')),
  ]
  return {
    operationId: name,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: securityOf(route.auth),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: bodyOf(use(route.body, 'input'), route.bodyType) }),
    responses: responsesOf(route, use),
    ...(permission === undefined ? {} : permissionOf(permission)),
    ...(stepUp === undefined ? {} : { 'x-step-up': stepUp }),
    ...(audit === undefined ? {} : { 'x-audit': audit.actions }),
  }
}

function parametersOf(schema: JsonSchema, place: 'path' | 'query'): OpenApiParameter[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: schema.required?.includes(name) ?? false,
    schema: property,
  }))
}

function bodyOf(schema: JsonSchema, bodyType: 'json' | 'form'): NonNullable<OpenApiOperation['requestBody']> {
  const type = bodyType === 'json' ? 'application/json' : 'application/x-www-form-urlencoded'
  // An empty body reads as {}, so it is only required where a field is.
  return { required: schema.type !== 'object' || (schema.required ?? []).length > 0, content: { [type]: { schema } } }
}

function responsesOf(route: Route<never>, use: Use): Record<string, OpenApiResponse> {
  const responses: Record<string, OpenApiResponse> = {}
  const requestId = { 'X-Request-Id': headerRef('X-Request-Id') }
  for (const [status, { description, body, content }] of route.responses) {
    responses[status] = {
      description,
      headers: requestId,
      ...(body === undefined ? {} : { content: { 'application/json': { schema: use(body, 'output') } } }),
      ...(content === undefined ? {} : { content: { [content]: { schema: { type: 'string' } } } }),
    }
  }
  for (const [status, codes] of byStatus(route.errors)) {
    const facts = [...new Set(codes.flatMap((code) => FACTS_OF[code] ?? []))]
    responses[status] = {
      description: codes.map((code) => `${code}: ${titleOf(code)}.`).join(' '),
      headers: {
        ...requestId,
        ...(status === 401 || status === 428 ? { 'WWW-Authenticate': headerRef('WWW-Authenticate') } : {}),
        ...(status === 429 || status === 503 ? { 'Retry-After': headerRef('Retry-After') } : {}),
      },
      content: {
        'application/problem+json': {
          schema: {
            $ref: '#/components/schemas/Problem',
            properties: {
              error: { type: 'string', enum: codes },
              ...Object.fromEntries(facts.map((fact) => [fact, use(FACTS[fact], 'output')])),
            },
          },
        },
      },
    }
  }
  return responses
}

function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const groups = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const status = ERROR_STATUS[code]
    const group = groups.get(status)
    if (group === undefined) groups.set(status, [code])
    else group.push(code)
  }
  return groups
}

function headerRef(name: keyof typeof HEADERS): { readonly $ref: string } {
  return { $ref: `#/components/headers/${name}` }
}

function securityOf(auth: Route['auth']): OpenApiOperation['security'] {
  if (auth === 'none') return []
  if (auth === 'session') return [{ accessToken: [] }]
  if (auth === 'optional') return [{ accessToken: [] }, {}]
  const kinds = auth.credential.map((kind) => ({ [kind]: [] }))
  return auth.optional === true ? [...kinds, {}] : kinds
}

function permissionOf(permission: PermissionRule): Pick<OpenApiOperation, 'x-permission' | 'x-permission-scope'> {
  return typeof permission === 'string'
    ? { 'x-permission': permission, 'x-permission-scope': 'always' }
    : { 'x-permission': permission.forOthers, 'x-permission-scope': 'others' }
}

/** Moves the named schemas of one JSON Schema to the document's components, and points the references there. */
function lift(json: JsonSchema, schemas: Record<string, JsonSchema>): JsonSchema {
  const { $defs = {}, ...rest } = json
  for (const [name, definition] of Object.entries($defs)) schemas[name] = pointed(definition) as JsonSchema
  return pointed(rest) as JsonSchema
}

function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([keyword, inner]) => [
      keyword,
      keyword === '$ref' && typeof inner === 'string'
        ? inner.replace('#/$defs/', '#/components/schemas/')
        : pointed(inner),
    ]),
  )
}
