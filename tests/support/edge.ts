/**
 * What stands between a browser and the service: one origin with a page of its own, whose answers a test can lose, delay and replace.
 *
 * @module
 */

import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpRequest } from 'node:http'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** What becomes of a request. */
export type Fate =
  /** It is served. */
  | 'pass'
  /** It never arrives. */
  | 'drop-request'
  /** It is served, and its answer gets lost. */
  | 'drop-answer'
  /** It is served, and its answer breaks off in the middle. */
  | 'cut-answer'
  /** Nothing is heard of it until it is given up. */
  | 'stall'
  /** It is answered in the service's place. */
  | { readonly status: number; readonly body: unknown }

export interface Passing {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
  readonly origin: string | undefined
}

export interface Edge {
  /** `http://localhost:PORT`: a secure context to a browser, for which cookies need no `Secure`. */
  readonly origin: string
  /** Where to pass things on to, in turn. Set once the nodes are there. */
  upstreams: readonly string[]
  fate: (passing: Passing) => Fate | Promise<Fate>
  /** Every request below `/api`, in the order of arrival. */
  readonly passed: Passing[]
  close(): Promise<void>
}

const CLIENT = fileURLToPath(new URL('../../packages/client/dist/index.js', import.meta.url))
const PAGE = '<!doctype html><title>page</title><script src="/sallyport.js"></script>'

let bundled: Promise<string> | undefined

/** The built client as a script of a page: `sallyport.createClient(…)`. */
function clientScript(): Promise<string> {
  bundled ??= rolldown({ input: CLIENT })
    .then((bundle) => bundle.generate({ format: 'iife', name: 'sallyport' }))
    .then(({ output: [{ code }] }) => code)
  return bundled
}

export async function startEdge(): Promise<Edge> {
  const script = await clientScript()
  const agent = new Agent({ keepAlive: true })
  const server: Server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy())
  })
  // Both families: a browser tries `localhost` as it likes.
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the edge has no port')
  let turn = 0

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    if (path === '/sallyport.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
      return
    }
    if (!path.startsWith('/api/')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
      return
    }
    const { authorization, origin } = request.headers
    const passing = { method: request.method ?? '', path, token: authorization?.slice('Bearer '.length), origin }
    if (passing.method !== 'OPTIONS') edge.passed.push(passing)
    const fate = passing.method === 'OPTIONS' ? 'pass' : await edge.fate(passing)
    if (fate === 'stall') return
    if (fate === 'drop-request') {
      request.socket.destroy()
      return
    }
    if (typeof fate === 'object') {
      response.writeHead(fate.status, {
        'content-type': fate.status < 400 ? 'application/json' : 'application/problem+json',
        // As the service has it for a listed origin.
        ...(origin !== undefined && {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
        }),
      })
      response.end(JSON.stringify(fate.body))
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const upstream = new URL(edge.upstreams[turn++ % edge.upstreams.length] as string)
    const forwarded = httpRequest({
      agent,
      host: upstream.hostname,
      port: upstream.port,
      path,
      method: request.method,
      headers: request.headers,
    })
    forwarded.end(Buffer.concat(chunks))
    const [answer] = (await once(forwarded, 'response')) as [IncomingMessage]
    const body: Buffer[] = []
    for await (const chunk of answer) body.push(chunk as Buffer)
    const whole = Buffer.concat(body)
    if (fate === 'drop-answer') {
      request.socket.destroy()
      return
    }
    // Each on a line of its own: cookies may not be joined.
    response.writeHead(
      answer.statusCode ?? 502,
      answer.rawHeaders.filter((_, index, all) => !isHop(all, index)),
    )
    if (fate === 'cut-answer') {
      response.write(whole.subarray(0, whole.length / 2), () => request.socket.destroy())
      return
    }
    response.end(whole)
  }

  const edge: Edge = {
    origin: `http://localhost:${address.port}`,
    upstreams: [],
    fate: () => 'pass',
    passed: [],
    async close() {
      server.closeAllConnections()
      server.close()
      agent.destroy()
      await once(server, 'close')
    },
  }
  return edge
}

/** Names and values alternate. */
function isHop(headers: readonly string[], index: number): boolean {
  return /^(?:transfer-encoding|connection|keep-alive)$/i.test(headers[index - (index % 2)] ?? '')
}
