/**
 * How a route is declared: once, with everything that guards, validates, documents and audits it.
 *
 * @module
 */

import { z } from 'zod'
import type { AuditAction } from '../audit/actions.ts'
import { ACTIONS } from '../audit/actions.ts'
import { PERMISSIONS, type Permission } from '../directory/roles.ts'
import { ERROR_STATUS, type ErrorCode } from '../errors.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { assertBounded } from './bounded.ts'
import type { Credential } from './credential.ts'
import type { HttpEngine } from './engine.ts'

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** The fields of a request's part, by name. Other fields are refused. */
export type Shape = Readonly<Record<string, z.ZodType>>

/** What may stand in an `Authorization: Bearer` header besides a session's access token. */
export const CREDENTIALS = ['accessToken', 'stepUpToken', 'serviceKey'] as const
export type CredentialKind = (typeof CREDENTIALS)[number]

/**
 * Who may call.
 *
 * - `none`: anyone; an `Authorization` header is not looked at.
 * - `session`: a live session; `caller` is set.
 * - `optional`: `caller` is set when the header is sent, and then it must be good.
 * - `{ credential }`: a credential of one of these kinds, as it came. The route hands `credential` to the operation that
 *   knows how to judge it; nothing is authenticated before.
 */
export type Auth =
  | 'none'
  | 'session'
  | 'optional'
  | { readonly credential: readonly CredentialKind[]; readonly optional?: boolean }

/** A permission that every caller needs, or one that the operation asks for when the thing is somebody else's. */
export type PermissionRule = Permission | { readonly forOthers: Permission }

/** The audit action of a route; in full where success and failure differ, or where the rows name a resource. */
export interface AuditRule<Params extends string = string> {
  /** What success may be recorded as. */
  readonly action: AuditAction | readonly [AuditAction, ...AuditAction[]]
  /** What a refusal is recorded as. Defaults to the (first) action. */
  readonly failure?: AuditAction
  readonly resource?: string
  /** The path parameter that holds the resource's id. */
  readonly id?: Params
}

/** The statuses that a route can declare. Refusals are thrown as `SallyportError` and declared under `errors`. */
export type SuccessStatus = 200 | 201 | 202 | 204

/** An answer: JSON by its schema, or other content by its type, or neither (204). */
export interface ResponseRule {
  readonly description: string
  readonly body?: z.ZodType
  /** The full `Content-Type` of an answer that is not JSON. */
  readonly content?: string
}
export type Responses = { readonly [S in SuccessStatus]?: ResponseRule }

/** A value that is only read from, so that what an operation returns as readonly can be answered as it is. */
type Sent<T> = T extends Date
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Sent<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Sent<T[K]> }
      : T

type ReplyBody<Rule> = Rule extends { readonly body: infer Schema extends z.ZodType }
  ? { readonly body: Sent<z.input<Schema>> }
  : Rule extends { readonly content: string }
    ? { readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> }
    : { readonly body?: undefined }

/** What `handle` resolves to: one of the declared statuses, with the body declared for it. */
export type Reply<R> = {
  [S in keyof R]: {
    readonly status: S
    readonly headers?: Readonly<Record<string, string>>
  } & ReplyBody<R[S]>
}[keyof R]

type CallerOf<A> = A extends 'session' ? Caller : A extends 'optional' ? Caller | undefined : undefined
type CredentialOf<A> = A extends { readonly credential: unknown }
  ? A extends { readonly optional: true }
    ? Credential | undefined
    : Credential
  : undefined
type OutputOf<S> = S extends z.ZodType
  ? z.output<S>
  : S extends Shape
    ? { readonly [K in keyof z.output<z.ZodObject<S>>]: z.output<z.ZodObject<S>>[K] }
    : undefined

