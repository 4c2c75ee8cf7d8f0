/**
 * Turns a list of routes into the Fetch handler that serves them, every guard in one order for all.
 *
 * The order: size and type of the body by their headers, authentication, permission, impersonation, input, step-up, handler.
 * Permission stands before input, so that one who may not call a route learns nothing from it but that; step-up stands
 * after input, so that nobody is asked for a code on behalf of a request that would be refused as malformed.
 *
 * @module
 */

import { redact } from '../audit/redact.ts'
import type { ErrorCode } from '../errors.ts'
import { invalidField, SallyportError } from '../errors.ts'
import { isFailureRecorded } from '../internal/recorded-failure.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Caller } from '../sessions/caller.ts'
import { checkBodyHeaders, readBody } from './body.ts'
import type { Connection } from './client-address.ts'
import type { Credential } from './credential.ts'
import { credentialOf } from './credential.ts'
import type { HttpEngine } from './engine.ts'
import { shownName } from './json.ts'
import { textFault } from './plain-text.ts'
import type { HeaderLine } from './problem.ts'
import { asSallyportError, problem } from './problem.ts'
import { decodeOnce, parseQuery } from './query.ts'
import type { Edge } from './request-facts.ts'
import { requestFacts } from './request-facts.ts'
import type { AnyReply, Route } from './route.ts'
import { type Match, routerOf } from './router.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { validate } from './validate.ts'

/** Serves one request. Never rejects: whatever goes wrong is answered. */
export type FetchHandler = (request: Request, connection?: Connection) => Promise<Response>

export interface AppOptions<G extends HttpEngine> {
  readonly guard: G
  readonly routes: readonly Route<G>[]
  /** Where the API is mounted. Defaults to `/api`. */
  readonly basePath?: string
  /**
   * Holds every reply and every error code to the route's declaration and answers 500 where they differ, so that a test
   * run shows documentation that does not tell the truth. Defaults to false: it costs a parse of each answer.
   */
  readonly checkReplies?: boolean
  /** Whose headers about the client are believed. Defaults to nobody's. */
  readonly edge?: Edge
  /** What every answer carries. Defaults to what it must. */
  readonly always?: Readonly<Record<string, string>>
}

type RawBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

const NO_QUERY: Readonly<Record<string, string>> = Object.freeze({})

