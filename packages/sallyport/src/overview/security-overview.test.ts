import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import type { Caller } from '../sessions/caller.ts'
import { securityOverview } from './security-overview.ts'
import { steppedPeriod } from './steps.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('steps', () => {
  const of = (from: string, to: string) => {
    const { from: start, to: end, stepMs, count } = steppedPeriod({ from: new Date(from), to: new Date(to) })
    return [start.toISOString().slice(0, 16), end.toISOString().slice(0, 16), stepMs / HOUR, count]
  }

  test('are whole hours, days or weeks, and contain what was asked for', () => {
    expect(of('2026-05-06T10:20:00Z', '2026-05-06T10:40:00Z')).toEqual(['2026-05-06T10:00', '2026-05-06T11:00', 1, 1])
    expect(of('2026-05-01T10:20:00Z', '2026-05-08T10:20:00Z')).toEqual(['2026-05-01T09:00', '2026-05-08T12:00', 3, 57])
    expect(of('2026-03-02T10:20:00Z', '2026-05-01T00:00:00Z')).toEqual(['2026-03-02T00:00', '2026-05-01T00:00', 24, 60])
    // Weeks begin on Mondays.
    expect(of('2025-04-01T00:00:00Z', '2026-05-06T00:00:00Z')).toEqual([
      '2025-03-31T00:00',
      '2026-05-11T00:00',
      168,
      58,
    ])
  })

  test('are 61 at most, whatever is asked for', () => {
    for (let hours = 1; hours <= 400 * 24; hours += 7) {
      const from = new Date(Date.UTC(2025, 0, 1) + hours * 12_345)
      const { count, stepMs } = steppedPeriod({ from, to: new Date(from.getTime() + hours * HOUR) })
      expect(count).toBeLessThanOrEqual(61)
      expect(stepMs % HOUR).toBe(0)
    }
  })
})

describe('the overview', () => {
  let api: InProcess
  let owner: Member
  let stranger: Member
  const get = (query = '', by = owner): Promise<Sent> =>
    api.send('GET', `/api/security/overview${query}`, { token: by.accessToken })

  beforeAll(async () => {
    // In monitor mode, as the other tests have it, nothing is ever stopped.
    api = await openInProcess({ risk: { mode: 'enforce' }, mfa: { atSignIn: 'enrolled' } })
    owner = await api.signUp({ tenantName: 'Ours' })
    stranger = await api.signUp({ tenantName: 'Theirs' })
  })
  afterAll(() => api?.close())

  test('tells what was done: sign-ins, refreshes, step-ups, refusals, sessions, places and devices', async () => {
    const { secret } = await api.enrol(owner)
    await api.send('POST', '/api/auth/login', { body: { email: owner.email, password: 'wrong otters juggle' } })
    const held = await api.send('POST', '/api/auth/login', { body: { email: owner.email, password: PASSWORD } })
    expect(held.status).toBe(428)
    await api.send('POST', '/api/auth/login/step-up', { body: { stepUpToken: held.body.stepUpToken, code: '000000' } })
    const rotated = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: owner.refreshToken } })
    await api.send('POST', '/api/auth/refresh', { body: { refreshToken: owner.refreshToken } })
    expect(secret).toBeTruthy()

    const { status, body } = await get('', { ...owner, accessToken: rotated.body.accessToken })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.step).toBe(3 * 3600)
    for (const series of [body.signIns, body.refreshes, body.sessions, body.stepUps.series]) {
      expect(series).toHaveLength(body.signIns.length)
    }
    const last = body.signIns.at(-1)
    expect(new Date(last.at).getTime() + body.step * 1000).toBe(new Date(body.to).getTime())
    expect(last).toMatchObject({ success: 1, failed: 1, stepUp: 1, blocked: 0 })
    expect(body.refreshes.at(-1)).toMatchObject({ rotated: 1, replayed: 1, refused: 0, reused: 0 })
    expect(body.sessions.at(-1)).toMatchObject({ opened: 1, active: 1 })
    expect(body.stepUps).toMatchObject({ asked: 1, failed: 1, byFactor: [{ factor: 'totp', passed: 0, failed: 1 }] })
    expect(body.refusals).toEqual(
      expect.arrayContaining([
        { reason: 'INVALID_CREDENTIALS', count: 1 },
        { reason: 'INVALID_OTP', count: 1 },
      ]),
    )
    expect(body.live).toEqual({ sessions: 1, users: 1, impersonations: 0 })
    expect(body.places).toEqual([expect.objectContaining({ country: null, city: null, sessions: 1, users: 1 })])
    expect(body.devices).toEqual([expect.objectContaining({ sessions: 1 })])
    expect(body.totals).toMatchObject({ signIns: 1, failed: 1, refreshes: 2, reuse: 0, refusals: 2 })
    expect(body.previous).toMatchObject({ signIns: 0, failed: 0 })
    expect(body.alerts).toEqual([])
    const theirs = await get('', stranger)
    expect(theirs.body.totals).toMatchObject({ signIns: 1, failed: 0, refreshes: 0, refusals: 0 })
    expect(theirs.body.live.sessions).toBe(1)
  })

  test('a theft is counted and among the alerts, and what was before is compared', async () => {
    const member = await api.join(owner, 'member')
    const token = { body: { refreshToken: member.refreshToken } }
    await api.send('POST', '/api/auth/refresh', token)
    await api.advance(60_000)
    expect((await api.send('POST', '/api/auth/refresh', token)).body.error).toBe('REFRESH_TOKEN_REUSED')
    await api.advance(8 * DAY)
    // By now every session is over: somebody looks who has just signed in.
    const caller = { tenantId: owner.tenantId, permissions: new Set(['SETTINGS_SECURITY_VIEW']) }
    const body = await securityOverview(api.engine, caller as unknown as Caller)
    expect(body.totals.reuse).toBe(0)
    expect(body.previous.reuse).toBe(1)
    expect(body.alerts).toEqual([expect.objectContaining({ reason: 'reuse_detected' })])
  })

  test('a range that is none, or too long, or ahead, is refused by its field', async () => {
    await api.advance(-8 * DAY)
    const now = new Date(api.now())
    const iso = (days: number) => new Date(now.getTime() + days * DAY).toISOString()
    for (const [query, field] of [
      ['?from=yesterday', 'from'],
      ['?to=2026-02-30T00:00:00Z', 'to'],
      [`?from=${iso(-1)}&to=${iso(-2)}`, 'to'],
      [`?from=${iso(-500)}`, 'from'],
      [`?from=${iso(1)}&to=${iso(2)}`, 'from'],
    ] as const) {
      const { status, body } = await get(query)
      expect([query, status, body.error, body.field]).toEqual([query, 400, 'INVALID_RANGE', field])
    }
    const ahead = await get(`?from=${iso(-1)}&to=${iso(300)}`)
    expect(new Date(ahead.body.to).getTime()).toBeLessThanOrEqual(now.getTime() + HOUR)
    expect(ahead.body.step).toBe(3600)
  })
})
