import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import type { Signal } from './facts.ts'
import type { Replayed, ReplayPolicy } from './replay.ts'
import { replayRisk } from './replay.ts'

/** What the host's signal says of the next request: the whole score, since nothing else about these requests is odd. */
let points = 0
const host: Signal = {
  name: 'HOST',
  points: 1,
  soft: false,
  find: () => (points === 0 ? undefined : { evidence: { points }, points }),
}
const risk = { signals: [host], thresholds: { rapidSessions: 0 } } as const
const scoring = (mode: 'enforce' | 'monitor', blockEndsSessions = false) =>
  openInProcess({ risk: { ...risk, mode, blockEndsSessions } })
/** With a second factor at each sign-in of those who have one. */
const asking = (mode: 'enforce' | 'monitor') =>
  openInProcess({ risk: { ...risk, mode }, mfa: { atSignIn: 'enrolled' } })

/** Sends one request that is scored with these points. */
async function scored(given: number, send: () => Promise<Sent>): Promise<Sent> {
  points = given
  try {
    return await send()
  } finally {
    points = 0
  }
}

const login = (api: InProcess, { email }: Member): Promise<Sent> =>
  api.send('POST', '/api/auth/login', { body: { email, password: PASSWORD } })
const refresh = (api: InProcess, { refreshToken }: Member): Promise<Sent> =>
  api.send('POST', '/api/auth/refresh', { body: { refreshToken } })

/** The newest row with a score. */
async function newestRow(api: InProcess, { tenantId }: Member) {
  const [row] = await api.rows(`select action, outcome, metadata from audit_logs
    where tenant_id = '${tenantId}' and metadata ? 'score' order by created_at desc, id desc limit 1`)
  return row as { action: string; outcome: string; metadata: Record<string, unknown> }
}

const BOUNDARIES = [
  { score: 59, status: 200, level: undefined },
  { score: 60, status: 428, level: 'elevated' },
  { score: 89, status: 428, level: 'elevated' },
  { score: 90, status: 401, level: 'critical' },
] as const
const REQUESTS = [
  { at: 'sign-in', send: login, passed: 'AUTH_LOGIN', purpose: 'sign_in' },
  { at: 'refresh', send: refresh, passed: 'AUTH_TOKEN_REFRESH', purpose: 'session_risk' },
] as const
const actionOf = (status: number, passed: string): string =>
  status === 200 ? passed : status === 428 ? 'STEP_UP_REQUIRED' : 'SUSPICIOUS_LOGIN_DETECTED'
const CASES = REQUESTS.flatMap((request) => BOUNDARIES.map((boundary) => ({ ...request, ...boundary })))

