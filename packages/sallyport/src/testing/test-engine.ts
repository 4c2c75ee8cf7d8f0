/**
 * A whole instance for tests: a database, people with sessions, and a clock that moves.
 *
 * @module
 */

import type { Engine } from '../engine.ts'
import type { StaffId, TenantId, UserId } from '../ids.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { SallyportOptions } from '../options.ts'
import type { RefreshInput, RefreshOutcome } from '../refresh-tokens/refresh.ts'
import { refresh } from '../refresh-tokens/refresh.ts'
import type { Sallyport } from '../sallyport.ts'
import { sallyport } from '../sallyport.ts'
import type { CreateSessionInput } from '../sessions/create.ts'
import { createSession } from '../sessions/create.ts'
import type { IssuedSession } from '../sessions/issued.ts'
import { openInMemory } from '../store/pglite/open.ts'
import type { Database, SqlValue } from '../store/postgres/database.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { boundDatabase } from '../store/postgres/testing/bound-database.ts'
import { insertMember, rowsOf } from '../store/postgres/testing/harness.ts'

export const TEST_SECRET = 'kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'
export const REQUEST: RequestFacts = { correlationId: 'test', ipAddress: '192.0.2.7', userAgent: 'curl/8.5.0' }

export interface TestMember {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly staffId: StaffId
}

/** Somebody with a session. */
export type TestSession = TestMember & IssuedSession

export interface TestEngine {
  readonly instance: Sallyport
  readonly engine: Engine
  readonly database: Database
  /** Lets time pass, by the database's clock, and tells the node. */
  pass(ms: number): Promise<void>
  member(of?: { readonly tenantId?: TenantId; readonly userId?: UserId; readonly role?: string }): Promise<TestMember>
  signIn(member?: TestMember, input?: Partial<CreateSessionInput>): Promise<TestSession>
  refresh(refreshToken: unknown, input?: Partial<RefreshInput>): Promise<RefreshOutcome>
  /** What a request with this access token is refused with; `live` where it is let in. */
  access(accessToken: string | undefined): Promise<string>
  /** What was audited for a tenant, oldest first. */
  audited(tenantId: TenantId): Promise<readonly Record<string, unknown>[]>
  /** Looks past the store at what was written. */
  rows<Row = Record<string, unknown>>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>
  close(): Promise<void>
}

/**
 * Starts an instance.
 *
 * @param database Where everything is kept. Defaults to an embedded one in memory, of this instance alone.
 */
export async function testEngine(
  options: Partial<Omit<SallyportOptions, 'store'>> = {},
  database?: Database,
): Promise<TestEngine> {
  const used = boundDatabase(database ?? pgliteDatabase(await openInMemory()))
  const instance = sallyport({
    issuer: 'https://id.example.com',
    secrets: [TEST_SECRET],
    ...options,
    store: postgresStore(used),
  })
  await instance.start()
  const { engine } = instance
  const member: TestEngine['member'] = (of) => insertMember(used, of)
  const rows: TestEngine['rows'] = (text, values) => rowsOf(used, text, values)
  return {
    instance,
    engine,
    database: used,
    async pass(ms) {
      used.clock.offsetMs += ms
      await engine.live.poll()
    },
    member,
    async signIn(given, input = {}) {
      const { tenantId, userId, staffId } = given ?? (await member())
      const issued = await createSession(engine, {
        tenantId,
        userId,
        staffId,
        userName: 'Ada',
        amr: ['pwd'],
        request: REQUEST,
        cause: { action: 'AUTH_LOGIN' },
        ...input,
      })
      if (issued === undefined) throw new TypeError('the sign-in was refused')
      return { tenantId, userId, staffId, ...issued }
    },
    refresh: (refreshToken, input) => refresh(engine, { refreshToken, request: REQUEST, ...input }),
    async access(accessToken) {
      try {
        await instance.authenticate(accessToken)
        return 'live'
      } catch (error) {
        return (error as { readonly code: string }).code
      }
    },
    audited: (tenantId) =>
      rows(
        `select action, outcome, failure_reason as reason, user_id, session_id, metadata, created_at from audit_logs
          where tenant_id = $1 order by created_at, id`,
        [tenantId],
      ),
    rows,
    close: () => instance.close(),
  }
}

/** What a refresh came to, in a word: the kind, or the code that it was refused with. */
export function inAWord(outcome: RefreshOutcome): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind
}

/** The tokens of a refresh that succeeded. */
export function tokensOf(outcome: RefreshOutcome): { readonly refreshToken: string; readonly accessToken: string } {
  if (outcome.kind === 'refused') throw new TypeError(`refused: ${outcome.code}`)
  return outcome
}
