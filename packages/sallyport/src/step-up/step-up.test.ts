import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { hashPassword } from '../directory/passwords.ts'
import { SallyportError } from '../errors.ts'
import type { FactorId } from '../ids.ts'
import { newId } from '../ids.ts'
import type { Caller } from '../sessions/caller.ts'
import { migrate } from '../store/postgres/migrate.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { stepUpStore } from '../store/postgres/step-up.ts'
import { beginTotp } from './begin-totp.ts'
import { confirmTotp } from './confirm-totp.ts'
import { factorsOf } from './factors-of.ts'
import { regenerateRecoveryCodes } from './regenerate-recovery-codes.ts'
import { removeFactor } from './remove-factor.ts'
import { requireStepUp } from './require.ts'
import { Bench, REQUEST, refusal, wrongCode } from './testing/bench.ts'
import { verifyStepUp } from './verify.ts'

const MINUTE = 60_000

let pglite: PGlite
let bench: Bench
beforeAll(async () => {
  pglite = new PGlite()
  const clock = { offsetMs: 0 }
  const database = pgliteDatabase(pglite, clock)
  await migrate(database)
  bench = new Bench({
    clock,
    store: {
      stepUp: stepUpStore(database),
      directory: {
        account: async ({ userId }: { readonly userId: string }) => {
          const [row] = await bench.rows('select password_hash as hash from users where id = $1', [userId])
          return row && { user: { disabled: false }, passwordHash: row['hash'] }
        },
      } as never,
    },
    rows: async (text, values) => (await pglite.query<Record<string, unknown>>(text, [...(values ?? [])])).rows,
  })
})
afterAll(() => pglite.close())
beforeEach(() => {
  bench.mails.length = 0
  bench.forgotten.length = 0
  bench.nextStep()
})

const verify = (caller: Caller, code: string, purpose = 'revoke_session', factor?: string) =>
  verifyStepUp(bench.engine, caller, { purpose, factor, code, request: REQUEST })
const isOpen = (caller: Caller, purpose = 'revoke_session', options = {}) =>
  refusal(requireStepUp(bench.engine, caller, purpose, options))
const begin = (caller: Caller, password?: string) => beginTotp(bench.engine, caller, { password, request: REQUEST })
const confirm = (caller: Caller, factorId: FactorId, code: string) =>
  confirmTotp(bench.engine, caller, { factorId, code, request: REQUEST })

async function factOf(promise: Promise<unknown>, fact: string): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    if (error instanceof SallyportError) return error.facts[fact]
    throw error
  }
  return undefined
}

