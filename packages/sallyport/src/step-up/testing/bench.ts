/**
 * An instance for tests of step-ups: people with sessions, apps that show codes, and a clock that moves.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { Mail } from '../../directory/mailer.ts'
import type { Engine } from '../../engine.ts'
import { SallyportError } from '../../errors.ts'
import type { FactorId, SessionId, StaffId, TenantId, UserId } from '../../ids.ts'
import { newId } from '../../ids.ts'
import { EventBus } from '../../internal/events.ts'
import { silent } from '../../internal/logger.ts'
import type { RequestFacts } from '../../internal/request-facts.ts'
import { resolveOptions } from '../../options.ts'
import { secretRing } from '../../secrets/secret-ring.ts'
import type { Caller } from '../../sessions/caller.ts'
import type { ClockShift, Store } from '../../store/contract/store.ts'
import { beginTotp } from '../begin-totp.ts'
import { confirmTotp } from '../confirm-totp.ts'
import { totpCode } from '../factors/totp.ts'

/** The database under test, as far as the bench uses it. */
export interface BenchDatabase {
  readonly store: Pick<Store, 'stepUp'> & Partial<Store>
  readonly clock: ClockShift
  /** Runs one statement past the store: to make people, and to look at what was written. */
  rows(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

export interface Enrolled {
  readonly factorId: FactorId
  readonly recoveryCodes: readonly string[]
  /** The code that the app shows, some steps from now. */
  readonly code: (stepsFromNow?: number) => string
}

export const REQUEST: RequestFacts = { correlationId: 'bench', ipAddress: '192.0.2.7', userAgent: 'bench/1' }

const STEP_MS = 30_000
/** Two seconds into a step, so that a test is over before the next one begins. */
const START = Date.UTC(2030, 0, 1) + 2000

export class Bench {
  readonly engine: Engine
  readonly mails: Mail[] = []
  readonly forgotten: string[] = []
  readonly #database: BenchDatabase
  #startedAt = Date.now()
  #now = START

  constructor(database: BenchDatabase) {
    this.#database = database
    const settings = resolveOptions({
      store: database.store as Store,
      issuer: 'https://id.example.com',
      secrets: ['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'],
      stepUp: { purposes: { payout: { window: '1m', singleUse: true } } },
    })
    this.engine = {
      store: database.store,
      settings,
      rateLimits: { enter: async () => ({ succeeded: async () => undefined, failed: async () => undefined }) },
      secrets: secretRing(['kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs']),
      live: {
        forget: ({ kind, ref }: { readonly kind: string; readonly ref: string }) =>
          kind === 'session' && this.forgotten.push(ref),
      },
      events: new EventBus(silent),
      mailer: { send: async (mail: Mail) => void this.mails.push(mail) },
      log: silent,
    } as unknown as Engine
    this.moveTo(START)
  }

  /** Puts the database's clock two seconds into a step that nothing was done in yet. */
  moveTo(at: number): void {
    this.#now = at
    this.#startedAt = Date.now()
    this.#database.clock.offsetMs = at - this.#startedAt
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.moveTo(this.#now + ms)
  }

  nextStep(): void {
    this.pass(STEP_MS)
  }

  codeOf(secret: string, stepsFromNow = 0): string {
    return totpCode(fromBase32(secret), Math.floor(this.#now / STEP_MS) + stepsFromNow)
  }

  /** A member of a tenant of their own, signed in now. */
  async member(): Promise<Caller> {
    const [tenantId, userId, staffId] = [newId<TenantId>(), newId<UserId>(), newId<StaffId>()]
    const at = new Date(this.#now)
    await this.rows('insert into tenants (id, slug, name, created_at) values ($1, $2, $2, $3)', [
      tenantId,
      tenantId,
      at,
    ])
    await this.rows('insert into users (id, email, name, created_at) values ($1, $2, $3, $4)', [
      userId,
      `${userId}@example.com`,
      'Ada',
      at,
    ])
    return this.signIn({ tenantId, userId, staffId }, true)
  }

  /** Another session of the same person: in the same tenant, or in another one. */
  async signIn(of: Pick<Caller, 'tenantId' | 'userId' | 'staffId'>, joining = false): Promise<Caller> {
    const { tenantId, userId, staffId } = of
    const sessionId = newId<SessionId>()
    const familyId = newId()
    const at = new Date(this.#now)
    if (joining) {
      await this.rows(
        `insert into tenant_staff (id, tenant_id, user_id, role, created_at) values ($1, $2, $3, 'owner', $4)`,
        [staffId, tenantId, userId, at],
      )
    }
    await this.rows(
      `insert into user_sessions (id, tenant_id, user_id, staff_id, kind, delivery, session_version, created_at,
        last_seen_at, expires_at, auth_time) values ($1, $2, $3, $4, 'login', 'body', 1, $5, $5, $6, $5)`,
      [sessionId, tenantId, userId, staffId, at, new Date(this.#now + 30 * 86_400_000)],
    )
    await this.rows(
      `insert into token_families (id, tenant_id, session_id, user_id, staff_id, generation, session_started_at)
        values ($1, $2, $3, $4, $5, 1, $6)`,
      [familyId, tenantId, sessionId, userId, staffId, at],
    )
    for (const generation of [0, 1]) {
      await this.rows(
        `insert into refresh_tokens (id, tenant_id, user_id, staff_id, session_id, token_hash, family_id, generation,
          secret_id, issued_at, expires_at, session_started_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 's', $9, $10, $9)`,
        [
          newId(),
          tenantId,
          userId,
          staffId,
          sessionId,
          createHash('sha256').update(`${familyId}${generation}`).digest(),
          familyId,
          generation,
          at,
          new Date(this.#now + 86_400_000),
        ],
      )
    }
    return {
      tenantId,
      userId,
      staffId,
      sessionId,
      kind: 'login',
      role: 'owner',
      permissions: new Set(),
      name: 'Ada',
      sessionVersion: 1,
      generation: 1,
      authTime: at,
      amr: ['pwd'],
      acr: 'aal1',
    }
  }

  /** The same person's session in a second tenant. */
  async elsewhere({ userId }: Caller): Promise<Caller> {
    const tenantId = newId<TenantId>()
    await this.rows('insert into tenants (id, slug, name, created_at) values ($1, $2, $2, $3)', [
      tenantId,
      tenantId,
      new Date(this.#now),
    ])
    return this.signIn({ tenantId, userId, staffId: newId<StaffId>() }, true)
  }

  /** An authenticator app, confirmed. The step of the confirmation is over. */
  async enrol(caller: Caller): Promise<Enrolled> {
    const begun = await beginTotp(this.engine, caller, { request: REQUEST })
    const recoveryCodes = await confirmTotp(this.engine, caller, {
      factorId: begun.factorId,
      code: this.codeOf(begun.secret),
      request: REQUEST,
    })
    this.nextStep()
    return { factorId: begun.factorId, recoveryCodes, code: (steps = 0) => this.codeOf(begun.secret, steps) }
  }

  /** What was audited for a tenant, oldest first. */
  async audited({ tenantId }: Pick<Caller, 'tenantId'>): Promise<readonly Record<string, unknown>[]> {
    return this.rows(
      `select action, outcome, failure_reason as reason, session_id as session, metadata from audit_logs
        where tenant_id = $1 order by created_at, id`,
      [tenantId],
    )
  }

  rows(text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
    return this.#database.rows(text, values)
  }
}

/** The code of what a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof SallyportError) return error.code
    throw error
  }
  return 'passed'
}

/** A code of six digits that none of the given ones is. */
export function wrongCode(...right: readonly string[]): string {
  for (let guess = 0; ; guess++) {
    const code = String(guess).padStart(6, '0')
    if (!right.includes(code)) return code
  }
}

function fromBase32(text: string): Buffer {
  let bits = ''
  for (const symbol of text) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(symbol).toString(2).padStart(5, '0')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
