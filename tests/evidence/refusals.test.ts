/**
 * What was refused is on the record: each kind of refusal that security cares for leaves one row, with its code.
 *
 * @module
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD } from '../support/directory-bench.ts'
import type { InProcess, Member } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

const APP = 'https://app.example.com'

let api: InProcess
let owner: Member
let member: Member
beforeAll(async () => {
  api = await openInProcess({ allowedOrigins: [APP], rateLimits: {} })
  owner = await api.signUp()
  await api.open(owner, 'team_change')
  member = await api.join(owner, 'member')
})
afterAll(() => api?.close())

/** The rows of refusals that a request leaves: action, code and whose it was. */
async function refusals(work: () => Promise<unknown>): Promise<readonly string[]> {
  const rows = (): Promise<readonly Record<string, unknown>[]> =>
    api.rows(
      `select id, action, failure_reason, user_id, correlation_id from audit_logs where outcome = 'FAIL' order by id`,
    )
  const before = new Set((await rows()).map(({ id }) => id))
  await work()
  return (await rows())
    .filter(({ id }) => !before.has(id))
    .map((row) => [row['action'], row['failure_reason']].join(' '))
}

test('a decision that denies: no permission, no step-up, another tenant', async () => {
  const staff = `/api/team/${owner.staffId}`
  expect(await refusals(() => api.send('DELETE', staff, { token: member.accessToken }))).toEqual([
    'USER_REMOVED FORBIDDEN',
  ])
  // A session that has passed no step-up.
  const anew = await api.login(owner.email)
  expect(await refusals(() => api.send('DELETE', `/api/team/${member.staffId}`, { token: anew.accessToken }))).toEqual([
    'USER_REMOVED STEP_UP_REQUIRED',
  ])
  const other = await api.signUp({ tenantName: 'Other' })
  await api.open(other, 'team_change')
  expect(await refusals(() => api.send('DELETE', staff, { token: other.accessToken }))).toEqual([
    'USER_REMOVED NOT_FOUND',
  ])
})

test('credentials that were tampered with, or are missing', async () => {
  const path = '/api/security/sessions/revoke-others'
  const tampered = `${owner.accessToken.slice(0, -4)}AAAA`
  expect(await refusals(() => api.send('POST', path, { token: tampered, body: {} }))).toEqual([
    'SESSION_REVOKE_ALL INVALID_TOKEN',
  ])
  expect(await refusals(() => api.send('POST', path, { body: {} }))).toEqual(['SESSION_REVOKE_ALL MISSING_TOKEN'])
})

test('a page of another origin', async () => {
  const body = { email: owner.email, password: PASSWORD, delivery: 'cookie' }
  const headers = { origin: 'https://evil.example' }
  expect(await refusals(() => api.send('POST', '/api/auth/login', { body, headers }))).toEqual([
    'AUTH_LOGIN_FAILED CSRF_REFUSED',
  ])
})

test('too many guesses: each wrong one, and the first that has to wait', async () => {
  const told = await refusals(async () => {
    for (let n = 0; n < 11; n++) {
      await api.send('POST', '/api/auth/login', { body: { email: member.email, password: `wrong password ${n}` } })
    }
  })
  expect(told.filter((one) => one === 'AUTH_LOGIN_FAILED INVALID_CREDENTIALS')).toHaveLength(10)
  expect(told.filter((one) => one === 'AUTH_LOGIN_FAILED RATE_LIMITED')).toHaveLength(1)
})

test('a refresh token that comes back', async () => {
  const thief = await api.signUp()
  let token = thief.refreshToken
  for (let n = 0; n < 2; n++) {
    const answer = await api.send('POST', '/api/auth/refresh', { body: { refreshToken: token } })
    expect(answer.status, answer.text).toBe(200)
    token = answer.body.refreshToken
    await api.advance(120_000)
  }
  const told = await refusals(() =>
    api.send('POST', '/api/auth/refresh', { body: { refreshToken: thief.refreshToken } }),
  )
  expect(told).toEqual(['SUSPICIOUS_LOGIN_DETECTED REFRESH_TOKEN_REUSED'])
})