describe('the policy over HTTP', () => {
  let api: InProcess
  beforeAll(async () => {
    api = await scoring('enforce')
  })
  afterAll(() => api?.close())

  const versionOf = async ({ staffId }: Member): Promise<unknown> =>
    (await api.rows(`select session_version from tenant_staff where id = '${staffId}'`))[0]?.['session_version']

  test.each(CASES)('a $at at $score is answered $status, with the reasons of its audit row', async (one) => {
    const { score, status, level, send, passed, purpose } = one
    const member = await api.signUp()
    const answer = await scored(score, () => send(api, member))
    expect(answer.status, answer.text).toBe(status)
    const { action, metadata } = await newestRow(api, member)
    expect(action).toBe(actionOf(status, passed))
    expect(metadata).toMatchObject({ score, reasons: ['HOST'], ...(level && { level }) })
    if (status === 200) return
    expect(answer.body).toMatchObject({ score: metadata['score'], reasons: metadata['reasons'] })
    expect(answer.body).toMatchObject(
      status === 428
        ? { error: 'STEP_UP_REQUIRED', purpose }
        : { error: 'SESSION_BLOCKED', reason: 'high_risk_activity' },
    )
    if (status === 428) {
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer error="insufficient_user_authentication", max_age=600',
      )
    }
  })

  test.each([60, 89])('a refresh at %i consumes nothing and leaves the session waiting', async (score) => {
    const member = await api.signUp()
    const before = await api.snapshot()
    expect((await scored(score, () => refresh(api, member))).status).toBe(428)
    const after = await api.snapshot()
    expect(after['refresh_tokens']).toBe(before['refresh_tokens'])
    expect(after['token_families']).toBe(before['token_families'])
    const refused = await api.send('GET', '/api/auth/me', { token: member.accessToken })
    expect(refused.status).toBe(428)
    expect(refused.body).toMatchObject({ error: 'STEP_UP_REQUIRED', purpose: 'session_risk', score, reasons: ['HOST'] })
    // However calm it looks by now.
    expect((await refresh(api, member)).status).toBe(428)
    expect(await versionOf(member)).toBe(1)
  })

  test('a refresh at 90 ends the family and the session and raises the version; a sign-in at 90 ends nothing', async () => {
    const member = await api.signUp()
    expect((await scored(90, () => login(api, member))).status).toBe(401)
    expect(await versionOf(member)).toBe(1)
    expect((await api.send('GET', '/api/auth/me', { token: member.accessToken })).status).toBe(200)
    expect((await scored(90, () => refresh(api, member))).status).toBe(401)
    expect(await versionOf(member)).toBe(2)
    expect((await refresh(api, member)).body.error).toBe('REFRESH_TOKEN_REVOKED')
    expect((await api.send('GET', '/api/auth/me', { token: member.accessToken })).body.error).toBe(
      'SESSION_INVALIDATED',
    )
  })

  test('what was recorded is scored again as it was, and otherwise under another policy', async () => {
    const member = await api.signUp()
    const from = new Date(api.now())
    for (const { score } of BOUNDARIES) await scored(score, () => login(api, member))
    const range = { from, to: new Date(api.now() + 1000) }
    const replay = async (policy: ReplayPolicy = {}): Promise<readonly Replayed[]> => {
      const all: Replayed[] = []
      for await (const one of replayRisk(api.engine.store, { ...range, policy })) {
        if (one.userId === member.userId) all.push(one)
      }
      return all
    }
    const decisions = (rows: readonly Replayed[]) => rows.map(({ after }) => after.decision)
    const same = await replay()
    expect(decisions(same)).toEqual(['pass', 'step-up', 'step-up', 'block'])
    for (const { before, after } of same) expect(after).toEqual(before)
    expect(decisions(await replay({ stepUpAt: 59, blockAt: 89 }))).toEqual(['step-up', 'step-up', 'block', 'block'])
    expect(decisions(await replay({ stepUpAt: 90, blockAt: 91 }))).toEqual(['pass', 'pass', 'pass', 'step-up'])
  })
})

test('replayed under the same policy nothing differs: not what only `mfa.atSignIn` asked for, nor what a step-up let through', async () => {
  const api = await asking('enforce')
  try {
    const member = await api.signUp()
    const { recoveryCodes } = await api.enrol(member)
    const factor = () => ({ factor: 'recovery_code', code: recoveryCodes.pop() })
    const from = new Date(api.now())
    for (const score of [30, 65]) {
      const { stepUpToken } = (await scored(score, () => login(api, member))).body
      const done = await api.send('POST', '/api/auth/login/step-up', { body: { stepUpToken, ...factor() } })
      expect(done.status, done.text).toBe(200)
    }
    const { stepUpToken: token } = (await scored(60, () => refresh(api, member))).body
    const given = { purpose: 'session_risk', ...factor() }
    expect((await api.send('POST', '/api/security/step-up/verify', { token, body: given })).status).toBe(200)
    const body = { refreshToken: member.refreshToken, stepUpToken: token }
    expect((await scored(60, () => api.send('POST', '/api/auth/refresh', { body }))).status).toBe(200)

    const all: Replayed[] = []
    for await (const one of replayRisk(api.engine.store, { from, to: new Date(api.now() + 1000) })) all.push(one)
    expect(all.map(({ what, before }) => [what, before.score, before.decision])).toEqual([
      ['sign-in', 30, 'pass'],
      ['sign-in', 65, 'step-up'],
      ['refresh', 60, 'step-up'],
    ])
    for (const { before, after } of all) expect(after).toEqual(before)
  } finally {
    await api.close()
  }
})

