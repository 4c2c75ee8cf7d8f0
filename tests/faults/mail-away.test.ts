/**
 * The mail server is away: what was asked for is done all the same, the log says that a mail was not sent, and says no address.
 *
 * @module
 */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailsSettled } from '../../packages/sallyport/src/directory/send-mail.ts'
import { silent } from '../../packages/sallyport/src/internal/logger.ts'
import type { InProcess, Member } from '../support/in-process.ts'
import { openInProcess } from '../support/in-process.ts'

let api: InProcess
let owner: Member
const told: unknown[][] = []
beforeAll(async () => {
  api = await openInProcess()
  owner = await api.signUp()
  await mailsSettled(api.engine)
  const away = Object.assign(new Error('connect ECONNREFUSED while sending to somebody@example.com'), {
    code: 'ECONNREFUSED',
  })
  Object.assign(api.engine, {
    mailer: { send: () => Promise.reject(away) },
    log: { ...silent, error: (...line: unknown[]) => void told.push(line) },
  })
})
afterAll(() => api?.close())

test.each<[string, () => Promise<{ readonly status: number; readonly text: string }>, number]>([
  ['sign-up', () => api.send('POST', '/api/auth/sign-up', { body: NEW }), 201],
  [
    'a reset of the password',
    () => api.send('POST', '/api/auth/password/reset-request', { body: { email: owner.email } }),
    202,
  ],
  ['an invitation', () => api.send('POST', '/api/team/invitations', { token: owner.accessToken, body: INVITED }), 201],
])('%s is answered as ever', async (_, ask, status) => {
  await api.open(owner, 'team_change')
  told.length = 0
  const answer = await ask()
  expect(answer.status, answer.text).toBe(status)
  await mailsSettled(api.engine)
  expect(told.length).toBeGreaterThan(0)
  for (const line of told) {
    expect(line).toMatchObject([{ code: 'ECONNREFUSED' }, 'a mail could not be sent'])
    expect(JSON.stringify(line)).not.toContain('@')
  }
})

const NEW = { email: 'new@example.com', password: 'correct horse battery staple', name: 'New', tenantName: 'New' }
const INVITED = { email: 'invited@example.com', name: 'Mo', role: 'member' }
