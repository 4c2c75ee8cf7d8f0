/**
 * A whole instance for tests of the directory: an embedded database, an outbox, and a clock that moves.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { Engine } from '../../packages/sallyport/src/engine.ts'
import { SallyportError } from '../../packages/sallyport/src/errors.ts'
import type { RequestFacts } from '../../packages/sallyport/src/internal/request-facts.ts'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import type { Sallyport } from '../../packages/sallyport/src/sallyport.ts'
import { sallyport } from '../../packages/sallyport/src/sallyport.ts'
import type { Caller } from '../../packages/sallyport/src/sessions/caller.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { postgresStore } from '../../packages/sallyport/src/store/postgres/store.ts'
import { boundDatabase } from '../../packages/sallyport/src/store/postgres/testing/bound-database.ts'
import type { MailKind } from '../../packages/sallyport/src/directory/mailer.ts'
import { Outbox } from '../../packages/sallyport/src/directory/outbox.ts'
import { signUp } from '../../packages/sallyport/src/directory/sign-up.ts'
import type { SignedIn } from '../../packages/sallyport/src/directory/signed-in.ts'

export const REQUEST: RequestFacts = { correlationId: 'bench', ipAddress: '192.0.2.7', userAgent: 'bench/1' }
export const PASSWORD = 'seven purple otters juggle'
export const OTHER_PASSWORD = 'nine velvet herons whistle'

export interface Bench {
  readonly instance: Sallyport
  readonly engine: Engine
  readonly outbox: Outbox
  /** Does something when this much more time has passed by the database's clock. */
  later<T>(ms: number, work: () => Promise<T>): Promise<T>
  /** Looks past the store at what was written. */
  rows(text: string): Promise<readonly Record<string, unknown>[]>
  /** Signs a new tenant up; whatever is left out is made up. */
  owner(input?: { readonly email?: string; readonly name?: string; readonly tenantName?: string }): Promise<SignedIn>
  /** Who calls with this session. */
  caller(signedIn: SignedIn): Promise<Caller>
  /** The token of the newest mail of this kind to this address. */
  token(to: string, kind: MailKind): string
  close(): Promise<void>
}

export async function openBench(
  database: Database,
  options: Partial<Omit<SallyportOptions, 'store'>> = {},
): Promise<Bench> {
  const outbox = new Outbox()
  const store = postgresStore(boundDatabase(database))
  await store.migrate()
  const instance = sallyport({
    issuer: 'https://id.example.com',
    secrets: ['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'],
    mailer: outbox,
    // A test asks more often than any person.
    rateLimits: 'off',
    ...options,
    store,
  })
  await instance.start()
  const { engine } = instance
  let made = 0
  return {
    instance,
    engine,
    outbox,
    async later(ms, work) {
      try {
        database.clock.offsetMs += ms
        await engine.live.poll()
        return await work()
      } finally {
        database.clock.offsetMs -= ms
        // Else the node goes on by the clock of its last poll, and takes the next session for a week old.
        await engine.live.poll()
      }
    },
    rows: (text) =>
      database.run({ name: `bench_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`, text }, []),
    async owner({ email = `owner-${++made}@example.com`, name = 'Olive Owner', tenantName = 'Acme' } = {}) {
      const outcome = await signUp(engine, { email, password: PASSWORD, name, tenantName, request: REQUEST })
      if (outcome.kind !== 'signed-up') throw new TypeError('the sign-up goes on by mail')
      return outcome
    },
    caller: async ({ issued }) => instance.authenticate(issued.accessToken),
    token(to, kind) {
      const token = outbox.messages(to).findLast((mail) => mail.kind === kind)?.token
      if (token === undefined) throw new TypeError(`no ${kind} to ${to}`)
      return token
    },
    close: () => instance.close(),
  }
}

/** What a call was refused with, `done` where it was not. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    if (error instanceof SallyportError) return error.code
    throw error
  }
}

/** The error that a call is refused with. */
export async function refusalOf(work: Promise<unknown>): Promise<SallyportError> {
  try {
    await work
  } catch (error) {
    if (error instanceof SallyportError) return error
    throw error
  }
  throw new TypeError('it was not refused')
}
