import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InProcess, Member } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { refused } from '../../../../tests/support/refused.ts'

let api: InProcess
let owner: Member
let admin: Member
let auditor: Member
beforeAll(async () => {
  api = await openInProcess()
  owner = await api.signUp()
  admin = await api.join(owner, 'admin')
  auditor = await api.join(owner, 'auditor')
  // More rights than the role has do not make the role a greater one.
  await api.rows(`update tenant_staff set permissions = '{SETTINGS_SECURITY_EDIT}' where id = '${auditor.staffId}'`)
  await api.rows(`insert into changes (kind, ref) values ('staff', '${auditor.staffId}')`)
  await api.engine.live.poll()
})
afterAll(() => api?.close())

const revoke = ({ sessionId }: Member) => `/api/security/sessions/${sessionId}/revoke`
const forceOut = ({ userId }: Member) => `/api/security/force-logout/${userId}`

test.each<[string, () => readonly [by: Member, path: string], string]>([
  ['an admin the session of an owner', () => [admin, revoke(owner)], 'SESSION_REVOKED'],
  ['an admin all that an owner has', () => [admin, forceOut(owner)], 'SESSION_INVALIDATED'],
  [
    'one with a role below and the permission, the session of an admin',
    () => [auditor, revoke(admin)],
    'SESSION_REVOKED',
  ],
  [
    'one with a role below and the permission, all of an admin',
    () => [auditor, forceOut(admin)],
    'SESSION_INVALIDATED',
  ],
])('nobody ends what belongs to one who outranks them: %s', async (_what, given, action) => {
  const [by, path] = given()
  await api.open(by, 'revoke_session', 'force_logout')
  const { answer, row } = await refused(api, by, 'POST', path, undefined)
  expect([answer.status, answer.body.error]).toEqual([403, 'FORBIDDEN'])
  expect(row).toMatchObject({ action, by: by.userId })
})

test('and those of the same rank and below they do end', async () => {
  const peer = await api.join(owner, 'admin')
  await api.open(admin, 'revoke_session', 'force_logout')
  expect((await api.send('POST', revoke(peer), { token: admin.accessToken })).status).toBe(200)
  expect((await api.send('GET', '/api/auth/me', { token: peer.accessToken })).body.error).toBe('SESSION_REVOKED')
  expect((await api.send('POST', forceOut(auditor), { token: admin.accessToken })).body).toMatchObject({
    success: true,
  })
})