test('a sign-in that is stopped as rapid at its step-up keeps the score that it was held with', async () => {
  const thresholds = { rapidSessions: 1 }
  const api = await openInProcess({ risk: { ...risk, thresholds }, mfa: { atSignIn: 'enrolled' } })
  try {
    const member = await api.signUp()
    const { recoveryCodes } = await api.enrol(member)
    const held = async () => (await scored(30, () => login(api, member))).body.stepUpToken
    const complete = (stepUpToken: string | undefined) =>
      api.send('POST', '/api/auth/login/step-up', {
        body: { stepUpToken, factor: 'recovery_code', code: recoveryCodes.pop() },
      })
    const [first, second] = [await held(), await held()]
    expect((await complete(first)).status).toBe(200)
    const stopped = await complete(second)
    const reasons = ['RAPID_TOKEN_CREATION', 'HOST']
    expect(stopped.body).toMatchObject({ error: 'SESSION_BLOCKED', reason: 'rapid_token_creation', score: 30, reasons })
    const { action, metadata } = await newestRow(api, member)
    expect([action, metadata]).toMatchObject(['SUSPICIOUS_LOGIN_DETECTED', { score: 30, reasons }])
    expect(metadata['signals']).toMatchObject([
      { signal: reasons[0], points: 0 },
      { signal: 'HOST', points: 30 },
    ])
  } finally {
    await api.close()
  }
})

test('where the setting says so, a sign-in at 90 ends what the account has open, and nobody else’s', async () => {
  const api = await scoring('enforce', true)
  try {
    const [member, other] = [await api.signUp(), await api.signUp()]
    expect((await scored(89, () => login(api, member))).status).toBe(428)
    expect((await api.send('GET', '/api/auth/me', { token: member.accessToken })).status).toBe(200)
    expect((await scored(90, () => login(api, member))).body.error).toBe('SESSION_BLOCKED')
    expect((await api.send('GET', '/api/auth/me', { token: member.accessToken })).body.error).toBe(
      'SESSION_INVALIDATED',
    )
    expect((await refresh(api, member)).body.error).toBe('REFRESH_TOKEN_REVOKED')
    const ended = await api.rows(`select metadata from audit_logs
      where tenant_id = '${member.tenantId}' and action in ('SESSION_REVOKED', 'SESSION_INVALIDATED') and session_id = '${member.sessionId}'`)
    expect(ended).toHaveLength(1)
    expect((await refresh(api, other)).status).toBe(200)
  } finally {
    await api.close()
  }
})

describe('monitor mode', () => {
  let api: InProcess
  beforeAll(async () => {
    api = await scoring('monitor')
  })
  afterAll(() => api?.close())

  test.each(CASES)('lets a $at at $score pass, and records what it would have been', async (one) => {
    const { score, status, send, passed } = one
    const member = await api.signUp()
    const answer = await scored(score, () => send(api, member))
    expect(answer.status, answer.text).toBe(200)
    const { action, outcome, metadata } = await newestRow(api, member)
    expect([action, outcome]).toEqual([passed, 'SUCCESS'])
    expect(metadata).toMatchObject({ score, reasons: ['HOST'] })
    expect(metadata['wouldBe']).toBe(status === 200 ? undefined : status === 428 ? 'step-up' : 'block')
    expect((await api.send('GET', '/api/auth/me', { token: member.accessToken })).status).toBe(200)
  })
})

test('monitor mode records also of a sign-in that `mfa.atSignIn` asks for a factor what it would have been', async () => {
  const api = await asking('monitor')
  try {
    const member = await api.signUp()
    await api.enrol(member)
    expect((await scored(90, () => login(api, member))).status).toBe(428)
    const { action, metadata } = await newestRow(api, member)
    expect([action, metadata]).toMatchObject(['STEP_UP_REQUIRED', { score: 90, reasons: ['HOST'], wouldBe: 'block' }])
    expect(metadata).not.toHaveProperty('level')
  } finally {
    await api.close()
  }
})
