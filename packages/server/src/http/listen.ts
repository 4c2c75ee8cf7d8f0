/**
 * Listens for HTTP, with limits on how long a client may take, and stops without cutting anybody off.
 *
 * @module
 */

import { createServer, STATUS_CODES } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { SallyportError } from 'sallyport'
import { HEADERS, HSTS, problem } from './answers.ts'
import type { Handler } from './handler.ts'

export interface Listener {
  readonly port: number
  /** Stops accepting, waits for what is being answered, and cuts off what is not done in time. */
  stop(graceMs: number): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Whether the issuer is https: what never reaches the handler says so too. */
  readonly secure: boolean
}

/**
 * @throws SallyportError `CONFIG_INVALID` when the address cannot be listened on.
 */
export async function listen(handle: Handler, { host, port, secure }: ListenOptions): Promise<Listener> {
  const always: Readonly<Record<string, string>> = secure ? { 'strict-transport-security': HSTS } : {}
  const listener = getRequestListener(
    (request, env) => handle(request, (env as HttpBindings).incoming.socket.remoteAddress),
    // A host or a path that no URL can be made of; the handler itself never rejects.
    { errorHandler: () => problem(400, 'INVALID_REQUEST', 'This is not a well-formed request.', always) },
  )
  const server = createServer(
    {
      // A client that sends its headers or its body a byte at a time holds a socket no longer than this.
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 2_000,
      // Longer than the minute that balancers commonly keep a connection for, so that they are the ones to close it.
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerUnreadable(error, socket, always))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)))
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, stop: (graceMs) => stop(server, graceMs) }
}

/** What Node could not read as HTTP is answered by hand, with the headers of every other answer. */
function answerUnreadable(
  { code }: NodeJS.ErrnoException,
  socket: Duplex,
  always: Readonly<Record<string, string>>,
): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const headers = { ...HEADERS, ...always, connection: 'close', 'content-length': '0' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`)
}

async function stop(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that is kept alive becomes idle when its answer is out, and would otherwise be waited for.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
  server.closeIdleConnections()
  await closed
  clearInterval(sweep)
  clearTimeout(cutOff)
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): SallyportError {
  const rules: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use by another program: stop it, or set PORT',
    EACCES: 'may not be used by this user: set PORT to 1024 or higher',
    EADDRNOTAVAIL: 'is no address of this machine: set HOST',
    ENOTFOUND: 'is no address of this machine: set HOST',
  }
  const rule = rules[error.code ?? ''] ?? `cannot be listened on (${error.code ?? error.message})`
  return new SallyportError('CONFIG_INVALID', `${host}:${port} ${rule}`, { cause: error })
}
