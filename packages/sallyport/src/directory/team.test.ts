import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { refused } from '../../../../tests/support/refused.ts'

let api: InProcess
let owner: Member
let admin: Member
let member: Member

beforeAll(async () => {
  api = await openInProcess({ permissions: { INVOICES_EDIT: { roles: ['admin'] }, PAYOUTS: {} } })
  owner = await api.signUp()
  admin = await api.join(owner, 'admin')
  member = await api.join(owner, 'member')
})
afterAll(() => api?.close())

async function patch(by: Member, staffId: string, body: unknown): Promise<Sent> {
  await api.open(by, 'team_change')
  return api.send('PATCH', `/api/team/${staffId}`, { body, token: by.accessToken })
}
async function remove(by: Member, staffId: string): Promise<Sent> {
  await api.open(by, 'team_change')
  return api.send('DELETE', `/api/team/${staffId}`, { token: by.accessToken })
}
const me = async (who: Member) => api.send('GET', '/api/auth/me', { token: who.accessToken })
const rowsOf = (staffId: string, action: string) =>
  api.rows(
    `select outcome, failure_reason as reason, old_value as old, new_value as new, user_id as by from audit_logs
      where resource_id = '${staffId}' and action = '${action}' order by id`,
  )

describe('a role', () => {
  test('bites at the next request and signs nobody out; old and new value are recorded', async () => {
    expect((await me(member)).body.staff.permissions).toEqual([])
    const answer = await patch(owner, member.staffId, { role: 'auditor' })
    expect([answer.status, answer.body.member.role]).toEqual([200, 'auditor'])
    expect((await me(member)).body.staff.permissions).toEqual(['SETTINGS_SECURITY_VIEW', 'SETTINGS_TEAM_VIEW'])
    expect(await rowsOf(member.staffId, 'USER_ROLE_UPDATED')).toEqual([
      { outcome: 'SUCCESS', reason: null, old: { role: 'member' }, new: { role: 'auditor' }, by: owner.userId },
    ])
    await patch(owner, member.staffId, { role: 'member' })
    expect((await api.send('GET', '/api/team', { token: member.accessToken })).status).toBe(403)
  })

  test('owner is made and unmade by an owner', async () => {
    const second = await api.join(owner, 'member')
    expect((await patch(owner, second.staffId, { role: 'owner' })).status).toBe(200)
    expect((await patch(admin, second.staffId, { role: 'admin' })).body.error).toBe('FORBIDDEN')
    expect((await patch(second, owner.staffId, { role: 'admin' })).status).toBe(200)
    expect((await patch(second, owner.staffId, { role: 'owner' })).status).toBe(200)
    expect((await patch(owner, second.staffId, { role: 'member' })).status).toBe(200)
  })
})