/** What `handle` is given. Everything in it has been checked against the declaration. */
export interface RouteInput<G, A, P, Q, B> {
  readonly guard: G
  readonly request: RequestFacts
  readonly caller: CallerOf<A>
  /** What the `Authorization` header holds, where `auth` is `{ credential }`. */
  readonly credential: CredentialOf<A>
  readonly params: OutputOf<P>
  readonly query: OutputOf<Q>
  readonly body: OutputOf<B>
  /** The path that the request was sent to, as proofs of keys are made for it. */
  readonly path: string
  /** The request's own headers; for cookies, `Origin`, `DPoP`. */
  readonly headers: Headers
  /** Adds a header to whatever the answer will be, a refusal included. `Set-Cookie` may be added many times. */
  readonly addHeader: (name: string, value: string) => void
}

interface Declared<G, A, P, Q, B, R> {
  readonly method: Method
  /** With `:name` for parameters. A leading `/api` gives way to the base path that the host mounts at. */
  readonly path: string
  /** Camel case, unique; the operation's id in OpenAPI. */
  readonly name: string
  readonly tag: string
  /** One line, as a person would say it. */
  readonly summary: string
  readonly description?: string
  readonly auth: A
  /** Defaults to `refused` where a step-up is asked for, else `allowed`. */
  readonly whileImpersonating?: 'allowed' | 'refused' | 'always'
  readonly params?: P
  readonly query?: Q
  /** Fields, or a schema where fields depend on each other. Objects inside must be `z.strictObject`. */
  readonly body?: B
  /** `form` for the endpoints whose standard says so (RFC 7662): the one type it then takes. Defaults to `json`. */
  readonly bodyType?: 'json' | 'form'
  readonly responses: R
  /** The codes it may answer besides those that follow from the declaration. */
  readonly errors?: readonly ErrorCode[]
  readonly handle: (input: RouteInput<G, A, P, Q, B>) => Promise<Reply<R>>
}

type AuditOf<P> = AuditAction | AuditRule<P extends Shape ? keyof P & string : never>

/** A route that changes something cannot be written without saying what guards it and what it is recorded as. */
type Effect<P> =
  | {
      readonly mutates: true
      /** `null`: none, and that is meant. */
      readonly permission: PermissionRule | null
      /** The purpose; `null`: none, and that is meant. */
      readonly stepUp: string | null
      readonly audit: AuditOf<P>
    }
  | {
      readonly mutates: false
      readonly permission?: PermissionRule | null
      readonly stepUp?: string | null
      readonly audit?: AuditOf<P>
    }

export type RouteDeclaration<G, A, P, Q, B, R> = Declared<G, A, P, Q, B, R> & Effect<P>

/** A declared route, checked and ready to be served and documented. */
export interface Route<G = HttpEngine> {
  readonly method: Method
  readonly path: string
  readonly name: string
  readonly tag: string
  readonly summary: string
  readonly description: string | undefined
  readonly auth: Auth
  readonly mutates: boolean
  readonly whileImpersonating: 'allowed' | 'refused' | 'always'
  readonly permission: PermissionRule | undefined
  readonly stepUp: string | undefined
  readonly audit:
    | (Required<Pick<AuditRule, 'failure'>> & {
        readonly actions: readonly AuditAction[]
        readonly resource: string | undefined
        readonly id: string | undefined
      })
    | undefined
  readonly paramNames: readonly string[]
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly bodyType: 'json' | 'form'
  readonly responses: ReadonlyMap<number, ResponseRule>
  /** Every code it may answer, those that follow from the declaration included, by status. */
  readonly errors: readonly ErrorCode[]
  /** Erased: what a route gets is what its declaration says, so the types were checked there. */
  readonly handle: (input: RouteInput<G, unknown, unknown, unknown, unknown>) => Promise<AnyReply>
}

/** A reply after its declaration's types are gone. */
export interface AnyReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Gives the `route` function for routes that need `G` of the engine.
 *
 * @example
 * const route = routesFor<HttpEngine & { readonly sessions: Sessions }>()
 */