describe('a step-up', () => {
  test('opens its purpose to its session, until the window is over', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    equal(await isOpen(caller), 'STEP_UP_REQUIRED')
    const passed = await verify(caller, app.code())
    equal(passed.purpose, 'revoke_session')
    equal(await isOpen(caller), 'passed')
    equal(await isOpen(caller), 'passed')
    bench.pass(10 * MINUTE - 1000)
    equal(await isOpen(caller), 'passed')
    bench.pass(2000)
    equal(await isOpen(caller), 'STEP_UP_REQUIRED')
  })

  test('opens no other purpose, session, tenant or person', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const sameTenant = await bench.signIn(caller)
    const otherTenant = await bench.elsewhere(caller)
    const stranger = await bench.member()
    await verify(caller, app.code())
    equal(await isOpen(caller, 'force_logout'), 'STEP_UP_REQUIRED')
    equal(await isOpen(sameTenant), 'STEP_UP_REQUIRED')
    equal(await isOpen(otherTenant), 'STEP_UP_REQUIRED')
    equal(await isOpen({ ...caller, tenantId: otherTenant.tenantId }), 'STEP_UP_REQUIRED')
    equal(await isOpen({ ...caller, userId: stranger.userId }), 'STEP_UP_REQUIRED')
    equal(await isOpen(caller), 'passed')
  })

  test('never opens anything to one who impersonates', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await verify(caller, app.code())
    const acting: Caller = { ...caller, realUserId: newId() }
    equal(await isOpen(acting), 'NOT_WHILE_IMPERSONATING')
    equal(await isOpen({ ...caller, kind: 'impersonation' }), 'NOT_WHILE_IMPERSONATING')
    bench.nextStep()
    equal(await refusal(verify(acting, app.code())), 'NOT_WHILE_IMPERSONATING')
    // The refused one did not take the code.
    equal(await refusal(verify(caller, app.code())), 'passed')
  })

  test('counts only within the window that is asked for', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await verify(caller, app.code())
    bench.pass(MINUTE)
    equal(await isOpen(caller, 'revoke_session', { windowMs: MINUTE - 1000 }), 'STEP_UP_REQUIRED')
    equal(await isOpen(caller, 'revoke_session', { windowMs: 2 * MINUTE }), 'passed')
  })

  test('ends when it said it would, whatever window a reader asks for', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const { expiresAt } = await verify(caller, app.code(), 'payout')
    const { tenantId, userId, sessionId } = caller
    const asked = { tenantId, userId, sessionId, purpose: 'payout', windowMs: 60 * MINUTE }
    equal(await bench.engine.store.stepUp.passed(asked), true)
    bench.moveTo(expiresAt.getTime() + 1)
    equal(await bench.engine.store.stepUp.passed(asked), false)
    equal(await bench.engine.store.stepUp.consume(asked), false)
  })

  test('for a single use opens once', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await verify(caller, app.code(), 'payout')
    equal(await isOpen(caller, 'payout'), 'passed')
    equal(await isOpen(caller, 'payout'), 'STEP_UP_REQUIRED')
    bench.nextStep()
    await verify(caller, app.code(), 'revoke_session')
    const twice = await Promise.all([1, 2].map(() => isOpen(caller, 'revoke_session', { singleUse: true })))
    deepEqual(twice.toSorted(), ['STEP_UP_REQUIRED', 'passed'])
    equal(await isOpen(caller, 'revoke_session'), 'STEP_UP_REQUIRED')
  })

  test('is refused with the purpose and what the person can use', async () => {
    const caller = await bench.member()
    deepEqual(await factOf(requireStepUp(bench.engine, caller, 'impersonate'), 'factors'), ['email_code'])
    await bench.enrol(caller)
    deepEqual(await factOf(requireStepUp(bench.engine, caller, 'impersonate'), 'factors'), ['totp', 'recovery_code'])
    equal(await factOf(requireStepUp(bench.engine, caller, 'impersonate'), 'purpose'), 'impersonate')
  })

  test('cannot be asked for a purpose that is not registered', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    for (const purpose of ['sign_in', 'session_risk', 'no_such_thing']) {
      equal(await factOf(verify(caller, app.code(), purpose), 'field'), 'purpose', purpose)
    }
    equal(await factOf(verify(caller, app.code(), 'payout', 'sms'), 'field'), 'factor')
    await rejects(requireStepUp(bench.engine, caller, 'no_such_thing'), TypeError)
  })

  test('confirms the newest refresh generation, and notes the moment on the user', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const confirmed = () =>
      bench.rows('select generation from refresh_tokens where session_id = $1 and confirmed_at is not null', [
        caller.sessionId,
      ])
    equal((await confirmed()).length, 0)
    const { expiresAt } = await verify(caller, app.code())
    deepEqual(await confirmed(), [{ generation: 1 }])
    const [user] = await bench.rows('select last_mfa_at as at from users where id = $1', [caller.userId])
    deepEqual(user?.['at'], new Date(expiresAt.getTime() - 10 * MINUTE))
  })

  test('is refused to a session that was ended a moment ago', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await bench.rows('update user_sessions set revoked_at = created_at where id = $1', [caller.sessionId])
    equal(await refusal(verify(caller, app.code())), 'SESSION_REVOKED')
    equal(await refusal(begin(caller)), 'SESSION_REVOKED')
    equal(await refusal(confirm(caller, app.factorId, app.code())), 'SESSION_REVOKED')
    equal(await refusal(regenerateRecoveryCodes(bench.engine, caller, { request: REQUEST })), 'SESSION_REVOKED')
    equal(
      await refusal(removeFactor(bench.engine, caller, { factorId: app.factorId, request: REQUEST })),
      'SESSION_REVOKED',
    )
  })

  test('is audited with purpose and factor, whether it passes or fails', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await refusal(verify(caller, wrongCode(app.code(), app.code(-1))))
    await verify(caller, app.code())
    const rows = (await bench.audited(caller)).filter(({ action }) => action === 'STEP_UP_VERIFIED')
    deepEqual(
      rows.map(({ outcome, reason, session }) => [outcome, reason, session]),
      [
        ['FAIL', 'INVALID_OTP', caller.sessionId],
        ['SUCCESS', null, caller.sessionId],
      ],
    )
    for (const { metadata } of rows) {
      const { purpose, factor } = metadata as Record<string, unknown>
      deepEqual([purpose, factor], ['revoke_session', 'totp'])
    }
  })
})

