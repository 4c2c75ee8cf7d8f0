import { deepEqual, equal } from 'node:assert/strict'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Caller } from '../../packages/sallyport/src/sessions/caller.ts'
import { beginTotp } from '../../packages/sallyport/src/step-up/begin-totp.ts'
import { confirmTotp } from '../../packages/sallyport/src/step-up/confirm-totp.ts'
import { GUESS_RULES } from '../../packages/sallyport/src/step-up/guess-rules.ts'
import { regenerateRecoveryCodes } from '../../packages/sallyport/src/step-up/regenerate-recovery-codes.ts'
import { requireStepUp } from '../../packages/sallyport/src/step-up/require.ts'
import { Bench, REQUEST, refusal } from '../../packages/sallyport/src/step-up/testing/bench.ts'
import { verifyStepUp } from '../../packages/sallyport/src/step-up/verify.ts'
import { newId } from '../../packages/sallyport/src/ids.ts'
import type { Database } from '../../packages/sallyport/src/store/postgres/database.ts'
import { migrate } from '../../packages/sallyport/src/store/postgres/migrate.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import { stepUpStore } from '../../packages/sallyport/src/store/postgres/step-up.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

const MANY = 50

describe.skipIf(!hasPostgres)('step-ups on PostgreSQL', () => {
  let made: TestDatabase
  let database: Database
  let pool: pg.Pool
  let bench: Bench

  beforeAll(async () => {
    made = await createDatabase()
    const clock = { offsetMs: 0 }
    database = nodePostgres({ url: made.url, clock })
    await migrate(database)
    pool = new pg.Pool({ connectionString: made.url, max: 2 })
    // Dropping the database ends what is still closing.
    pool.on('error', () => undefined)
    bench = new Bench({
      clock,
      store: { stepUp: stepUpStore(database) },
      rows: async (text, values) => (await pool.query<Record<string, unknown>>(text, [...(values ?? [])])).rows,
    })
  })
  afterAll(async () => {
    await database?.close()
    await pool?.end()
    await made?.drop()
  })
  beforeEach(() => bench.nextStep())

  const verify = (caller: Caller, code: string, factor?: string, purpose = 'revoke_session') =>
    refusal(verifyStepUp(bench.engine, caller, { purpose, factor, code, request: REQUEST }))
  const atOnce = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: MANY }, (_, index) => work(index)))
  const count = (outcomes: readonly string[], wanted: string) => outcomes.filter((one) => one === wanted).length

  test('of many that give one code at once, one passes', async () => {
    const caller = await bench.member()
    const other = await bench.elsewhere(caller)
    const app = await bench.enrol(caller)
    const code = app.code()
    const outcomes = await atOnce((index) => verify(index % 2 === 0 ? caller : other, code))
    equal(count(outcomes, 'passed'), 1)
    // The others were wrong ones, five of which are looked at.
    deepEqual([count(outcomes, 'INVALID_OTP'), count(outcomes, 'RATE_LIMITED')], [5, MANY - 6])
    const challenges = await bench.rows('select id from step_up_challenges where user_id = $1', [caller.userId])
    equal(challenges.length, 1)
  })

  test('of many wrong codes at once, through sessions of their own, five are looked at', async () => {
    const caller = await bench.member()
    await bench.enrol(caller)
    const sessions = await atOnce(() => bench.signIn(caller))
    let looked = 0
    const outcomes = await atOnce(async (index) => {
      const { tenantId, userId, sessionId } = sessions[index] as Caller
      const outcome = await bench.engine.store.stepUp.verify(
        {
          tenantId,
          userId,
          sessionId,
          challengeId: newId(),
          purpose: 'revoke_session',
          windowMs: 60_000,
          proof: {
            factor: 'totp',
            stepOf: () => {
              looked++
              return undefined
            },
          },
          guesses: GUESS_RULES,
          ipAddress: null,
          userAgent: null,
        },
        () => [],
      )
      return outcome.kind
    })
    deepEqual([looked, count(outcomes, 'wrong'), count(outcomes, 'blocked')], [5, 5, MANY - 5])
  })

  test('six wrong codes spread over sessions block all of them', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const outcomes: string[] = []
    for (let guess = 0; guess < 6; guess++) outcomes.push(await verify(await bench.signIn(caller), 'no code'))
    equal(count(outcomes, 'INVALID_OTP'), 5)
    equal(outcomes[5], 'RATE_LIMITED')
    equal(await verify(caller, app.code()), 'RATE_LIMITED')
    const audited = (await bench.audited(caller)).filter(({ action }) => action === 'STEP_UP_VERIFIED')
    deepEqual(
      audited.map(({ reason }) => reason),
      [...Array.from({ length: 5 }, () => 'INVALID_OTP'), 'RATE_LIMITED', 'RATE_LIMITED'],
    )
  })

  test('of many that give one recovery code at once, one passes', async () => {
    const caller = await bench.member()
    const { recoveryCodes } = await bench.enrol(caller)
    const outcomes = await atOnce(() => verify(caller, recoveryCodes[0] as string, 'recovery_code'))
    equal(count(outcomes, 'passed'), 1)
  })

  test('of many that confirm one app at once, one does, and its recovery codes are the ones kept', async () => {
    const caller = await bench.member()
    const begun = await beginTotp(bench.engine, caller, { request: REQUEST })
    const code = bench.codeOf(begun.secret)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        confirmTotp(bench.engine, caller, { factorId: begun.factorId, code, request: REQUEST }),
      ),
    )
    const confirmed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    equal(confirmed.length, 1)
    equal((await bench.engine.store.stepUp.factors(caller.userId)).recoveryCodes.total, 10)
    equal(await verify(caller, confirmed[0]?.[0] as string, 'recovery_code'), 'passed')
  })

  test('of many that regenerate recovery codes at once, the codes of one remain', async () => {
    const caller = await bench.member()
    await bench.enrol(caller)
    await Promise.all(
      Array.from({ length: 8 }, () => regenerateRecoveryCodes(bench.engine, caller, { request: REQUEST })),
    )
    deepEqual((await bench.engine.store.stepUp.factors(caller.userId)).recoveryCodes, { left: 10, total: 10 })
  })

  test('a single use is used once, by however many at once', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    equal(await verify(caller, app.code(), 'totp', 'payout'), 'passed')
    const outcomes = await atOnce(() => refusal(requireStepUp(bench.engine, caller, 'payout')))
    equal(count(outcomes, 'passed'), 1)
  })

  test('a step-up that another call is about to use does not hold up the one beside it', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    equal(await verify(caller, app.code(), 'totp', 'payout'), 'passed')
    const client = new pg.Client({ connectionString: made.url })
    await client.connect()
    try {
      await client.query('begin')
      await client.query('update step_up_challenges set consumed_at = verified_at where session_id = $1', [
        caller.sessionId,
      ])
      bench.nextStep()
      equal(await verify(caller, app.code(), 'totp', 'payout'), 'passed')
      equal(await refusal(requireStepUp(bench.engine, caller, 'payout')), 'passed')
      await client.query('commit')
    } finally {
      await client.end()
    }
    equal(await refusal(requireStepUp(bench.engine, caller, 'payout')), 'STEP_UP_REQUIRED')
  })

  test('a rotation beside a step-up leaves no unconfirmed successor', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const client = new pg.Client({ connectionString: made.url })
    await client.connect()
    try {
      await client.query('begin')
      await client.query('update token_families set generation = 2 where session_id = $1', [caller.sessionId])
      const passing = verify(caller, app.code())
      // Until it waits for the family that the rotation holds.
      for (;;) {
        const [waiting] = await bench.rows(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        if (waiting !== undefined) break
      }
      await client.query(
        `insert into refresh_tokens (id, tenant_id, user_id, session_id, token_hash, family_id, generation, secret_id,
            issued_at, expires_at, session_started_at)
          select $2, tenant_id, user_id, session_id, sha256(id::text::bytea), family_id, 2, secret_id, issued_at, expires_at,
            session_started_at from refresh_tokens where session_id = $1 and generation = 1`,
        [caller.sessionId, newId()],
      )
      await client.query('commit')
      equal(await passing, 'passed')
    } finally {
      await client.end()
    }
    const confirmed = await bench.rows(
      'select generation from refresh_tokens where session_id = $1 and confirmed_at is not null',
      [caller.sessionId],
    )
    deepEqual(confirmed, [{ generation: 2 }])
  })
})