describe('what may not be', () => {
  let stranger: Member
  let second: Member
  beforeAll(async () => {
    stranger = await api.signUp()
    second = await api.join(owner, 'member')
    await api.rows(`update tenant_staff set role = 'owner' where id = '${second.staffId}'`)
    await api.rows(`insert into changes (kind, ref) values ('staff', '${second.staffId}')`)
    await api.engine.live.poll()
  })
  afterAll(() => api.rows(`update tenant_staff set role = 'member' where id = '${second.staffId}'`))
  const NOBODY = '01900000-0000-7000-8000-000000000000'
  type Bad = readonly [by: Member, method: string, path: string, body?: unknown]
  const place = (of: Member, body: unknown, by: Member): Bad => [by, 'PATCH', `/api/team/${of.staffId}`, body]
  const invited = (body: unknown, by: Member): Bad => [by, 'POST', '/api/team/invitations', body]
  const so = { email: 'so@example.com', name: 'So' }

  test.each<[string, () => Bad, number, string, string]>([
    ['promoting oneself', () => place(admin, { role: 'owner' }, admin), 403, 'FORBIDDEN', 'USER_ROLE_UPDATED'],
    [
      'changing one’s own role, downwards',
      () => place(admin, { role: 'member' }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'granting oneself a permission',
      () => place(admin, { permissions: ['PAYOUTS'] }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'making an owner, by an admin',
      () => place(member, { role: 'owner' }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'unmaking an owner, by an admin',
      () => place(second, { role: 'admin' }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'disabling an owner, by an admin',
      () => place(second, { disabled: true }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'granting what one does not hold',
      () => place(member, { permissions: ['PAYOUTS'] }, admin),
      403,
      'FORBIDDEN',
      'USER_ROLE_UPDATED',
    ],
    [
      'a role that there is not',
      () => place(member, { role: 'root' }, owner),
      400,
      'INVALID_REQUEST',
      'USER_ROLE_UPDATED',
    ],
    [
      'a permission that there is not',
      () => place(member, { permissions: ['NOPE'] }, owner),
      400,
      'INVALID_REQUEST',
      'USER_ROLE_UPDATED',
    ],
    [
      'a permission of the prototype',
      () => place(member, { permissions: ['__proto__'] }, owner),
      400,
      'INVALID_REQUEST',
      'USER_ROLE_UPDATED',
    ],
    [
      'a field that there is not',
      () => place(member, { tenantId: NOBODY }, owner),
      400,
      'INVALID_REQUEST',
      'USER_ROLE_UPDATED',
    ],
    ['a change by a member', () => place(admin, { role: 'member' }, member), 403, 'FORBIDDEN', 'USER_ROLE_UPDATED'],
    [
      'a change of one of another tenant',
      () => place(stranger, { role: 'member' }, owner),
      404,
      'NOT_FOUND',
      'USER_ROLE_UPDATED',
    ],
    [
      'a change of nobody',
      () => [owner, 'PATCH', `/api/team/${NOBODY}`, { role: 'member' }],
      404,
      'NOT_FOUND',
      'USER_ROLE_UPDATED',
    ],
    [
      'a change by user id',
      () => [owner, 'PATCH', `/api/team/${member.userId}`, { role: 'admin' }],
      404,
      'NOT_FOUND',
      'USER_ROLE_UPDATED',
    ],
    [
      'a change of what is no id',
      () => [owner, 'PATCH', '/api/team/1', { role: 'admin' }],
      400,
      'INVALID_REQUEST',
      'USER_ROLE_UPDATED',
    ],
    [
      'removing an owner, by an admin',
      () => [admin, 'DELETE', `/api/team/${second.staffId}`],
      403,
      'FORBIDDEN',
      'USER_REMOVED',
    ],
    [
      'removing one of another tenant',
      () => [owner, 'DELETE', `/api/team/${stranger.staffId}`],
      404,
      'NOT_FOUND',
      'USER_REMOVED',
    ],
    ['removing, by a member', () => [member, 'DELETE', `/api/team/${admin.staffId}`], 403, 'FORBIDDEN', 'USER_REMOVED'],
    [
      'inviting an owner, by an admin',
      () => invited({ ...so, role: 'owner' }, admin),
      403,
      'FORBIDDEN',
      'USER_INVITED',
    ],
    [
      'inviting with a role that there is not',
      () => invited({ ...so, role: 'root' }, owner),
      400,
      'INVALID_REQUEST',
      'USER_INVITED',
    ],
    [
      'inviting with permissions',
      () => invited({ ...so, role: 'member', permissions: ['PAYOUTS'] }, owner),
      400,
      'INVALID_REQUEST',
      'USER_INVITED',
    ],
    [
      'inviting one who is there',
      () => invited({ ...so, email: member.email, role: 'member' }, owner),
      409,
      'ALREADY_MEMBER',
      'USER_INVITED',
    ],
    ['inviting, by a member', () => invited({ ...so, role: 'member' }, member), 403, 'FORBIDDEN', 'USER_INVITED'],
    [
      'unmaking the last owner',
      () => place(stranger, { role: 'admin' }, stranger),
      409,
      'LAST_OWNER',
      'USER_ROLE_UPDATED',
    ],
    [
      'disabling the last owner',
      () => place(stranger, { disabled: true }, stranger),
      409,
      'LAST_OWNER',
      'USER_ROLE_UPDATED',
    ],
    [
      'removing the last owner',
      () => [stranger, 'DELETE', `/api/team/${stranger.staffId}`],
      409,
      'LAST_OWNER',
      'USER_REMOVED',
    ],
  ])('%s is refused, changes nothing and leaves one FAIL row', async (_what, bad, status, code, action) => {
    const [by, method, path, body] = bad()
    await api.open(by, 'team_change')
    const { answer, row } = await refused(api, by, method, path, body)
    expect([answer.status, answer.body.error], answer.text).toEqual([status, code])
    expect(row).toMatchObject({ action, by: by.userId, tenant: by.tenantId })
  })

  test('removing the last owner while both of two try at once leaves one FAIL row, and one owner', async () => {
    const one = await api.signUp()
    const other = await api.join(one, 'member')
    await patch(one, other.staffId, { role: 'owner' })
    for (const by of [one, other]) await api.open(by, 'team_change')
    const [first, last] = await Promise.all([
      api.send('DELETE', `/api/team/${other.staffId}`, { token: one.accessToken }),
      api.send('DELETE', `/api/team/${one.staffId}`, { token: other.accessToken }),
    ])
    const statuses = [first.status, last.status].sort((a, b) => a - b)
    expect(statuses[0]).toBe(200)
    expect([401, 404, 409]).toContain(statuses[1])
    expect(
      await api.rows(
        `select outcome, count(*)::int as rows from audit_logs where action = 'USER_REMOVED' and tenant_id = '${one.tenantId}' group by outcome order by 1`,
      ),
    ).toEqual([
      // One who is out already when they ask is nobody, and is recorded in the service's own log.
      ...(statuses[1] === 401 ? [] : [{ outcome: 'FAIL', rows: 1 }]),
      { outcome: 'SUCCESS', rows: 1 },
    ])
    expect(
      await api.rows(
        `select count(*)::int as owners from tenant_staff where tenant_id = '${one.tenantId}' and role = 'owner' and status = 'active'`,
      ),
    ).toEqual([{ owners: 1 }])
  })
})

describe('extra permissions', () => {
  test('are granted and taken away, live, and recorded', async () => {
    const answer = await patch(owner, member.staffId, { permissions: ['PAYOUTS', 'SETTINGS_TEAM_VIEW'] })
    expect(answer.body.member.extraPermissions).toEqual(['PAYOUTS', 'SETTINGS_TEAM_VIEW'])
    expect((await api.send('GET', '/api/team', { token: member.accessToken })).status).toBe(200)
    await patch(owner, member.staffId, { permissions: [] })
    expect((await api.send('GET', '/api/team', { token: member.accessToken })).status).toBe(403)
    const rows = await rowsOf(member.staffId, 'USER_PERMISSIONS_UPDATED')
    expect(rows.map(({ old, new: is }) => [old, is])).toEqual([
      [{ permissions: [] }, { permissions: ['PAYOUTS', 'SETTINGS_TEAM_VIEW'] }],
      [{ permissions: ['PAYOUTS', 'SETTINGS_TEAM_VIEW'] }, { permissions: [] }],
    ])
  })

  test('that one does not hold are not one’s to grant, also when they are the host’s', async () => {
    expect((await patch(admin, member.staffId, { permissions: ['INVOICES_EDIT'] })).status).toBe(200)
    expect((await patch(admin, member.staffId, { permissions: ['PAYOUTS'] })).body.error).toBe('FORBIDDEN')
    expect((await patch(admin, admin.staffId, { permissions: ['PAYOUTS'] })).body.error).toBe('FORBIDDEN')
    await patch(owner, member.staffId, { permissions: [] })
  })

  test('that nobody registered are 400', async () => {
    const answer = await patch(owner, member.staffId, { permissions: ['INVOICES_DELETE'] })
    expect([answer.status, answer.body.field]).toEqual([400, 'permissions'])
  })

  test('of the host are carried by its roles, and all of them by owners', async () => {
    expect((await me(admin)).body.staff.permissions).toContain('INVOICES_EDIT')
    expect((await me(admin)).body.staff.permissions).not.toContain('PAYOUTS')
    expect((await me(owner)).body.staff.permissions).toContain('PAYOUTS')
  })
})

describe('disabling', () => {
  test('ends everything at once, raises the version, and enabling gives nothing back', async () => {
    const leaver = await api.join(owner, 'member')
    await api.open(leaver, 'security_settings')
    await api.open(owner, 'impersonate')
    const { body: acting } = await api.send('POST', `/api/security/impersonate/${leaver.staffId}`, {
      body: { reason: 'to see' },
      token: owner.accessToken,
    })
    expect((await patch(admin, leaver.staffId, { disabled: true })).body.member.status).toBe('disabled')
    expect((await me(leaver)).body.error).toBe('SESSION_INVALIDATED')
    expect((await api.send('GET', '/api/auth/me', { token: acting.accessToken })).status).toBe(401)
    const { refreshToken } = leaver
    expect((await api.send('POST', '/api/auth/refresh', { body: { refreshToken } })).body.error).toBe(
      'REFRESH_TOKEN_REVOKED',
    )
    expect(
      await api.rows(
        `select count(*)::int as open from step_up_challenges where session_id = '${leaver.sessionId}' and consumed_at is null`,
      ),
    ).toEqual([{ open: 0 }])
    expect(await rowsOf(leaver.staffId, 'USER_DISABLED')).toMatchObject([
      { old: { status: 'active' }, new: { status: 'disabled' }, by: admin.userId },
    ])
    expect((await patch(owner, leaver.staffId, { disabled: false })).body.member.status).toBe('active')
    expect(await rowsOf(leaver.staffId, 'USER_ENABLED')).toHaveLength(1)
    expect((await me(leaver)).body.error).toBe('SESSION_INVALIDATED')
    await api.login(leaver.email)
  })

  test('oneself, and enabling one who may do more, are refused', async () => {
    expect((await patch(admin, admin.staffId, { disabled: true })).body.error).toBe('FORBIDDEN')
    expect((await patch(owner, owner.staffId, { disabled: true })).body.error).toBe('LAST_OWNER')
    const rich = await api.join(owner, 'member')
    await patch(owner, rich.staffId, { permissions: ['PAYOUTS'], disabled: true })
    expect((await patch(admin, rich.staffId, { disabled: false })).body.error).toBe('FORBIDDEN')
  })
})

describe('removing', () => {
  test('ends everything; the member is not there any more, and comes back by an invitation alone', async () => {
    const leaver = await api.join(owner, 'member')
    await patch(owner, leaver.staffId, { permissions: ['PAYOUTS'] })
    expect((await remove(admin, leaver.staffId)).status).toBe(200)
    expect((await me(leaver)).body.error).toBe('SESSION_INVALIDATED')
    expect((await remove(admin, leaver.staffId)).status).toBe(404)
    expect((await patch(admin, leaver.staffId, { disabled: false })).status).toBe(404)
    expect(await rowsOf(leaver.staffId, 'USER_REMOVED')).toMatchObject([{ outcome: 'SUCCESS' }, { outcome: 'FAIL' }])
  })

  test('the last owner is refused, an owner by an admin too; one of two owners may leave', async () => {
    expect((await remove(owner, owner.staffId)).body.error).toBe('LAST_OWNER')
    const second = await api.join(owner, 'member')
    await patch(owner, second.staffId, { role: 'owner' })
    expect((await remove(admin, second.staffId)).body.error).toBe('FORBIDDEN')
    expect((await remove(second, second.staffId)).status).toBe(200)
  })
})
