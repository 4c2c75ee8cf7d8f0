import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { InProcess, Member, Sent } from '../../../../tests/support/in-process.ts'
import { openInProcess } from '../../../../tests/support/in-process.ts'
import { refused } from '../../../../tests/support/refused.ts'
import { PASSWORD } from '../../../../tests/support/directory-bench.ts'
import { clearIpRules } from './clear.ts'

/** Where the harness calls from. */
const HERE = '192.0.2.7'
let api: InProcess
let owner: Member

beforeEach(async () => {
  api ??= await openInProcess({ risk: { mode: 'off' }, mfa: { atSignIn: 'enrolled' } })
  owner = await api.signUp()
  await api.open(owner, 'ip_rule_change', 'security_settings')
})
afterAll(() => api?.close())

const add = (body: unknown, by: Member = owner) =>
  api.send('POST', '/api/security/ip-rules', { body, token: by.accessToken })
const me = (who: Member) => api.send('GET', '/api/auth/me', { token: who.accessToken })
const refresh = (refreshToken: string) => api.send('POST', '/api/auth/refresh', { body: { refreshToken } })
const code = ({ status, body }: Sent) => [status, body?.error]
const denials = () =>
  api.rows(
    `select outcome, failure_reason as reason, metadata->>'at' as at, metadata->>'mode' as mode from audit_logs
      where action = 'IP_ACCESS_DENIED' and tenant_id = '${owner.tenantId}' order by id`,
  )