describe('a code', () => {
  test('is accepted once, whatever purpose or session it is given for next', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const other = await bench.signIn(caller)
    const code = app.code()
    equal(await refusal(verify(caller, code)), 'passed')
    equal(await refusal(verify(caller, code)), 'INVALID_OTP')
    equal(await refusal(verify(caller, code, 'force_logout')), 'INVALID_OTP')
    equal(await refusal(verify(other, code)), 'INVALID_OTP')
  })

  test('older than the last one used is refused', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    bench.nextStep()
    const older = app.code(-1)
    equal(await refusal(verify(caller, app.code())), 'passed')
    equal(await refusal(verify(caller, older)), 'INVALID_OTP')
  })

  test('of the step before is accepted, of two before and of the next is not', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    bench.pass(2 * MINUTE)
    equal(await refusal(verify(caller, app.code(-2))), 'INVALID_OTP')
    equal(await refusal(verify(caller, app.code(1))), 'INVALID_OTP')
    equal(await refusal(verify(caller, app.code(-1))), 'passed')
  })

  test('is judged by the clock of the database', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    // The node's own clock is years from the database's in this file.
    match(new Date().toISOString(), /^20[12]/)
    equal(await refusal(verify(caller, app.code())), 'passed')
  })

  test('from recovery is good for one use', async () => {
    const caller = await bench.member()
    const { recoveryCodes } = await bench.enrol(caller)
    const [first = '', second = ''] = recoveryCodes
    equal(
      await refusal(verify(caller, first.toLowerCase().replaceAll('-', ' '), 'revoke_session', 'recovery_code')),
      'passed',
    )
    equal(await refusal(verify(caller, first, 'force_logout', 'recovery_code')), 'INVALID_OTP')
    equal((await factorsOf(bench.engine, caller.userId)).recoveryCodes.left, 9)
    equal(await refusal(verify(caller, second, 'force_logout', 'recovery_code')), 'passed')
    const stranger = await bench.member()
    await bench.enrol(stranger)
    equal(await refusal(verify(stranger, recoveryCodes[2] as string, 'force_logout', 'recovery_code')), 'INVALID_OTP')
  })

  test('is stored nowhere in plain', async () => {
    const caller = await bench.member()
    const begun = await begin(caller)
    const code = bench.codeOf(begun.secret)
    const recoveryCodes = await confirm(caller, begun.factorId, code)
    const dump = JSON.stringify([
      await bench.rows('select * from mfa_factors where user_id = $1', [caller.userId]),
      await bench.rows(`select encode(code_hash, 'escape') as hash from recovery_codes where user_id = $1`, [
        caller.userId,
      ]),
      await bench.rows('select * from audit_logs where tenant_id = $1', [caller.tenantId]),
    ])
    for (const secret of [begun.secret, ...recoveryCodes, (recoveryCodes[0] as string).replaceAll('-', '')]) {
      equal(dump.includes(secret), false)
    }
  })
})

