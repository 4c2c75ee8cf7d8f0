import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import type { Caller } from '../../sessions/caller.ts'
import { requireStepUp } from '../../step-up/require.ts'
import { Bench } from '../../step-up/testing/bench.ts'
import { migrate } from '../../store/postgres/migrate.ts'
import { pgliteDatabase } from '../../store/postgres/pglite.ts'
import { stepUpStore } from '../../store/postgres/step-up.ts'
import type { FetchHandler } from '../app.ts'
import { createHandler } from '../app.ts'
import type { FailedRequest } from '../engine.ts'
import type { ApiEngine } from './engine.ts'
import { mfaRoutes } from './mfa.ts'
import { stepUpRoutes } from './step-up.ts'

let pglite: PGlite
let bench: Bench
let handler: FetchHandler
let caller: Caller
const failures: FailedRequest[] = []

beforeAll(async () => {
  pglite = new PGlite()
  const clock = { offsetMs: 0 }
  const database = pgliteDatabase(pglite, clock)
  await migrate(database)
  bench = new Bench({
    clock,
    store: { stepUp: stepUpStore(database) },
    rows: async (text, values) => (await pglite.query<Record<string, unknown>>(text, [...(values ?? [])])).rows,
  })
  const guard: ApiEngine = {
    engine: bench.engine,
    authenticate: () => caller,
    requireStepUp: (who, purpose) => requireStepUp(bench.engine, who, purpose),
    checkImpersonation: () => undefined,
    recordFailure: async (failure) => void failures.push(failure),
    log: { error: () => undefined },
  }
  handler = createHandler({ guard, routes: [...stepUpRoutes, ...mfaRoutes], checkReplies: true })
})
afterAll(() => pglite.close())
beforeEach(async () => {
  caller = await bench.member()
  failures.length = 0
})

async function send(method: string, path: string, body?: unknown) {
  const response = await handler(
    new Request(`http://localhost/api/security${path}`, {
      method,
      headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  )
  const answer = (await response.json()) as Record<string, unknown>
  return { status: response.status, headers: response.headers, answer }
}

async function enrol() {
  const { answer } = await send('POST', '/mfa/totp', {})
  const confirmed = await send('POST', '/mfa/totp/confirm', {
    factorId: answer['factorId'],
    code: bench.codeOf(String(answer['secret'])),
  })
  equal(confirmed.status, 200)
  bench.nextStep()
  return { factorId: String(answer['factorId']), code: () => bench.codeOf(String(answer['secret'])) }
}

describe('second factors over HTTP', () => {
  test('are enrolled, listed, used and removed', async () => {
    const app = await enrol()
    const listed = await send('GET', '/mfa')
    equal(listed.status, 200)
    equal(listed.answer['recoveryCodesLeft'], 10)
    deepEqual(listed.answer['usable'], ['totp', 'recovery_code'])
    equal(JSON.stringify(listed.answer).includes('secret'), false)

    const unmet = await send('DELETE', `/mfa/factors/${app.factorId}`)
    deepEqual(
      [unmet.status, unmet.answer['error'], unmet.answer['purpose']],
      [428, 'STEP_UP_REQUIRED', 'security_settings'],
    )
    deepEqual(unmet.answer['factors'], ['totp', 'recovery_code'])
    equal(failures.length, 1)

    const passed = await send('POST', '/step-up/verify', { purpose: 'security_settings', code: app.code() })
    equal(passed.status, 200)
    deepEqual([passed.answer['success'], passed.answer['purpose']], [true, 'security_settings'])
    match(String(passed.answer['expiresAt']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

    const regenerated = await send('POST', '/mfa/recovery-codes')
    equal((regenerated.answer['recoveryCodes'] as string[]).length, 10)
    const removed = await send('DELETE', `/mfa/factors/${app.factorId}`)
    deepEqual([removed.status, removed.answer], [200, { success: true, sessionsEnded: 0 }])
  })

  test('refuse in the words of the API, and write one row for each refusal', async () => {
    const none = await send('POST', '/step-up/verify', { purpose: 'revoke_session', code: '123456' })
    deepEqual([none.status, none.answer['error']], [400, 'NO_FACTOR'])
    const asked = await send('POST', '/step-up/verify', { purpose: 'revoke_session', factor: 'totp', code: '123456' })
    deepEqual([asked.status, asked.answer['error']], [400, 'TOTP_NOT_ENABLED'])
    await enrol()
    for (let guess = 0; guess < 5; guess++) {
      const wrong = await send('POST', '/step-up/verify', { purpose: 'revoke_session', code: 'wrong' })
      deepEqual([wrong.status, wrong.answer['error']], [400, 'INVALID_OTP'])
    }
    const blocked = await send('POST', '/step-up/verify', { purpose: 'revoke_session', code: 'wrong' })
    deepEqual([blocked.status, blocked.answer['error']], [429, 'RATE_LIMITED'])
    const wait = blocked.headers.get('retry-after')
    equal(Number(wait) > 800, true)
    deepEqual(
      [blocked.headers.get('ratelimit'), blocked.headers.get('ratelimit-policy')],
      [`"guesses";r=0;t=${wait}`, null],
    )
    // Written by the operation, in the transaction that counted the guess.
    equal(failures.length, 0)
    equal((await bench.audited(caller)).filter(({ outcome }) => outcome === 'FAIL').length, 8)
  })

  test('say with too many mails what was met, and when there is more', async () => {
    const ask = () => send('POST', '/step-up/email-code', { purpose: 'revoke_session' })
    for (let mail = 0; mail < 3; mail++) ok((await ask()).status < 300)
    const blocked = await ask()
    const wait = blocked.headers.get('retry-after')
    deepEqual([blocked.status, blocked.headers.get('ratelimit')], [429, `"email-codes";r=0;t=${wait}`])
  })

  test.each([
    [{ purpose: 'sign_in', code: '123456' }, 'purpose'],
    [{ purpose: 'no_such_thing', code: '123456' }, 'purpose'],
    [{ purpose: 'revoke_session', factor: 'sms', code: '123456' }, 'factor'],
    [{ purpose: 'revoke_session', code: 123_456 }, 'code'],
    [{ purpose: 'revoke_session', code: '1'.repeat(65) }, 'code'],
    [{ purpose: 'revoke_session', code: '123456', session: 'x' }, 'session'],
  ])('name the field that is wrong in %j', async (body, field) => {
    const { status, answer } = await send('POST', '/step-up/verify', body)
    deepEqual([status, answer['error'], answer['field']], [400, 'INVALID_REQUEST', field])
  })
})
