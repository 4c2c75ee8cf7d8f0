/**
 * A TCP proxy between a node and its database, which a test can cut, stall or slow down.
 *
 * @module
 */

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** Drops every connection and refuses new ones, as a server does that is gone. */
  cut(): void
  /** Keeps connections open and lets nothing through, as a network does that swallows packets. */
  stall(): void
  restore(): void
  close(): Promise<void>
}

export async function startProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let mode: 'open' | 'cut' | 'stalled' = 'open'
  const server = createServer((inbound) => {
    if (mode === 'cut') {
      inbound.destroy()
      return
    }
    const outbound = connect(target.port, target.host)
    const pair = [inbound, outbound] as const
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      inbound.destroy()
      outbound.destroy()
    }
    for (const socket of pair) socket.on('error', end).on('close', end)
    inbound.pipe(outbound)
    outbound.pipe(inbound)
    if (mode === 'stalled') for (const socket of pair) socket.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const cut = (): void => {
    mode = 'cut'
    for (const [inbound, outbound] of pairs) {
      inbound.destroy()
      outbound.destroy()
    }
  }
  return {
    port: address.port,
    cut,
    stall() {
      mode = 'stalled'
      for (const [inbound, outbound] of pairs) {
        inbound.unpipe(outbound)
        outbound.unpipe(inbound)
        inbound.pause()
        outbound.pause()
      }
    },
    restore() {
      // What was stalled is out of step with its peer; a client opens a new connection.
      if (mode === 'stalled') cut()
      mode = 'open'
    },
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
