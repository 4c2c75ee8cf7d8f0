import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../../../../../tests/support/directory-bench.ts'
import type { InProcess, Member, Sent } from '../../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../../tests/support/in-process.ts'
import { newId } from '../../ids.ts'

let api: InProcess
let owner: Member
let stranger: Member
beforeAll(async () => {
  api = await openInProcess({ permissions: { INVOICES_EDIT: { roles: ['admin'] } } })
  owner = await api.signUp({ tenantName: 'Ours' })
  stranger = await api.signUp({ tenantName: 'Theirs' })
  await api.open(owner, 'team_change')
  await api.open(stranger, 'team_change')
})
afterAll(() => api?.close())

let invited = 0
async function invitation(): Promise<{ readonly id: string; readonly email: string; readonly link: string }> {
  const email = `guest-${++invited}@example.com`
  const body = { email, name: 'Gus', role: 'auditor' }
  const sent = await api.send('POST', '/api/team/invitations', { body, token: owner.accessToken })
  return { id: sent.body.invitation.id, email, link: api.mailed(email, 'invitation') }
}

const show = (token: string): Promise<Sent> => api.send('POST', '/api/auth/invitations/show', { body: { token } })
const accept = (token: string): Promise<Sent> =>
  api.send('POST', '/api/auth/invitations/accept', { body: { token, name: 'Gus', password: PASSWORD } })
const listed = async (by = owner) => (await api.send('GET', '/api/team', { token: by.accessToken })).body
const auditedOf = (id: string) =>
  api.rows(
    `select action, outcome, user_id as by, old_value as old from audit_logs where resource_id = '${id}' order by created_at, id`,
  )

describe('an open invitation', () => {
  test('tells whoever has its link what it is to, and is not used up by that', async () => {
    const { email, link } = await invitation()
    const expected = {
      email,
      name: 'Gus',
      role: 'auditor',
      tenant: { name: 'Ours' },
      invitedBy: 'Petra',
      expiresAt: expect.any(String) as string,
      hasAccount: false,
    }
    expect((await show(link)).body).toEqual(expected)
    expect((await show(link)).body).toEqual(expected)
    expect((await accept(link)).status).toBe(201)
    const spent = await show(link)
    expect([spent.status, spent.body.error]).toEqual([400, 'LINK_INVALID'])
  })

  test('to somebody who has an account says so', async () => {
    const body = { email: stranger.email, name: 'Stella', role: 'member' }
    await api.send('POST', '/api/team/invitations', { body, token: owner.accessToken })
    expect((await show(api.mailed(stranger.email, 'invitation'))).body).toMatchObject({ hasAccount: true })
  })

  test('is void once it is withdrawn, and that is recorded; a second time there is none', async () => {
    const { id, email, link } = await invitation()
    const withdraw = () => api.send('DELETE', `/api/team/invitations/${id}`, { body: {}, token: owner.accessToken })
    expect((await withdraw()).body).toEqual({ success: true })
    expect([(await show(link)).status, (await accept(link)).status]).toEqual([400, 400])
    expect(JSON.stringify((await listed()).invitations)).not.toContain(id)
    expect((await withdraw()).status).toBe(404)
    expect(await auditedOf(id)).toEqual([
      expect.objectContaining({ action: 'USER_INVITED', outcome: 'SUCCESS' }),
      {
        action: 'INVITATION_REVOKED',
        outcome: 'SUCCESS',
        by: owner.userId,
        old: { email, name: 'Gus', role: 'auditor' },
      },
      expect.objectContaining({ action: 'INVITATION_REVOKED', outcome: 'FAIL' }),
    ])
    const [kept] = await api.rows(`select data from one_time_tokens where id = '${id}'`)
    expect(kept?.['data']).toEqual({})
  })

  test('is sent again with a link of its own, and the one before is void', async () => {
    const { id, email, link } = await invitation()
    const again = await api.send('POST', `/api/team/invitations/${id}/resend`, { body: {}, token: owner.accessToken })
    expect([again.status, again.body.invitation]).toEqual([201, expect.objectContaining({ email, role: 'auditor' })])
    expect((await show(link)).status).toBe(400)
    expect((await accept(api.mailed(email, 'invitation'))).status).toBe(201)
    const gone = await api.send('POST', `/api/team/invitations/${id}/resend`, { body: {}, token: owner.accessToken })
    expect(gone.status).toBe(404)
  })

  test('cannot be withdrawn or sent again from another tenant, nor after it has expired', async () => {
    const { id, link } = await invitation()
    for (const [method, path] of [
      ['DELETE', `/api/team/invitations/${id}`],
      ['POST', `/api/team/invitations/${id}/resend`],
    ] as const) {
      const refused = await api.send(method, path, { body: {}, token: stranger.accessToken })
      expect([refused.status, refused.body.error]).toEqual([404, 'NOT_FOUND'])
    }
    expect((await show(link)).status).toBe(200)
    await api.rows(`update one_time_tokens set expires_at = created_at where id = '${id}'`)
    const late = await api.send('DELETE', `/api/team/invitations/${id}`, { body: {}, token: owner.accessToken })
    expect(late.status).toBe(404)
  })

  test('is taken back from whoever accepts it at the same time, or not at all', async () => {
    const { id, link } = await invitation()
    const [withdrawn, accepted] = await Promise.all([
      api.send('DELETE', `/api/team/invitations/${id}`, { body: {}, token: owner.accessToken }),
      accept(link),
    ])
    expect([
      [200, 400],
      [404, 201],
    ]).toContainEqual([withdrawn.status, accepted.status])
  })
})