describe('guessing', () => {
  test('ends after five wrong codes, for every session of the person, right codes included', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const wrong = wrongCode(app.code(), app.code(-1))
    for (let guess = 0; guess < 5; guess++) {
      equal(await refusal(verify(await bench.signIn(caller), wrong)), 'INVALID_OTP', String(guess))
    }
    const fresh = await bench.signIn(caller)
    equal(await refusal(verify(fresh, wrong)), 'RATE_LIMITED')
    equal(await refusal(verify(caller, app.code(), 'force_logout')), 'RATE_LIMITED')
    equal(await refusal(verify(await bench.elsewhere(caller), app.code())), 'RATE_LIMITED')
    const wait = (await factOf(verify(fresh, wrong), 'retryAfter')) as number
    equal(wait > 14 * 60 && wait <= 15 * 60, true, String(wait))
    const blocked = (await bench.audited(caller)).at(-1)
    deepEqual([blocked?.['outcome'], blocked?.['reason']], ['FAIL', 'RATE_LIMITED'])
    // Another factor has a budget of its own, so that who guesses cannot lock the owner out.
    equal(await refusal(verify(caller, app.recoveryCodes[0] as string, 'force_logout', 'recovery_code')), 'passed')
    bench.pass(15 * MINUTE + 1000)
    equal(await refusal(verify(caller, app.code())), 'passed')
  })

  test('does not spend a code that came while it was blocked', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    for (let guess = 0; guess < 5; guess++) await refusal(verify(caller, 'no code'))
    equal(await refusal(verify(caller, app.code())), 'RATE_LIMITED')
    const [factor] = await bench.rows(
      'select last_used_at as at, verified_at as enrolled from mfa_factors where id = $1',
      [app.factorId],
    )
    deepEqual(factor?.['at'], factor?.['enrolled'])
    const [budget] = await bench.rows(`select consecutive from guess_budgets where user_id = $1 and factor = 'totp'`, [
      caller.userId,
    ])
    equal(budget?.['consecutive'], 5)
  })

  test('disables the factor after 100 in a row, tells the owner, and leaves it enrolled', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await bench.rows(`update guess_budgets set consecutive = 99 where user_id = $1 and factor = 'totp'`, [
      caller.userId,
    ])
    bench.mails.length = 0
    equal(await refusal(verify(caller, 'no code')), 'INVALID_OTP')
    deepEqual(
      bench.mails.map(({ kind, to }) => [kind, to]),
      [['factor_disabled', `${caller.userId}@example.com`]],
    )
    const last = (await bench.audited(caller)).filter(({ action }) => action === 'MFA_DISABLED')
    deepEqual(last[0]?.['metadata'], { factor: 'totp', reason: 'too_many_wrong_guesses', tokenGeneration: 1 })
    equal(await refusal(verify(caller, app.code())), 'TOTP_NOT_ENABLED')
    const factors = await factorsOf(bench.engine, caller.userId)
    equal(factors.enrolled.length, 1)
    deepEqual(factors.usable, ['recovery_code'])
    // Still enrolled: neither a young sign-in nor a password puts another in its place.
    equal(await refusal(begin(await bench.signIn(caller))), 'ALREADY_ENROLLED')
    // A recovery code brings the person back.
    await verify(caller, app.recoveryCodes[0] as string, 'security_settings', 'recovery_code')
    await removeFactor(bench.engine, caller, { factorId: app.factorId, request: REQUEST })
    const again = await bench.enrol(caller)
    equal(await refusal(verify(caller, 'no code')), 'INVALID_OTP')
    equal(await refusal(verify(caller, again.code())), 'passed')
  })

  test('the password is limited likewise', async () => {
    const caller = await bench.member()
    await bench.rows('update users set password_hash = $2 where id = $1', [
      caller.userId,
      await hashPassword('correct horse battery staple'),
    ])
    for (let guess = 0; guess < 5; guess++) equal(await refusal(begin(caller, 'wrong')), 'INVALID_CREDENTIALS')
    equal(await refusal(begin(caller, 'correct horse battery staple')), 'RATE_LIMITED')
    bench.pass(15 * MINUTE + 1000)
    for (let right = 0; right < 6; right++)
      equal(await refusal(begin(caller, 'correct horse battery staple')), 'passed')
  })
})

