/**
 * The world that the demo's past happens in: a second engine on the same database, whose clock stands where the story is. What it
 * leaves is what the engine itself wrote at that time: sessions, tokens, audit rows, seals and checkpoints.
 *
 * It is never there in production: the clock of a production database cannot be moved.
 *
 * @module
 */

import type { Logger } from 'pino'
import type { OutboxMessage, Sallyport, Store } from 'sallyport'
import { Outbox, sallyport } from 'sallyport'
import { CommandError } from '../cli/report.ts'
import type { Config } from '../config.ts'
import { secretsOf } from '../config/secrets-file.ts'
import type { Clock } from '../open-store.ts'
import type { Device } from './cast.ts'
import { placeOf } from './cast.ts'

export type Body = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly body: Body
}

export interface Call {
  readonly from: Device
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below the base path. */
  readonly path: string
  readonly body?: Body | undefined
  readonly bearer?: string | undefined
}

export interface World {
  readonly guard: Sallyport
  now(): Date
  /** Lets time pass until then. It never goes back. */
  at(moment: Date): Promise<void>
  pass(ms: number): Promise<void>
  call(call: Call): Promise<Answer>
  /** The same, where anything but a success is a fault of the story. */
  must(call: Call): Promise<Body>
  /** The newest mail of a kind to an address that was not asked for before. */
  mailed(to: string, kind: OutboxMessage['kind']): Promise<OutboxMessage>
  /** Seals and signs the tenant's log, as of now. */
  seal(tenantId: string): Promise<void>
  /** Puts the clock right, and leaves the database open. */
  close(): Promise<void>
}

export interface WorldOptions {
  readonly config: Pick<Config, 'issuer' | 'secrets' | 'dataDir' | 'engine'>
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
}

export async function openWorld({ config, store, clock, log }: WorldOptions): Promise<World> {
  const { basePath = '/api', audit, audience } = config.engine
  const outbox = new Outbox()
  const read = new Set<OutboxMessage>()
  const guard = sallyport({
    // What the service is configured to allow is for those who use it; the story needs its own ways.
    basePath,
    audience,
    audit: { witness: audit?.witness },
    issuer: config.issuer,
    secrets: config.secrets ?? secretsOf(config.dataDir),
    // The database stays the service's.
    store: { ...store, close: async () => undefined },
    geo: { lookup: placeOf },
    rateLimits: 'off',
    jobs: { schedule: false },
    mailer: outbox,
    log,
  })
  await guard.start()
  const { live, writeBehind } = guard.engine

  const at: World['at'] = async (moment) => {
    const ahead = moment.getTime() - live.date().getTime()
    // Two things at one moment happen one after the other.
    if (ahead <= 0 && clock.offsetMs !== 0) return
    await writeBehind.flush()
    clock.offsetMs += ahead
    await live.poll()
  }

  const call: World['call'] = async ({ from, method = 'POST', path, body, bearer }) => {
    const response = await guard.handler(
      new Request(`${config.issuer}${basePath}${path}`, {
        method,
        headers: {
          'user-agent': from.userAgent,
          ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        },
        ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
      }),
      { remoteAddress: from.address },
    )
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, body: isJson ? (JSON.parse(text) as Body) : {} }
  }

  return {
    guard,
    now: () => live.date(),
    at,
    pass: (ms) => at(new Date(live.date().getTime() + ms)),
    call,
    async must(what) {
      const { status, body } = await call(what)
      if (status >= 200 && status <= 299) return body
      throw new CommandError(
        `the demo could not be made: ${what.path} was answered ${status} ${String(body['error'])}: ${String(body['detail'])}`,
      )
    },
    // Mail goes out after the answer.
    async mailed(to, kind) {
      for (let waited = 0; waited < 5_000; waited += 5) {
        const mail = outbox.messages(to).findLast((one) => one.kind === kind && !read.has(one))
        if (mail !== undefined) {
          read.add(mail)
          return mail
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      throw new CommandError(`the demo could not be made: no ${kind} for ${to} arrived`)
    },
    async seal(tenantId) {
      await guard.audit.checkpoint(tenantId)
    },
    async close() {
      // At the moment that the story has come to, still: what is written last belongs there.
      await guard.close()
      clock.offsetMs = 0
    },
  }
}