test('the team shows when each was seen, what is live, and which factors they have', async () => {
  const admin = await api.join(owner, 'admin')
  await api.enrol(admin)
  await api.login(admin.email)
  const forgotten = await api.join(owner, 'member')
  await api.rows(
    `update user_sessions set last_seen_at = now() - interval '30 days' where id = '${forgotten.sessionId}'`,
  )
  const members = (await listed()).members as { id: string }[]
  const of = (one: Member) => members.find(({ id }) => id === one.staffId)
  expect(of(admin)).toMatchObject({ lastSeenAt: expect.any(String) as string, liveSessions: 2, factors: ['totp'] })
  expect(of(forgotten)).toMatchObject({ liveSessions: 0, factors: [] })
  await api.send('POST', '/api/auth/logout', { body: {}, token: admin.accessToken })
  const after = ((await listed()).members as { id: string }[]).find(({ id }) => id === admin.staffId)
  expect(after).toMatchObject({ liveSessions: 1 })
})

test('the roles, and what can be granted, the permissions of the host included', async () => {
  const { body } = await api.send('GET', '/api/team/roles', { token: owner.accessToken })
  expect(body.roles.map(({ name }: { name: string }) => name)).toEqual(['owner', 'admin', 'auditor', 'member'])
  expect(body.roles[1].permissions).toContain('INVOICES_EDIT')
  expect(body.roles[3].permissions).toEqual([])
  expect(body.permissions).toContainEqual({ name: 'SETTINGS_TEAM_EDIT', builtIn: true })
  expect(body.permissions).toContainEqual({ name: 'INVOICES_EDIT', builtIn: false })
})

test('a person’s tenants: the active ones, and which of them the session is in', async () => {
  const both = await api.signUp({ tenantName: 'Second' })
  const body = { email: both.email, name: 'Bo', role: 'member' }
  await api.send('POST', '/api/team/invitations', { body, token: owner.accessToken })
  const joined = await api.send('POST', '/api/auth/invitations/accept', {
    body: { token: api.mailed(both.email, 'invitation'), name: 'Bo', password: PASSWORD },
  })
  const memberships = async (token: string) =>
    (await api.send('GET', '/api/auth/memberships', { token })).body.memberships.map(
      (one: { tenant: { name: string }; role: string; isCurrent: boolean }) => [
        one.tenant.name,
        one.role,
        one.isCurrent,
      ],
    )
  expect(await memberships(both.accessToken)).toEqual([
    ['Second', 'owner', true],
    ['Ours', 'member', false],
  ])
  expect(await memberships(joined.body.accessToken)).toEqual([
    ['Second', 'owner', false],
    ['Ours', 'member', true],
  ])
  // Who acts as them sees no other tenant of theirs.
  await api.open(owner, 'impersonate')
  const acting = await api.send('POST', `/api/security/impersonate/${joined.body.staff.id}`, {
    body: { reason: 'a test' },
    token: owner.accessToken,
  })
  expect(await memberships(acting.body.accessToken)).toEqual([['Ours', 'member', true]])
  await api.rows(`update tenant_staff set status = 'disabled' where id = '${joined.body.staff.id}'`)
  expect(await memberships(both.accessToken)).toEqual([['Second', 'owner', true]])
})