describe('enrolment', () => {
  test('gives the secret to an app, and counts from its confirmation', async () => {
    const caller = await bench.member()
    const begun = await begin(caller)
    match(begun.secret, /^[A-Z2-7]{32}$/)
    equal(
      begun.otpauthUrl,
      `otpauth://totp/id.example.com:${caller.userId}%40example.com?secret=${begun.secret}&issuer=id.example.com`,
    )
    match(begun.qrSvg, /^<svg [\s\S]*<\/svg>$/)
    equal(await refusal(verify(caller, bench.codeOf(begun.secret))), 'NO_FACTOR')
    equal(await refusal(verify(caller, bench.codeOf(begun.secret), 'revoke_session', 'totp')), 'TOTP_NOT_ENABLED')
    deepEqual((await factorsOf(bench.engine, caller.userId)).enrolled, [])

    const recoveryCodes = await confirm(caller, begun.factorId, bench.codeOf(begun.secret))
    equal(recoveryCodes.length, 10)
    const { enrolled, recoveryCodes: kept, usable } = await factorsOf(bench.engine, caller.userId)
    deepEqual(
      enrolled.map(({ id, type, disabledAt }) => [id, type, disabledAt]),
      [[begun.factorId, 'totp', null]],
    )
    deepEqual([kept, usable], [{ left: 10, total: 10 }, ['totp', 'recovery_code']])
    deepEqual(
      bench.mails.map(({ kind }) => kind),
      ['factor_enrolled'],
    )
    deepEqual(
      (await bench.audited(caller)).filter(({ outcome }) => outcome === 'SUCCESS').map(({ action }) => action),
      ['MFA_ENROLLED'],
    )
  })

  test('spends the code that confirmed it', async () => {
    const caller = await bench.member()
    const begun = await begin(caller)
    await confirm(caller, begun.factorId, bench.codeOf(begun.secret))
    equal(await refusal(verify(caller, bench.codeOf(begun.secret))), 'INVALID_OTP')
    bench.nextStep()
    equal(await refusal(verify(caller, bench.codeOf(begun.secret))), 'passed')
  })

  test('of a first factor asks for a young sign-in or the password', async () => {
    const caller = await bench.member()
    await bench.rows('update users set password_hash = $2 where id = $1', [
      caller.userId,
      await hashPassword('correct horse battery staple'),
    ])
    bench.pass(10 * MINUTE - 1000)
    equal(await refusal(begin(caller)), 'passed')
    bench.pass(2000)
    equal(await factOf(begin(caller), 'field'), 'password')
    // What the access token says of the sign-in is not asked.
    equal(await factOf(begin({ ...caller, authTime: new Date(8e12) }), 'field'), 'password')
    equal(await refusal(begin(caller, 'correct horse battery stable')), 'INVALID_CREDENTIALS')
    equal(await refusal(begin(caller, 'correct horse battery staple')), 'passed')
  })

  test('begun again takes the place of the one before', async () => {
    const caller = await bench.member()
    const first = await begin(caller)
    const second = await begin(caller)
    equal(await refusal(confirm(caller, first.factorId, bench.codeOf(first.secret))), 'NOT_FOUND')
    equal(await refusal(confirm(caller, second.factorId, bench.codeOf(second.secret))), 'passed')
    equal(await refusal(confirm(caller, second.factorId, bench.codeOf(second.secret))), 'ALREADY_ENROLLED')
    equal(await refusal(begin(caller)), 'ALREADY_ENROLLED')
  })

  test('can be confirmed by nobody else', async () => {
    const caller = await bench.member()
    const begun = await begin(caller)
    equal(await refusal(confirm(await bench.member(), begun.factorId, bench.codeOf(begun.secret))), 'NOT_FOUND')
  })

  test('limits guesses by the budget of the factor', async () => {
    const caller = await bench.member()
    const begun = await begin(caller)
    for (let guess = 0; guess < 3; guess++)
      equal(await refusal(confirm(caller, begun.factorId, 'no code')), 'INVALID_OTP')
    const again = await begin(caller)
    for (let guess = 0; guess < 2; guess++)
      equal(await refusal(confirm(caller, again.factorId, 'no code')), 'INVALID_OTP')
    equal(await refusal(confirm(caller, again.factorId, bench.codeOf(again.secret))), 'RATE_LIMITED')
    equal((await bench.audited(caller)).at(-1)?.['reason'], 'RATE_LIMITED')
  })
})

