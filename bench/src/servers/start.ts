/**
 * What a server process is told, and how it listens.
 *
 * @module
 */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The OAuth client of the reference that has such. */
export const CLIENT_ID = 'bench'

export interface StartServer {
  readonly kind: string
  /** The database that it shares with the others. */
  readonly url: string
  /** The server secret of the library's instances. */
  readonly secret: string
}

/** Listens on any free port of this machine. */
export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** For servers that must be told where to listen. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await listening(probe)
  await new Promise((resolve) => probe.close(resolve))
  return port
}