/** Builds the handler. Throws `TypeError` for routes that cannot stand beside each other. */
export function createHandler<G extends HttpEngine>({
  guard,
  routes,
  basePath = '/api',
  checkReplies = false,
  edge = {},
  always = SECURITY_HEADERS,
}: AppOptions<G>): FetchHandler {
  if (!/^(?:\/[A-Za-z0-9._-]+)*$/.test(basePath)) throw new TypeError('basePath must be empty or like /api')
  const router = routerOf(routes, basePath)

  return async function handle(request, connection) {
    const { method } = request
    const facts = requestFacts(request, connection, edge)
    try {
      const { path, query } = partsOf(request.url)
      const found = router.find(method === 'HEAD' ? 'GET' : method, path)
      const response =
        found === undefined ? unmatched(method, path, facts) : await serve(found, { path, query }, request, facts)
      if (method !== 'HEAD') return response
      await response.body?.cancel()
      return new Response(null, { status: response.status, headers: response.headers })
    } catch (cause) {
      // Only a defect of this layer gets here; the client is still owed an answer, and the operator the cause.
      logFault(guard, 'none', facts, asSallyportError(cause))
      return problem(asSallyportError(undefined), { requestId: facts.correlationId, basePath, always })
    }
  }

  function unmatched(method: string, path: string, facts: RequestFacts): Response {
    const allowed = router.allowed(path)
    const known = allowed.length > 0
    const error = known
      ? new SallyportError(
          'METHOD_NOT_ALLOWED',
          `This path does not answer ${/^[A-Z]{1,16}$/.test(method) ? method : 'this method'}.`,
        )
      : new SallyportError('NOT_FOUND', 'There is nothing at this path.')
    const headers: readonly HeaderLine[] = known ? [['allow', allowed.join(', ')]] : []
    return problem(error, { requestId: facts.correlationId, basePath, always, headers })
  }

  async function serve(
    match: Match<G>,
    { path, query: queryText }: { readonly path: string; readonly query: string },
    request: Request,
    facts: RequestFacts,
  ): Promise<Response> {
    const { route } = match
    const { auth, permission } = route
    const added: HeaderLine[] = []
    let caller: Caller | undefined
    let credential: Credential | undefined
    let guarding = true
    try {
      if (route.method !== 'GET') checkBodyHeaders(request, route.bodyType)

      if (auth !== 'none') {
        credential = credentialOf(request, path)
        if (typeof auth !== 'object') {
          if (auth === 'session' || credential !== undefined) caller = await guard.authenticate(credential, facts)
        } else if (credential === undefined && auth.optional !== true) {
          throw new SallyportError('MISSING_TOKEN', 'This needs an Authorization header.')
        }
      }

      if (caller !== undefined) {
        if (typeof permission === 'string' && !caller.permissions.has(permission)) {
          throw new SallyportError('FORBIDDEN', `This needs the permission ${permission}.`)
        }
        if (caller.kind === 'impersonation') await guard.checkImpersonation(caller, route)
      }

      const params = route.params === undefined ? undefined : validate(route.params, decodeParams(match), 'params')
      const query = queryOf(route, queryText)
      const body = route.method === 'GET' ? undefined : await bodyOf(route, request)

      if (route.stepUp !== undefined) await guard.requireStepUp(caller as Caller, route.stepUp, facts)

      guarding = false
      const reply = await route.handle({
        guard,
        request: facts,
        caller: caller as undefined,
        credential: (typeof auth === 'object' ? credential : undefined) as undefined,
        path,
        params: params as undefined,
        query: query as undefined,
        body: body as undefined,
        headers: request.headers,
        addHeader: (name, value) => void added.push([name, value]),
      })
      if (checkReplies) checkReply(route, reply)
      return answer(route, reply, { always, requestId: facts.correlationId, added })
    } catch (thrown) {
      let error = asSallyportError(thrown)
      if (checkReplies && !guarding && !isDeclared(route, error.code)) {
        error = new SallyportError('INTERNAL', `route ${route.name} does not declare ${error.code}`, { cause: thrown })
      }
      if (error.status >= 500) logFault(guard, route.name, facts, error)
      if (!isFailureRecorded(thrown)) await recordFailure(match, error, facts, caller)
      return problem(error, { requestId: facts.correlationId, basePath, always, headers: added })
    }
  }

  /**
   * One FAIL row for each refused or failed request of a route that names an audit action, at whatever guard it ended.
   * An operation that has written the row itself marks its error with `failureRecorded`.
   */
  async function recordFailure(
    match: Match<G>,
    error: SallyportError,
    request: RequestFacts,
    caller: Caller | undefined,
  ): Promise<void> {
    const { route } = match
    if (route.audit === undefined) return
    const { failure: action, resource } = route.audit
    try {
      await guard.recordFailure({
        action,
        code: error.code,
        caller,
        request,
        resource,
        resourceId: resourceIdOf(match),
      })
    } catch (cause) {
      // Nothing was changed, so the refusal stands without its row; the log keeps what the row would have said.
      guard.log.error('a failed request could not be recorded', {
        route: route.name,
        action,
        code: error.code,
        requestId: request.correlationId,
        userId: caller?.userId,
        cause: redact(describe(cause)),
      })
    }
  }
}

/** Path and query of an absolute URL, without building a `URL`: this runs for every request. */
function partsOf(url: string): { path: string; query: string } {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return { path: '/', query: '' }
  const hash = url.indexOf('#', start)
  const end = hash < 0 ? url.length : hash
  const mark = url.indexOf('?', start)
  if (mark < 0 || mark > end) return { path: url.slice(start, end), query: '' }
  return { path: url.slice(start, mark), query: url.slice(mark + 1, end) }
}

function decodeParams({ params }: Match<never>): Record<string, string> {
  const decoded: Record<string, string> = {}
  for (const name of Object.keys(params)) {
    const value = decodeOnce(params[name] as string, name)
    const fault = textFault(value)
    if (fault !== undefined) throw invalidField(name, fault)
    decoded[name] = value
  }
  return decoded
}