export function routesFor<G extends HttpEngine>() {
  return function route<
    const A extends Auth,
    // Constant, so that the status of a reply is read as 200 and not as a number.
    const R extends Responses,
    P extends Shape | undefined = undefined,
    Q extends Shape | undefined = undefined,
    B extends Shape | z.ZodType | undefined = undefined,
  >(declaration: RouteDeclaration<G, A, P, Q, B, R>): Route<G> {
    return declare(declaration as unknown as LooseDeclaration<G>)
  }
}

/** Declares a route that needs nothing of the engine but what the HTTP layer itself needs. */
export const route: ReturnType<typeof routesFor<HttpEngine>> = routesFor<HttpEngine>()

type LooseDeclaration<G> = Omit<
  Declared<G, Auth, Shape | undefined, Shape | undefined, Shape | z.ZodType | undefined, Responses>,
  'handle'
> & {
  readonly mutates: boolean
  readonly permission?: PermissionRule | null
  readonly stepUp?: string | null
  readonly audit?: AuditAction | AuditRule
  readonly handle: Route<G>['handle']
}

/** The declaration as a route. Wrong ones fail here, when the program starts, and never at a request. */
function declare<G>(declaration: LooseDeclaration<G>): Route<G> {
  const { method, path, name, auth, mutates } = declaration
  const fail = (rule: string): never => {
    throw new TypeError(`route ${name} (${method} ${path}): ${rule}`)
  }

  if (!METHODS.includes(method)) fail(`method must be one of ${METHODS.join(', ')}`)
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) fail('name must be in camel case')
  if (!/^(?:\/(?::[a-z][A-Za-z0-9]*|[A-Za-z0-9._-]+))+$/.test(path)) fail('path must be of literal and :name segments')
  if (declaration.summary === '' || declaration.tag === '') fail('summary and tag must not be empty')
  if (typeof mutates !== 'boolean') fail('mutates must say whether it changes anything')

  const permission = declaration.permission ?? undefined
  const stepUp = declaration.stepUp ?? undefined
  const audit = auditOf(declaration.audit)
  if (mutates) {
    if (method === 'GET') fail('a GET must change nothing')
    if (audit === undefined) fail('a route that mutates needs an audit action')
    if (declaration.permission === undefined) fail('a route that mutates must state its permission, or null')
    if (declaration.stepUp === undefined) fail('a route that mutates must state its step-up purpose, or null')
  }
  if (auth !== 'session' && (permission !== undefined || stepUp !== undefined)) {
    fail('only a session can hold a permission or pass a step-up: auth must be session')
  }
  for (const one of permission === undefined
    ? []
    : [typeof permission === 'string' ? permission : permission.forOthers]) {
    if (!PERMISSIONS.includes(one)) fail(`unknown permission ${one}`)
  }
  if (stepUp !== undefined && !/^[a-z][a-z_]*$/.test(stepUp)) fail('stepUp must be a purpose in snake case')
  for (const action of audit === undefined ? [] : [...audit.actions, audit.failure]) {
    if (!ACTIONS.includes(action)) fail(`unknown audit action ${action}`)
  }

  const paramNames = [...path.matchAll(/:([A-Za-z0-9]+)/g)].map((match) => match[1] as string)
  const declaredNames = Object.keys(declaration.params ?? {})
  if (paramNames.length !== declaredNames.length || !paramNames.every((one) => declaredNames.includes(one))) {
    fail(`params must be exactly those of the path: ${paramNames.join(', ') || 'none'}`)
  }
  if (audit?.id !== undefined && !paramNames.includes(audit.id)) fail(`audit.id must be a parameter of the path`)
  if (method === 'GET' && declaration.body !== undefined) fail('a GET has no body')

  const responses = new Map(Object.entries(declaration.responses).map(([status, rule]) => [Number(status), rule]))
  if (responses.size === 0) fail('responses must not be empty')
  for (const [status, { body, content }] of responses) {
    if (![200, 201, 202, 204].includes(status)) fail(`responses: ${status} is no success; throw, and list its code`)
    if (body !== undefined && content !== undefined) fail(`responses: ${status} has both a body and a content type`)
    if (status === 204 && (body !== undefined || content !== undefined)) fail('responses: 204 has no body')
  }
  for (const code of declaration.errors ?? []) {
    if (!Object.hasOwn(ERROR_STATUS, code)) fail(`errors: unknown code ${code}`)
  }

  const params = objectOf(declaration.params)
  const query = objectOf(declaration.query)
  const body = objectOf(declaration.body)
  for (const [part, schema] of Object.entries({ params, query, body })) {
    if (schema !== undefined) assertBounded(schema, (where, rule) => fail(`${part}${where}: ${rule}`))
  }

  const route: Omit<Route<G>, 'errors'> = {
    method,
    path,
    name,
    tag: declaration.tag,
    summary: declaration.summary,
    description: declaration.description,
    auth,
    mutates,
    whileImpersonating: declaration.whileImpersonating ?? (stepUp === undefined ? 'allowed' : 'refused'),
    permission,
    stepUp,
    audit,
    paramNames,
    params,
    query,
    body,
    bodyType: declaration.bodyType ?? 'json',
    responses,
    handle: declaration.handle,
  }
  return Object.freeze({ ...route, errors: errorsOf(route, declaration.errors ?? []) })
}