describe('a change', () => {
  test('is kept in the one form, recorded with old and new value, and refused without its step-up', async () => {
    const { status, body } = await add({ type: 'DENY', cidr: '2001:DB8:0::/48', label: 'Lab' })
    expect([status, body.rule.cidr, body.rule.label]).toEqual([201, '2001:db8::/48', 'Lab'])
    const path = `/api/security/ip-rules/${body.rule.id}`
    const changed = await api.send('PATCH', path, { body: { label: null }, token: owner.accessToken })
    expect(changed.body.rule).toMatchObject({ cidr: '2001:db8::/48', label: null })
    expect((await api.send('DELETE', path, { token: owner.accessToken })).status).toBe(200)
    const rows = await api.rows(
      `select action, old_value->>'label' as old, new_value->>'label' as new from audit_logs
        where resource = 'ip_rule' and tenant_id = '${owner.tenantId}' order by id`,
    )
    expect(rows).toEqual([
      { action: 'IP_RULE_CREATED', old: null, new: 'Lab' },
      { action: 'IP_RULE_UPDATED', old: 'Lab', new: null },
      { action: 'IP_RULE_DELETED', old: null, new: null },
    ])
    const fresh = await api.login(owner.email)
    expect(code(await add({ type: 'DENY', cidr: '10.0.0.0/8' }, fresh))).toEqual([428, 'STEP_UP_REQUIRED'])
  })

  test.each<[string, unknown, string]>([
    ['host bits', { type: 'DENY', cidr: '10.1.2.3/8' }, 'cidr'],
    ['host bits of IPv6', { type: 'DENY', cidr: '2001:db8::1/32' }, 'cidr'],
    ['host bits, IPv4-mapped', { type: 'DENY', cidr: '::ffff:10.1.0.0/104' }, 'cidr'],
    ['a zone', { type: 'DENY', cidr: 'fe80::1%eth0' }, 'cidr'],
    ['nonsense', { type: 'DENY', cidr: 'nonsense' }, 'cidr'],
    ['a name', { type: 'DENY', cidr: 'example.com' }, 'cidr'],
    ['a prefix beyond', { type: 'DENY', cidr: '10.0.0.0/33' }, 'cidr'],
    ['octal', { type: 'DENY', cidr: '010.0.0.0/8' }, 'cidr'],
    ['a number', { type: 'DENY', cidr: 167772160 }, 'cidr'],
    ['another type', { type: 'MAYBE', cidr: '10.0.0.0/8' }, 'type'],
    ['an end in the past', { type: 'DENY', cidr: '10.0.0.0/8', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['an end that is none', { type: 'DENY', cidr: '10.0.0.0/8', expiresAt: 'tomorrow' }, 'expiresAt'],
    ['a long label', { type: 'DENY', cidr: '10.0.0.0/8', label: 'x'.repeat(201) }, 'label'],
    ['no network', { type: 'DENY' }, 'cidr'],
    ['more than is asked', { type: 'DENY', cidr: '10.0.0.0/8', tenantId: 'x' }, 'tenantId'],
  ])('with %s is 400 that names the field, changes nothing, and leaves one FAIL row', async (_what, body, field) => {
    const { answer, row } = await refused(api, owner, 'POST', '/api/security/ip-rules', body)
    expect([answer.status, answer.body.field]).toEqual([400, field])
    expect(row).toMatchObject({ action: 'IP_RULE_CREATED', by: owner.userId })
  })

  test('that keeps its author out is refused unless forced', async () => {
    const { answer } = await refused(api, owner, 'POST', '/api/security/ip-rules', { type: 'DENY', cidr: HERE })
    expect(code(answer)).toEqual([409, 'WOULD_LOCK_OUT'])
    expect(code(await add({ type: 'ALLOW', cidr: '198.51.100.0/24' }))).toEqual([409, 'WOULD_LOCK_OUT'])
    const own = await add({ type: 'ALLOW', cidr: `${HERE}/32` })
    expect(own.status).toBe(201)
    expect((await add({ type: 'ALLOW', cidr: '198.51.100.0/24' })).status).toBe(201)
    const path = `/api/security/ip-rules/${own.body.rule.id}`
    expect(code(await api.send('DELETE', path, { token: owner.accessToken }))).toEqual([409, 'WOULD_LOCK_OUT'])
    expect(code(await api.send('PATCH', path, { body: { type: 'DENY' }, token: owner.accessToken }))).toEqual([
      409,
      'WOULD_LOCK_OUT',
    ])
    expect((await me(owner)).status).toBe(200)
    expect((await api.send('DELETE', path, { body: { force: true }, token: owner.accessToken })).status).toBe(200)
    expect(code(await me(owner))).toEqual([403, 'IP_NOT_ALLOWED'])
  })

  test('twice the same, an end in the past, another tenant’s rule', async () => {
    const { body } = await add({ type: 'DENY', cidr: '10.0.0.0/8' })
    expect(code(await add({ type: 'DENY', cidr: '::ffff:10.0.0.0/104' }))).toEqual([409, 'CONFLICT'])
    expect((await add({ type: 'DENY', cidr: '10.0.0.0/9', expiresAt: '2020-01-01T00:00:00Z' })).body.field).toBe(
      'expiresAt',
    )
    const stranger = await api.signUp()
    await api.open(stranger, 'ip_rule_change')
    const path = `/api/security/ip-rules/${body.rule.id}`
    expect((await api.send('DELETE', path, { token: stranger.accessToken })).status).toBe(404)
  })
})

describe('a rule', () => {
  test('refuses requests and refreshes from the next one on, consumes nothing, and ends no session', async () => {
    const { status } = await add({ type: 'DENY', cidr: '192.0.2.0/24', force: true })
    expect(status).toBe(201)
    expect(code(await me(owner))).toEqual([403, 'IP_BLOCKED'])
    expect(code(await refresh(owner.refreshToken))).toEqual([403, 'IP_BLOCKED'])
    expect(await denials()).toEqual([
      { outcome: 'FAIL', reason: 'IP_BLOCKED', at: 'request', mode: 'enforce' },
      { outcome: 'FAIL', reason: 'IP_BLOCKED', at: 'refresh', mode: 'enforce' },
    ])
    await clearIpRules(api.engine, owner.tenantId)
    expect((await me(owner)).status).toBe(200)
    expect((await refresh(owner.refreshToken)).headers.get('sallyport-refresh')).toBe('rotated')
  })

  test('refuses sign-ins: before the password where the tenant is named, before tokens where it is not', async () => {
    const [{ slug } = {}] = await api.rows(`select slug from tenants where id = '${owner.tenantId}'`)
    await add({ type: 'DENY', cidr: HERE, force: true })
    const login = (body: object) => api.send('POST', '/api/auth/login', { body: { email: owner.email, ...body } })
    expect(code(await login({ password: 'wrong wrong wrong wrong', tenant: slug }))).toEqual([403, 'IP_BLOCKED'])
    expect(code(await login({ password: 'wrong wrong wrong wrong' }))).toEqual([401, 'INVALID_CREDENTIALS'])
    const before = await api.snapshot()
    expect(code(await login({ password: PASSWORD }))).toEqual([403, 'IP_BLOCKED'])
    expect(await api.snapshot()).toEqual(before)
    expect(await denials()).toMatchObject([{ at: 'sign-in' }, { at: 'sign-in' }])
  })

  test('is asked after the token’s signature, and before its session is looked up', async () => {
    const ended = await api.login(owner.email)
    await api.send('POST', '/api/auth/logout', { body: {}, token: ended.accessToken })
    expect(code(await me(ended))).toEqual([401, 'SESSION_REVOKED'])
    await add({ type: 'DENY', cidr: HERE, force: true })
    expect(code(await me(ended))).toEqual([403, 'IP_BLOCKED'])
    const forged = `${owner.accessToken.slice(0, -4)}AAAA`
    expect(code(await me({ ...owner, accessToken: forged }))).toEqual([401, 'INVALID_TOKEN'])
  })

  test('holds until it expires, by the database’s clock', async () => {
    const expiresAt = new Date(api.now() + 60_000).toISOString()
    expect((await add({ type: 'DENY', cidr: HERE, expiresAt, force: true })).status).toBe(201)
    expect(code(await me(owner))).toEqual([403, 'IP_BLOCKED'])
    await api.advance(61_000)
    expect((await me(owner)).status).toBe(200)
    await api.advance(-61_000)
  })

  test('lets one who signs out do so from anywhere', async () => {
    await add({ type: 'DENY', cidr: HERE, force: true })
    await api.send('POST', '/api/auth/logout', { body: {}, token: owner.accessToken })
    expect(await api.rows(`select revoke_reason from user_sessions where id = '${owner.sessionId}'`)).toEqual([
      { revoke_reason: 'logout' },
    ])
  })

  test('is only watched where the tenant says so, and told as what it would have refused', async () => {
    const settings = { body: { ipRules: { mode: 'monitor' } }, token: owner.accessToken }
    expect((await api.send('PATCH', '/api/security/settings', settings)).body.ipRules.mode).toBe('monitor')
    expect((await add({ type: 'DENY', cidr: HERE })).status).toBe(201)
    expect((await me(owner)).status).toBe(200)
    expect((await denials())[0]).toEqual({ outcome: 'SUCCESS', reason: 'IP_BLOCKED', at: 'request', mode: 'monitor' })
    const enforce = { body: { ipRules: { mode: 'enforce' } }, token: owner.accessToken }
    expect(code(await api.send('PATCH', '/api/security/settings', enforce))).toEqual([409, 'WOULD_LOCK_OUT'])
  })
})

describe('a tenant that only watches is told once', () => {
  const THERE = '203.0.113.9'
  const from = (path: string, body: unknown, address = THERE) => api.send('POST', path, { body, address })
  const login = (body: object) => from('/api/auth/login', { email: owner.email, password: PASSWORD, ...body })
  const once = { outcome: 'SUCCESS', reason: 'IP_BLOCKED', at: 'sign-in', mode: 'monitor' }

  beforeEach(async () => {
    const settings = { body: { ipRules: { mode: 'monitor' } }, token: owner.accessToken }
    expect((await api.send('PATCH', '/api/security/settings', settings)).status).toBe(200)
    for (const cidr of [THERE, '198.51.100.0/24']) expect((await add({ type: 'DENY', cidr })).status).toBe(201)
  })

  test('of a sign-in, whether or not it names the tenant', async () => {
    expect((await login({ tenant: owner.tenantId })).status).toBe(200)
    expect(await denials()).toEqual([once])
    expect((await login({})).status).toBe(200)
    expect(await denials()).toEqual([once, once])
  })

  test('of a sign-in whose password is wrong', async () => {
    expect((await login({ tenant: owner.tenantId, password: 'wrong wrong wrong wrong' })).status).toBe(401)
    expect(await denials()).toEqual([once])
  })

  test('of a sign-in with a second factor, wrong codes included, unless that comes from elsewhere', async () => {
    const { recoveryCodes } = await api.enrol(owner)
    const [first = '', second = ''] = recoveryCodes
    const complete = ({ body: { stepUpToken } }: Sent, code: string, address?: string) =>
      from('/api/auth/login/step-up', { stepUpToken, factor: 'recovery_code', code }, address)
    const there = await login({ tenant: owner.tenantId })
    expect(there.status).toBe(428)
    expect((await complete(there, 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA')).status).toBe(400)
    expect((await complete(there, first)).status).toBe(200)
    expect(await denials()).toEqual([once])
    const elsewhere = await login({ tenant: owner.tenantId })
    expect((await complete(elsewhere, second, '198.51.100.7')).status).toBe(200)
    expect(await denials()).toEqual([once, once, once])
  })

  test('of a refresh', async () => {
    expect((await from('/api/auth/refresh', { refreshToken: owner.refreshToken })).status).toBe(200)
    expect(await denials()).toEqual([{ ...once, at: 'refresh' }])
  })

  test('of an invitation that is accepted', async () => {
    const email = `invited-${owner.staffId}@example.com`
    await api.open(owner, 'team_change')
    const invitation = { body: { email, name: 'Mo', role: 'member' }, token: owner.accessToken }
    expect((await api.send('POST', '/api/team/invitations', invitation)).status).toBe(201)
    const token = api.mailed(email, 'invitation')
    expect((await from('/api/auth/invitations/accept', { token, name: 'Mo', password: PASSWORD })).status).toBe(201)
    expect(await denials()).toEqual([once])
  })
})

test('a preview names the sessions that a change would cut off, and changes nothing', async () => {
  const before = await api.snapshot()
  const preview = await api.send('POST', '/api/security/ip-rules/preview', {
    body: { type: 'ALLOW', cidr: '198.51.100.0/24' },
    token: owner.accessToken,
  })
  expect(preview.body).toMatchObject({ cidr: '198.51.100.0/24', wouldLockOut: true, looked: 1 })
  expect(preview.body.cutOff).toMatchObject([{ sessionId: owner.sessionId, ipAddress: HERE, code: 'IP_NOT_ALLOWED' }])
  expect(await api.snapshot()).toEqual(before)
})

test('breaking the glass removes all rules, each with its row, and the operator as the actor', async () => {
  await add({ type: 'DENY', cidr: '10.0.0.0/8' })
  await add({ type: 'DENY', cidr: HERE, force: true })
  expect(await clearIpRules(api.engine, owner.tenantId, { actor: 'cli' })).toEqual({ removed: 2 })
  expect((await me(owner)).status).toBe(200)
  const rows = await api.rows(
    `select user_id as by, metadata->>'actor' as actor from audit_logs
      where action = 'IP_RULE_DELETED' and tenant_id = '${owner.tenantId}'`,
  )
  expect(rows).toEqual([
    { by: null, actor: 'cli' },
    { by: null, actor: 'cli' },
  ])
  await expect(clearIpRules(api.engine, 'nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

describe('the settings of a tenant', () => {
  test('may only tighten, are recorded as what changed, and bite at once', async () => {
    const patch = (body: unknown) => api.send('PATCH', '/api/security/settings', { body, token: owner.accessToken })
    expect((await patch({ session: { maxLife: 2_592_000 } })).status).toBe(200)
    expect((await patch({ session: { idle: 1_000_000 } })).body.field).toBe('session.idle')
    expect((await patch({ session: { idle: 600, maxLife: null } })).body).toMatchObject({
      session: { idle: 600, maxLife: null },
      effective: { idle: 600 },
    })
    const rows = await api.rows(
      `select old_value as old, new_value as new from audit_logs where action = 'SETTINGS_UPDATED'
        and outcome = 'SUCCESS' and tenant_id = '${owner.tenantId}' order by id`,
    )
    expect(rows.at(-1)).toEqual({
      old: { 'session.idleMs': null, 'session.maxLifeMs': 2_592_000_000 },
      new: { 'session.idleMs': 600_000, 'session.maxLifeMs': null },
    })
    const [lazy, other] = [await api.login(owner.email), await api.signUp()]
    await api.advance(601_000)
    expect(code(await me(lazy))).toEqual([401, 'SESSION_EXPIRED'])
    expect((await me(other)).status).toBe(200)
    await api.advance(-601_000)
  })
})
