/**
 * One request of the service: its own pages first, everything else to the engine; timed, counted, and never left unanswered.
 *
 * @module
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Outbox, Sallyport } from 'sallyport'
import type { Logger } from 'pino'
import { plain } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { HEADERS, HSTS, json, problem } from './answers.ts'
import type { ConsoleHandler } from './console/serve-console.ts'
import { answerOutbox, maySeeOutbox } from './outbox.ts'
import { rootPage } from './root-page.ts'

/** Serves one request of a peer at `remoteAddress`. Never rejects. */
export type Handler = (request: Request, remoteAddress: string | undefined) => Promise<Response>

export interface HandlerOptions {
  readonly guard: Sallyport
  readonly basePath: string
  /** Whether the issuer is https: then no answer leaves without saying so. */
  readonly secure: boolean
  readonly log: Logger
  readonly metrics: Metrics
  /** Set where /metrics is on this port, to whoever knows the token. */
  readonly metricsToken: string | undefined
  /** Set where mails are kept in place of being sent. */
  readonly outbox: Outbox | undefined
  /** The console, or why there is none. */
  readonly console: ConsoleHandler | 'off' | 'not-built'
  /** Whether the service has begun to stop. */
  readonly stopping: () => boolean
}

type Page = (request: Request, remoteAddress: string | undefined) => Response | Promise<Response>

export function createHandler(options: HandlerOptions): Handler {
  const { guard, log, metrics, secure, console, basePath, outbox } = options
  const pages = pagesOf(options)
  const logsRequests = log.isLevelEnabled('debug')

  /** The API first, without a look at anything else: it is what nearly every request is for. */
  function ofConsole(path: string, request: Request, remoteAddress: string | undefined): Response | undefined {
    if (typeof console === 'string' || path.startsWith(`${basePath}/`)) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
    const response = console(path, request, {
      seeOutbox: outbox !== undefined && maySeeOutbox(request, remoteAddress),
    })
    return response !== undefined && request.method === 'HEAD' ? new Response(null, response) : response
  }

  function secured(response: Response): Response {
    if (secure) response.headers.set('strict-transport-security', HSTS)
    return response
  }

  return async function handle(request, remoteAddress) {
    const started = performance.now()
    const { method } = request
    const path = pathOf(request.url)
    let response: Response
    try {
      const page = pages.get(path)
      const ours =
        page === undefined ? ofConsole(path, request, remoteAddress) : await own(page, request, remoteAddress)
      // The engine's answers say so themselves, and are not opened again.
      response = ours === undefined ? await guard.handler(request, { remoteAddress }) : secured(ours)
    } catch (error) {
      response = secured(problem(500, 'INTERNAL', 'Something went wrong.'))
      log.error({ err: error, requestId: response.headers.get('x-request-id') }, 'a request failed')
    }
    const { status } = response
    const milliseconds = performance.now() - started
    metrics.request(method, path, status, milliseconds / 1000)
    // At info a request that went well costs nothing: its record is in the audit log.
    if (status >= 500 || logsRequests) {
      const requestId = response.headers.get('x-request-id') ?? undefined
      const fields = { requestId, method, path: plain(path), status, ms: Math.round(milliseconds * 10) / 10 }
      if (status >= 500) log.warn(fields, 'request')
      else log.debug(fields, 'request')
    }
    return response
  }
}

async function own(page: Page, request: Request, remoteAddress: string | undefined): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem(405, 'METHOD_NOT_ALLOWED', 'This path answers GET alone.', { allow: 'GET, HEAD' })
  }
  const response = await page(request, remoteAddress)
  return request.method === 'HEAD' ? new Response(null, response) : response
}

function pagesOf({
  guard,
  basePath,
  metrics,
  metricsToken,
  outbox,
  console,
  stopping,
}: HandlerOptions): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>([
    ['/healthz', () => json(200, { ok: true })],
    ['/readyz', async () => answerReady(guard, stopping())],
  ])
  if (typeof console === 'string') pages.set('/', rootPage({ basePath, outbox: outbox !== undefined, console }))
  if (metricsToken !== undefined)
    pages.set('/metrics', async (request) => answerMetrics(metrics, metricsToken, request))
  if (outbox !== undefined) {
    pages.set(`${basePath}/dev/outbox`, (request, remoteAddress) => answerOutbox(outbox, request, remoteAddress))
  }
  return pages
}

async function answerReady(guard: Sallyport, stopping: boolean): Promise<Response> {
  const { ok, checks } = await guard.ready()
  return json(ok && !stopping ? 200 : 503, { ok: ok && !stopping, checks, ...(stopping ? { stopping } : {}) })
}

/** The metrics, with a bearer token where one is asked for. */
export async function answerMetrics(metrics: Metrics, token: string | undefined, request: Request): Promise<Response> {
  if (token !== undefined && !isBearer(request.headers.get('authorization'), token)) {
    return problem(401, 'INVALID_TOKEN', 'This needs the metrics token.', { 'www-authenticate': 'Bearer' })
  }
  return new Response(await metrics.page(), { headers: { ...HEADERS, 'content-type': metrics.contentType } })
}

function isBearer(authorization: string | null, token: string): boolean {
  // Hashed, so that the comparison takes as long for a guess of any length.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))
}

/** The path alone: a query may hold what no log should. Built without a `URL`, because it runs for every request. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start === -1) return '/'
  const mark = url.indexOf('?', start)
  return mark === -1 ? url.slice(start) : url.slice(start, mark)
}