function queryOf(route: Route<never>, text: string): unknown {
  if (route.query !== undefined) return validate(route.query, text === '' ? NO_QUERY : parseQuery(text), 'query')
  if (text !== '') {
    for (const name of Object.keys(parseQuery(text))) {
      throw invalidField(shownName(name), 'is not a parameter of this request')
    }
  }
  return undefined
}

async function bodyOf(route: Route<never>, request: Request): Promise<unknown> {
  const value = await readBody(request, route.bodyType)
  if (route.body !== undefined) return validate(route.body, value, 'body')
  // Clients often send {} where there is nothing to say; anything more would be ignored, and so is refused.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidField('body', 'must be empty')
  for (const name of Object.keys(value)) throw invalidField(shownName(name), 'is not a field of this request')
  return undefined
}

/** The id in the path, if it is one at all: a row names no resource by text that a client made up. */
function resourceIdOf(match: Match<never>): string | undefined {
  const { audit, params } = match.route
  if (audit?.id === undefined || params === undefined) return undefined
  try {
    const value = (validate(params, decodeParams(match), 'params') as Record<string, unknown>)[audit.id]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

interface AnswerHeaders {
  readonly always: Readonly<Record<string, string>>
  readonly requestId: string
  readonly added: readonly HeaderLine[]
}

function answer(
  route: Route<never>,
  { status, body, headers: own }: AnyReply,
  { always, requestId, added }: AnswerHeaders,
): Response {
  const content = route.responses.get(status)?.content
  const type = content ?? 'application/json; charset=utf-8'
  // The spread last: what is added to one has a hidden class of its own each time, at two microseconds a member.
  const headers: Record<string, string> =
    status === 204
      ? { 'x-request-id': requestId, ...always }
      : { 'x-request-id': requestId, 'content-type': type, ...always }
  const payload = status === 204 ? null : content === undefined ? JSON.stringify(body) : (body as RawBody)
  if (own !== undefined) Object.assign(headers, own)
  const repeated: HeaderLine[] = []
  for (const line of added) {
    if (line[0] in headers) repeated.push(line)
    else headers[line[0]] = line[1]
  }
  // A plain object where no name comes twice: Headers are built and read back by what writes the answer, which each request would pay.
  if (repeated.length === 0) return new Response(payload, { status, headers })
  const all = new Headers(headers)
  for (const [name, value] of repeated) all.append(name, value)
  return new Response(payload, { status, headers: all })
}

/** Reads the reply back as a client would and holds it to the declaration. */
function checkReply(route: Route<never>, { status, body }: AnyReply): void {
  const rule = route.responses.get(status)
  if (rule === undefined) throw new TypeError(`route ${route.name} answers ${status}, which it does not declare`)
  if (rule.body === undefined) return
  const result = rule.body.safeParse(JSON.parse(JSON.stringify(body)))
  if (!result.success) {
    const { path, message } = result.error.issues[0] as { path: PropertyKey[]; message: string }
    throw new TypeError(
      `route ${route.name} answers ${status} against its schema: ${path.map(String).join('.')}: ${message}`,
    )
  }
}

function isDeclared(route: Route<never>, code: ErrorCode): boolean {
  return route.errors.includes(code) || code === 'UNAVAILABLE' || code === 'CONFIG_INVALID'
}

function logFault(guard: HttpEngine, route: string, facts: RequestFacts, error: SallyportError): void {
  guard.log.error('a request failed', {
    route,
    code: error.code,
    requestId: facts.correlationId,
    cause: redact(describe(error)),
  })
}

/** An error and what caused it, without the values that database libraries put into their messages. */
function describe(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error
  return {
    name: error.name,
    message: withoutParameters(error.message),
    stack: withoutParameters(error.stack ?? ''),
    ...(error.cause === undefined || depth > 4 ? {} : { cause: describe(error.cause, depth + 1) }),
  }
}

/** "Failed query: … params: …" would carry whatever was bound: addresses, hashes, names. */
function withoutParameters(text: string): string {
  return text.replaceAll(/\bparams: [\s\S]*?(?=\n\s+at |$)/g, 'params: [redacted]')
}
