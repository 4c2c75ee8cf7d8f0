import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'

const HOUR = 3_600_000
const HOME = '198.51.100.7'
const ABROAD = '203.0.113.66'
const PLACES: Readonly<Record<string, { country: string; city: string }>> = {
  [HOME]: { country: 'DE', city: 'Berlin' },
  [ABROAD]: { country: 'BR', city: 'Recife' },
}

describe('what is known of somebody', () => {
  let api: InProcess
  beforeAll(async () => {
    api = await openInProcess({
      geo: { lookup: (address) => PLACES[address] },
      risk: { mode: 'monitor', thresholds: { rapidSessions: 0 } },
      sessionLimit: { max: 6, policy: 'deny' },
    })
  })
  afterAll(() => api?.close())

  const login = (member: Member, deviceFingerprint: string, address = HOME): Promise<Sent> =>
    api.send('POST', '/api/auth/login', {
      body: { email: member.email, password: PASSWORD, deviceFingerprint },
      address,
    })
  /** Signs in, and what it was scored by. */
  async function reasonsOf(member: Member, device: string, address = HOME): Promise<unknown> {
    const answer = await login(member, device, address)
    expect(answer.status, answer.text).toBe(200)
    const [row] = await api.rows(`select metadata from audit_logs where action = 'AUTH_LOGIN'
      and session_id = '${answer.body.session.id}' order by created_at desc limit 1`)
    return (row?.['metadata'] as { reasons: unknown } | undefined)?.reasons
  }
  /** Passes a step-up in a session, on its device, by a recovery code: each is good once. */
  async function passStepUp(session: Sent['body'], code: string | undefined): Promise<void> {
    const body = { purpose: 'data_export', factor: 'recovery_code', code }
    const { status, text } = await api.send('POST', '/api/security/step-up/verify', {
      body,
      token: session.accessToken,
    })
    expect(status, text).toBe(200)
  }

  test('is where they were themselves: an admin who acted as them leaves no place of theirs', async () => {
    const owner = await api.signUp()
    const member = await api.join(owner, 'member')
    await login(member, 'laptop')
    await api.open(owner, 'impersonate')
    const begun = await api.send('POST', `/api/security/impersonate/${member.staffId}`, {
      body: { reason: 'a ticket about a broken page' },
      token: owner.accessToken,
      address: ABROAD,
    })
    expect(begun.status, begun.text).toBe(200)
    await api.send('GET', '/api/auth/me', { token: begun.body.accessToken, address: ABROAD })
    expect(await reasonsOf(member, 'laptop', ABROAD)).toEqual(['NEW_COUNTRY', 'NEW_CITY'])
    // Where they were once, they may be again.
    expect(await reasonsOf(member, 'laptop', ABROAD)).toEqual([])
  })

  test('is trusted for half a day after a step-up, of its own device alone', async () => {
    const member = await api.signUp()
    const { recoveryCodes } = await api.enrol(member)
    await login(member, 'laptop')
    expect(await reasonsOf(member, 'phone')).toEqual(['NEW_DEVICE'])
    const { body } = await login(member, 'phone')
    await passStepUp(body, recoveryCodes[0])
    expect(await reasonsOf(member, 'phone', ABROAD)).toEqual([])
    expect(await reasonsOf(member, 'tablet', ABROAD)).toEqual(['NEW_DEVICE'])
  })

  test('many sessions are no wonder, nor too many, while a step-up is young, on whatever device', async () => {
    const member = await api.signUp()
    const { recoveryCodes } = await api.enrol(member)
    for (const device of ['a', 'a', 'a', 'a']) await login(member, device)
    expect(await reasonsOf(member, 'a')).toEqual(['MANY_ACTIVE_SESSIONS'])
    const full = await login(member, 'a')
    expect(full.body.error).toBe('SESSION_LIMIT')
    await passStepUp({ accessToken: member.accessToken }, recoveryCodes[0])
    expect(await reasonsOf(member, 'a')).toEqual([])
    await api.advance(13 * HOUR)
    expect((await login(member, 'a')).body.error).toBe('SESSION_LIMIT')
  })

  test('the moment of sign-in stays what it was, however often a session is refreshed', async () => {
    const { accessToken, refreshToken } = await api.signUp()
    const signedInAt = (token: string): unknown =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).auth_time
    let token = refreshToken
    for (let round = 0; round < 3; round++) {
      await api.advance(2 * 60_000)
      const { body } = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: token } })
      token = body.refreshToken
      expect(signedInAt(body.accessToken)).toBe(signedInAt(accessToken))
    }
  })
})