function auditOf(audit: AuditAction | AuditRule | undefined): Route['audit'] {
  if (audit === undefined) return undefined
  const rule: AuditRule = typeof audit === 'string' ? { action: audit } : audit
  const actions = typeof rule.action === 'string' ? ([rule.action] as const) : rule.action
  return { actions, failure: rule.failure ?? actions[0], resource: rule.resource, id: rule.id }
}

function objectOf(part: Shape | z.ZodType | undefined): z.ZodType | undefined {
  if (part === undefined || part instanceof z.ZodType) return part
  return z.strictObject(part)
}

/** What any route may answer that asks for a live session. */
const SESSION_ERRORS: readonly ErrorCode[] = [
  'INVALID_TOKEN',
  'TOKEN_EXPIRED',
  'INVALID_DPOP_PROOF',
  'SESSION_INVALIDATED',
  'SESSION_REVOKED',
  'SESSION_EXPIRED',
  'STEP_UP_REQUIRED',
  'IP_BLOCKED',
  'IP_NOT_ALLOWED',
  'UNAVAILABLE',
]

function errorsOf(route: Omit<Route<never>, 'errors'>, own: readonly ErrorCode[]): readonly ErrorCode[] {
  const { auth, permission, stepUp, method, mutates, whileImpersonating } = route
  const codes = new Set<ErrorCode>(own)
  if (auth === 'session') codes.add('MISSING_TOKEN')
  if (auth === 'session' || auth === 'optional') for (const code of SESSION_ERRORS) codes.add(code)
  if (typeof auth === 'object') {
    if (auth.optional !== true) codes.add('MISSING_TOKEN')
    codes.add('INVALID_TOKEN')
  }
  if (permission !== undefined) codes.add('FORBIDDEN')
  if (stepUp !== undefined) codes.add('STEP_UP_REQUIRED')
  // A tenant may refuse whatever changes something while somebody acts as another.
  const asSession = auth === 'session' || auth === 'optional'
  if (asSession && (mutates ? whileImpersonating !== 'always' : whileImpersonating === 'refused')) {
    codes.add('NOT_WHILE_IMPERSONATING')
  }
  // Every route refuses a parameter that it does not know.
  codes.add('INVALID_REQUEST')
  if (method !== 'GET') {
    codes.add('PAYLOAD_TOO_LARGE')
    codes.add('UNSUPPORTED_MEDIA_TYPE')
  }
  codes.add('INTERNAL')
  return [...codes].sort((a, b) => ERROR_STATUS[a] - ERROR_STATUS[b] || (a < b ? -1 : 1))
}
