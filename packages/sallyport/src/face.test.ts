import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Mail } from './directory/mailer.ts'
import type { SallyportError } from './errors.ts'
import { pglite } from './pglite.ts'
import type { Sallyport } from './sallyport.ts'
import { sallyport } from './sallyport.ts'

const SECRET = 'kMsxTnoR7XDBZAzXUvPvZ5SbAlyZ1z0IFCHRvpkSZXs'
const PERSON = {
  tenant: { externalId: 'acme', name: 'Acme' },
  user: { externalId: 'u-1', name: 'Petra', email: 'petra@example.com' },
  amr: ['pwd', 'otp'],
  request: { ipAddress: '192.0.2.7', userAgent: 'host/1' },
}

describe('an instance without HTTP', () => {
  let guard: Sallyport
  const mails: Mail[] = []

  beforeAll(async () => {
    guard = sallyport({
      store: await pglite(),
      issuer: 'https://app.example.com',
      secrets: [SECRET],
      risk: { thresholds: { rapidSessions: 0 } },
      mailer: { send: async (mail) => void mails.push(mail) },
    })
  })
  afterAll(() => guard.close())

  test('sessions.create starts a session for whom the host has authenticated, and keeps one shadow row each', async () => {
    const [first, second] = [await guard.sessions.create(PERSON), await guard.sessions.create(PERSON)]
    expect(second.session.userId).toBe(first.session.userId)
    expect(second.session.id).not.toBe(first.session.id)
    const caller = await guard.authenticate(first.accessToken)
    expect([caller.sessionId, caller.acr, caller.role]).toEqual([first.session.id, 'aal2', 'member'])
    const { sessions } = await guard.sessions.list(caller)
    expect(sessions).toHaveLength(2)
    expect(await guard.sessions.revokeOthers(caller)).toEqual({ revoked: 1 })
    await expect(async () => guard.authenticate(second.accessToken)).rejects.toMatchObject({ code: 'SESSION_REVOKED' })
  })

  test('tokens.refresh rotates, and logout ends the session', async () => {
    const issued = await guard.sessions.create(PERSON)
    const request = { ipAddress: '192.0.2.7' }
    const rotated = await guard.tokens.refresh({ refreshToken: issued.refreshToken, request })
    expect(rotated.kind).toBe('rotated')
    await guard.sessions.logout({ accessToken: issued.accessToken, request })
    await expect(async () => guard.authenticate(issued.accessToken)).rejects.toMatchObject({ code: 'SESSION_REVOKED' })
  })

  test('the token-level API issues, rotates and tells a second use', async () => {
    const { session } = await guard.sessions.create(PERSON)
    const { tenantId, userId } = session
    const { raw } = await guard.tokens.generateRefreshToken('3d', { tenantId, userId, visitorId: 'device-1' })
    expect(await guard.tokens.verifyRefreshToken(raw)).toMatchObject({ valid: true, userId, visitorId: 'device-1' })
    expect(await guard.tokens.consumeAndVerifyRefreshToken(raw)).toMatchObject({ valid: true, userId })
    expect(await guard.tokens.consumeAndVerifyRefreshToken(raw)).toMatchObject({ valid: false, reason: 'reused' })
  })

  test('stepUp.require demands the purpose, naming the factors that the person can use', async () => {
    const { accessToken } = await guard.sessions.create(PERSON)
    const caller = await guard.authenticate(accessToken)
    await expect(guard.stepUp.require(caller, 'revoke_session')).rejects.toMatchObject({
      code: 'STEP_UP_REQUIRED',
      // With none enrolled, the code by mail.
      facts: { purpose: 'revoke_session', factors: ['email_code'] },
    })
  })

  test('a sign-in of the host is scored: it is asked for a second factor, which completes it', async () => {
    const person = { ...PERSON, user: { ...PERSON.user, externalId: 'u-2', email: 'mo@example.com' } }
    const from = (deviceFingerprint: string) => ({ ...person.request, deviceFingerprint })
    await guard.sessions.create({ ...person, request: from('laptop') })
    const risky = { ...person, amr: ['pwd'], request: { ...from('other'), userAgent: 'other/1' } }
    const held = sallyport({
      store: guard.store,
      issuer: 'https://app.example.com',
      secrets: [SECRET],
      risk: { stepUpAt: 30, thresholds: { rapidSessions: 0 } },
      mailer: { send: async (mail) => void mails.push(mail) },
    })
    await held.start()
    const refusal = await held.sessions.create(risky).then(
      () => undefined,
      (error: SallyportError) => error,
    )
    expect([refusal?.code, refusal?.facts['reasons'], refusal?.facts['factors']]).toEqual([
      'STEP_UP_REQUIRED',
      ['NEW_DEVICE'],
      ['email_code'],
    ])
    const stepUpToken = String(refusal?.facts['stepUpToken'])
    const { request } = risky
    await held.stepUp.sendEmailCode({ stepUpToken }, { purpose: 'sign_in', request })
    const code = mails.findLast(({ to }) => to === 'mo@example.com')?.code
    const issued = await held.stepUp.completeSignIn({ stepUpToken, factor: 'email_code', code, request })
    expect(issued.session.amr.slice(0, 1)).toEqual(['pwd'])
    expect((await held.authenticate(issued.accessToken)).sessionId).toBe(issued.session.id)
    const [row] = await held.store.audit
      .page({ tenantId: issued.session.tenantId, limit: 1000 })
      .then((rows) =>
        rows.filter(({ action, sessionId }) => action === 'AUTH_LOGIN' && sessionId === issued.session.id),
      )
    expect(row?.metadata).toMatchObject({ by: 'host', factor: 'email_code', score: 30, reasons: ['NEW_DEVICE'] })

    // A second factor that the host has asked for itself is one.
    const strong = await held.sessions.create({ ...risky, amr: ['pwd', 'otp'], request: from('third') })
    expect(strong.session.amr).toEqual(['pwd', 'otp'])
  })

  test('a refresh that is answered 428 goes on when the risk is verified', async () => {
    const person = { ...PERSON, user: { ...PERSON.user, externalId: 'u-3', email: 'ro@example.com' } }
    const request = { ...person.request, deviceFingerprint: 'phone' }
    const { refreshToken } = await guard.sessions.create({ ...person, request })
    await guard.tokens.refresh({ refreshToken, request: { ...request, deviceFingerprint: 'thief' } })
    const asked = await guard.tokens.refresh({ refreshToken, request })
    expect(asked).toMatchObject({ kind: 'refused', code: 'STEP_UP_REQUIRED' })
    const stepUpToken = String(asked.kind === 'refused' && asked.facts?.['stepUpToken'])
    await guard.stepUp.sendEmailCode({ stepUpToken }, { purpose: 'session_risk', request })
    const code = mails.findLast(({ to }) => to === 'ro@example.com')?.code
    const passed = await guard.stepUp.verifyRisk(stepUpToken, { factor: 'email_code', code, request })
    expect(passed.purpose).toBe('session_risk')
    await expect(guard.stepUp.passkeyOptions({ stepUpToken }, { purpose: 'session_risk' })).rejects.toMatchObject({
      code: 'NO_FACTOR',
    })
    expect((await guard.tokens.refresh({ refreshToken, request })).kind).toBe('rotated')
  })

  test('the hard stop holds for the sign-ins of a host too', async () => {
    const strict = sallyport({ store: guard.store, issuer: 'https://app.example.com', secrets: [SECRET] })
    await strict.start()
    const person = { ...PERSON, user: { ...PERSON.user, externalId: 'u-4', email: 'vi@example.com' } }
    for (let count = 0; count < 4; count++) await strict.sessions.create(person)
    await expect(strict.sessions.create(person)).rejects.toMatchObject({
      code: 'SESSION_BLOCKED',
      facts: { reason: 'rapid_token_creation' },
    })
  })

  test("audit.record writes the host's own event, and refuses what cannot be hashed", async () => {
    const { session } = await guard.sessions.create(PERSON)
    await guard.audit.record({ tenantId: session.tenantId, action: 'PLAN_CHANGED', newValue: { plan: 'pro' } })
    const rows = await guard.store.audit.page({ tenantId: session.tenantId, limit: 1 })
    expect(rows[0]).toMatchObject({ action: 'PLAN_CHANGED', newValue: { plan: 'pro' } })
    const endless: Record<string, unknown> = { n: Number.NaN }
    await expect(guard.audit.record({ tenantId: null, action: 'PLAN_CHANGED', newValue: endless })).rejects.toThrow(
      TypeError,
    )
  })
})
