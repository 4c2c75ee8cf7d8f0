import { afterAll, beforeAll, expect, test } from 'vitest'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import type { InProcess } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'

const MINUTE = 60_000
let api: InProcess

beforeAll(async () => {
  api = await openInProcess({ sessionLimit: { max: 2, policy: 'deny' }, rateLimits: 'off' })
})
afterAll(() => api?.close())

test('a limit that a tenant tightens bites on the sessions that there are: in requests, refreshes, lists and what is counted', async () => {
  const owner = await api.signUp()
  const other = await api.login(owner.email)
  const body = { email: owner.email, password: PASSWORD }
  const full = await api.send('POST', '/api/auth/login', { body })
  expect([full.status, full.body.error]).toEqual([409, 'SESSION_LIMIT'])

  await api.open(owner, 'security_settings')
  const changed = await api.send('PATCH', '/api/security/settings', {
    body: { session: { idle: 60 } },
    token: owner.accessToken,
  })
  expect(changed.status, changed.text).toBe(200)
  await api.advance(2 * MINUTE)

  expect((await api.send('GET', '/api/auth/me', { token: other.accessToken })).body.error).toBe('SESSION_EXPIRED')
  const { refreshToken } = other
  const refreshed = await api.send('POST', '/api/auth/refresh', { body: { refreshToken } })
  expect([refreshed.status, refreshed.body.error]).toEqual([401, 'SESSION_EXPIRED'])
  // Neither takes up a place, though by the service's own limit one would.
  const begun = await api.send('POST', '/api/auth/login', { body })
  expect(begun.status).toBe(200)
  const list = await api.send('GET', '/api/security/sessions', { token: begun.body.accessToken })
  expect(list.body.sessions.map(({ id }: { id: string }) => id)).toEqual([begun.body.session.id])
})
