/**
 * Several nodes on one database, served without sockets, with their mails and a clock of the database that a test moves.
 *
 * @module
 */

import type { Mail } from '../../packages/sallyport/src/directory/mailer.ts'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import type { Sallyport } from '../../packages/sallyport/src/sallyport.ts'
import { sallyport } from '../../packages/sallyport/src/sallyport.ts'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { ClockShift } from '../../packages/sallyport/src/store/contract/store.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { postgresStore } from '../../packages/sallyport/src/store/postgres/store.ts'
import { boundDatabase } from '../../packages/sallyport/src/store/postgres/testing/bound-database.ts'
import { createDatabase } from './postgres.ts'
import { STEP_MS, wrongTotpCode } from './totp.ts'

export const ISSUER = 'http://localhost:4600'
const SECRET = 'b7Wv0yQ2n8Jm4KpTz6Xc1RfLd5HgAs9EuYiOo3MwVtQ'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // What a test reads of an answer is what it asserts.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export interface Nodes {
  readonly mails: Mail[]
  readonly clock: ClockShift
  readonly database: Database
  node(index: number): Sallyport
  /** Sends to one of the nodes, in turn where none is named. */
  send(
    method: string,
    path: string,
    body?: unknown,
    options?: {
      readonly token?: string | undefined
      readonly node?: number
      readonly address?: string
      readonly headers?: Readonly<Record<string, string>>
    },
  ): Promise<Answer>
  rows(text: string, values?: readonly never[]): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export async function startNodes(count: number, options: Partial<SallyportOptions> = {}): Promise<Nodes> {
  const made = await createDatabase()
  const clock: ClockShift = { offsetMs: 0 }
  const mails: Mail[] = []
  const databases = Array.from({ length: count }, () => boundDatabase(nodePostgres({ url: made.url, clock })))
  const nodes = databases.map((database) =>
    sallyport({
      store: postgresStore(database),
      issuer: ISSUER,
      secrets: [SECRET],
      // All requests of a test come from one address.
      rateLimits: 'off',
      mailer: { send: async (mail) => void mails.push(mail) },
      ...options,
    }),
  )
  const [first] = nodes
  if (first === undefined) throw new TypeError('nodes: at least one')
  await first.store.migrate()
  for (const node of nodes) await node.start()
  let turn = 0
  const database = databases[0] as Database
  return {
    mails,
    clock,
    database,
    node: (index) => nodes[index] as Sallyport,
    async send(method, path, body, { token, node = turn++ % count, address = '203.0.113.9', headers } = {}) {
      const response = await (nodes[node] as Sallyport).handler(
        new Request(`${ISSUER}/api${path}`, {
          method,
          headers: {
            'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
        { remoteAddress: address },
      )
      return { status: response.status, headers: response.headers, body: await response.json() }
    },
    rows: (text, values = []) => database.run({ name: `test ${text}`.slice(0, 60), text }, values),
    async close() {
      for (const node of nodes) await node.close()
      await made.drop()
    },
  }
}

/** An authenticator app on the database's clock. Each code is of a step of its own: the clock is moved for it. */
export class App {
  readonly #secret: string
  readonly #clock: ClockShift

  constructor(secret: string, clock: ClockShift) {
    this.#secret = secret
    this.#clock = clock
  }

  /** The code that the app shows now. */
  get code(): string {
    return totpCode(this.#secret, new Date(Date.now() + this.#clock.offsetMs))
  }

  /** The code of a step that nothing was done in yet. */
  next(): string {
    this.#clock.offsetMs += STEP_MS
    return this.code
  }

  /** Six digits that are none of the accepted ones. */
  wrong(): string {
    return wrongTotpCode(this.#secret, Date.now() + this.#clock.offsetMs)
  }
}