describe('removing a factor', () => {
  test('ends the other sessions in every tenant, and keeps the one that asked', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    const [sameTenant, otherTenant, stranger] = [
      await bench.signIn(caller),
      await bench.elsewhere(caller),
      await bench.member(),
    ]
    bench.mails.length = 0
    const { sessionsEnded } = await removeFactor(bench.engine, caller, { factorId: app.factorId, request: REQUEST })
    equal(sessionsEnded, 2)
    deepEqual(bench.forgotten.toSorted(), [sameTenant.sessionId, otherTenant.sessionId].toSorted())
    const stateOf = async ({ sessionId }: Caller) =>
      (
        await bench.rows(
          `select s.revoke_reason as session, f.revoke_reason as family, t.revoke_reason as token
            from user_sessions s join token_families f on f.session_id = s.id
            join refresh_tokens t on t.family_id = f.id and t.generation = f.generation where s.id = $1`,
          [sessionId],
        )
      )[0]
    const ended = { session: 'factor_changed', family: 'factor_changed', token: 'factor_changed' }
    const going = { session: null, family: null, token: null }
    deepEqual(await stateOf(sameTenant), ended)
    deepEqual(await stateOf(otherTenant), ended)
    deepEqual(await stateOf(caller), going)
    deepEqual(await stateOf(stranger), going)
    const [staff] = await bench.rows('select session_version as version from tenant_staff where id = $1', [
      caller.staffId,
    ])
    equal(staff?.['version'], 1)
    const actions = (await bench.audited(caller)).map(({ action }) => action)
    deepEqual(actions.slice(-2), ['MFA_DISABLED', 'SESSION_REVOKED'])
    deepEqual(
      (await bench.audited(otherTenant)).map(({ action }) => action),
      ['SESSION_REVOKED'],
    )
    deepEqual(
      bench.mails.map(({ kind }) => kind),
      ['factor_disabled'],
    )
  })

  test('takes the recovery codes of the last one along', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await removeFactor(bench.engine, caller, { factorId: app.factorId, request: REQUEST })
    const factors = await factorsOf(bench.engine, caller.userId)
    deepEqual([factors.enrolled, factors.recoveryCodes.total, factors.usable], [[], 0, []])
    equal(await refusal(verify(caller, app.recoveryCodes[0] as string, 'payout', 'recovery_code')), 'NO_FACTOR')
    equal(await refusal(regenerateRecoveryCodes(bench.engine, caller, { request: REQUEST })), 'NO_FACTOR')
  })

  test("is refused for another's, and for one that was never confirmed", async () => {
    const caller = await bench.member()
    const app = await bench.enrol(await bench.member())
    const begun = await begin(caller)
    for (const factorId of [app.factorId, begun.factorId, newId<FactorId>()]) {
      equal(await refusal(removeFactor(bench.engine, caller, { factorId, request: REQUEST })), 'NOT_FOUND')
    }
  })
})

describe('regenerating recovery codes', () => {
  test('voids all from before, and tells the owner', async () => {
    const caller = await bench.member()
    const app = await bench.enrol(caller)
    await verify(caller, app.recoveryCodes[0] as string, 'security_settings', 'recovery_code')
    bench.mails.length = 0
    const codes = await regenerateRecoveryCodes(bench.engine, caller, { request: REQUEST })
    deepEqual((await factorsOf(bench.engine, caller.userId)).recoveryCodes, { left: 10, total: 10 })
    equal(await refusal(verify(caller, app.recoveryCodes[1] as string, 'payout', 'recovery_code')), 'INVALID_OTP')
    equal(await refusal(verify(caller, codes[1] as string, 'payout', 'recovery_code')), 'passed')
    equal(bench.mails.length, 1)
    const row = (await bench.audited(caller)).find(({ action }) => action === 'RECOVERY_CODES_REGENERATED')
    deepEqual(row?.['metadata'], { unusedBefore: 9, tokenGeneration: 1 })
  })
})