test('a rule of address names who made it', async () => {
  await api.open(owner, 'ip_rule_change')
  const rule = { type: 'DENY', cidr: '203.0.113.0/24' }
  await api.send('POST', '/api/security/ip-rules', { body: rule, token: owner.accessToken })
  const { body } = await api.send('GET', '/api/security/ip-rules', { token: owner.accessToken })
  expect(body.rules).toEqual([expect.objectContaining({ createdBy: owner.userId, createdByName: 'Petra' })])
})

test('an event by its id, in its own tenant alone; events of one session and of one request', async () => {
  const request = newId()
  const token = owner.accessToken
  await api.send('POST', '/api/security/sessions/revoke-others', { token, headers: { 'x-request-id': request } })
  const found = await api.send('GET', `/api/audit/events?correlationId=${request}`, { token })
  expect(found.body.events).toHaveLength(1)
  const [{ id }] = found.body.events
  expect((await api.send('GET', `/api/audit/events/${id}`, { token })).body.event).toEqual(found.body.events[0])
  const foreign = await api.send('GET', `/api/audit/events/${id}`, { token: stranger.accessToken })
  expect([foreign.status, foreign.body.error]).toEqual([404, 'NOT_FOUND'])
  const ofSession = await api.send('GET', `/api/audit/events?sessionId=${owner.sessionId}&limit=100`, { token })
  const sessions = new Set(ofSession.body.events.map((event: { sessionId: string }) => event.sessionId))
  expect([...sessions]).toEqual([owner.sessionId])
  const actions = (await api.send('GET', '/api/audit/actions', { token })).body.actions
  expect(actions).toContainEqual({ name: 'INVITATION_REVOKED', builtIn: true })
})

test('whoever has an event and its proof can compute its leaf, and nobody from another tenant', async () => {
  const token = owner.accessToken
  const [{ id }] = (await api.send('GET', '/api/audit/events?action=TENANT_CREATED', { token })).body.events
  const proof = await api.send('GET', `/api/audit/events/${id}/proof`, { token })
  const [row] = await api.rows(`select encode(salt, 'hex') as salt from audit_logs where id = '${id}'`)
  expect(proof.body).toMatchObject({ tenantId: owner.tenantId, salt: row?.['salt'] })
  expect((await api.send('GET', `/api/audit/events/${id}/proof`, { token: stranger.accessToken })).status).toBe(404)
})

test('the register of impersonations leads to the rows of that session alone', async () => {
  const member = await api.join(owner, 'member')
  await api.open(owner, 'impersonate')
  const acting = await api.send('POST', `/api/security/impersonate/${member.staffId}`, {
    body: { reason: 'a test' },
    token: owner.accessToken,
  })
  await api.send('POST', '/api/security/sessions/revoke-others', { token: acting.body.accessToken })
  await api.send('POST', '/api/security/sessions/revoke-others', { token: member.accessToken })
  await api.send('POST', '/api/security/impersonate/exit', { body: {}, token: acting.body.accessToken })
  const register = await api.send('GET', '/api/security/impersonations', { token: owner.accessToken })
  const rows = await api.send('GET', register.body.impersonations[0].events, { token: owner.accessToken })
  expect(rows.body.events.map(({ action }: { action: string }) => action)).toEqual([
    'IMPERSONATION_ENDED',
    'SESSION_REVOKE_ALL',
    'IMPERSONATION_STARTED',
  ])
  expect(rows.body.events[1]).toMatchObject({ realUserId: owner.userId, realUserName: 'Petra', isImpersonating: true })
})
