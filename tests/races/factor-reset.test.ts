import { deepEqual, equal, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { issueStepUpToken } from '../../packages/sallyport/src/step-up/step-up-token.ts'
import type { Nodes } from '../support/nodes.ts'
import { App, startNodes } from '../support/nodes.ts'
import { hasPostgres } from '../support/postgres.ts'

const PASSWORD = 'violet anchors hum below'

describe.skipIf(!hasPostgres)('factors of others, and sessions that wait', () => {
  let nodes: Nodes
  let people = 0
  beforeAll(async () => {
    nodes = await startNodes(2)
  })
  afterAll(() => nodes?.close())

  const enrol = async (token: string) => {
    const begun = await nodes.send('POST', '/security/mfa/totp', {}, { token })
    equal(begun.status, 200)
    const app = new App(begun.body.secret, nodes.clock)
    const { factorId } = begun.body
    const confirmed = await nodes.send('POST', '/security/mfa/totp/confirm', { factorId, code: app.code }, { token })
    equal(confirmed.status, 200)
    return app
  }
  const stepUp = async (token: string, app: App, purpose: string) =>
    equal((await nodes.send('POST', '/security/step-up/verify', { purpose, code: app.next() }, { token })).status, 200)
  const owner = async () => {
    const email = `owner${people++}@example.com`
    const { body } = await nodes.send('POST', '/auth/sign-up', {
      email,
      password: PASSWORD,
      name: 'Olga',
      tenantName: 'T',
    })
    const token = body.accessToken as string
    return {
      token,
      email,
      app: await enrol(token),
      ids: { tenantId: body.tenant.id, userId: body.user.id, sessionId: body.session.id },
    }
  }
  const member = async (of: Awaited<ReturnType<typeof owner>>, role = 'member') => {
    const email = `member${people++}@example.com`
    await stepUp(of.token, of.app, 'team_change')
    const invited = await nodes.send('POST', '/team/invitations', { email, name: 'Mo', role }, { token: of.token })
    equal(invited.status, 201)
    const link = nodes.mails.filter(({ to, kind }) => to === email && kind === 'invitation').at(-1)?.token
    const joined = await nodes.send('POST', '/auth/invitations/accept', { token: link, name: 'Mo', password: PASSWORD })
    equal(joined.status, 201)
    const { accessToken, refreshToken, staff } = joined.body
    return { email, token: accessToken as string, refreshToken, staffId: staff.id as string }
  }
  const reset = (token: string, staffId: string) =>
    nodes.send('POST', `/team/${staffId}/reset-factors`, undefined, { token, node: 0 })

  test('an admin takes the factors of a member away: sessions end, the member is told, the password signs in', async () => {
    const boss = await owner()
    const mo = await member(boss)
    await enrol(mo.token)
    equal((await nodes.send('POST', '/auth/login', { email: mo.email, password: PASSWORD })).status, 428)
    const done = await reset(boss.token, mo.staffId)
    deepEqual([done.status, done.body.factorsRemoved], [200, 1])
    // At once on the node that did it: the others learn of it from the feed of changes.
    equal((await nodes.send('GET', '/auth/me', undefined, { token: mo.token, node: 0 })).status, 401)
    equal((await nodes.send('POST', '/auth/refresh', { refreshToken: mo.refreshToken })).status, 401)
    equal((await nodes.send('POST', '/auth/login', { email: mo.email, password: PASSWORD })).status, 200)
    ok(
      nodes.mails.some(
        ({ to, kind, text }) => to === mo.email && kind === 'factor_disabled' && /administrator/.test(text),
      ),
    )
    const rows = await nodes.rows(
      "select outcome, metadata from audit_logs where action = 'MFA_DISABLED' and resource = 'tenant_staff' order by created_at",
    )
    deepEqual(
      rows.map((row) => [row['outcome'], (row['metadata'] as { reason?: string }).reason]),
      [['SUCCESS', 'admin_reset']],
    )
  })

  test('not without the step-up or the permission, not oneself, not one who outranks, not a stranger', async () => {
    const [boss, other] = [await owner(), await owner()]
    const mo = await member(boss)
    const admin = await member(boss, 'admin')
    const adminsApp = await enrol(admin.token)
    equal((await reset(admin.token, mo.staffId)).status, 428)
    equal((await reset(mo.token, admin.staffId)).status, 403)
    await stepUp(admin.token, adminsApp, 'team_change')
    equal((await reset(admin.token, admin.staffId)).status, 403)
    const [bossStaff] = await nodes.rows('select id from tenant_staff where user_id = $1', [boss.ids.userId as never])
    equal((await reset(admin.token, String(bossStaff?.['id']))).status, 403)
    await stepUp(other.token, other.app, 'team_change')
    equal((await reset(other.token, mo.staffId)).status, 404)
  })

  test('the factors of one who is a member elsewhere too are left alone', async () => {
    const [boss, other] = [await owner(), await owner()]
    const mo = await member(boss)
    await enrol(mo.token)
    await nodes.rows(
      `insert into tenant_staff (id, tenant_id, user_id, role, created_at)
        select gen_random_uuid(), $2::uuid, user_id, 'member', now() from tenant_staff where id = $1::uuid`,
      [mo.staffId as never, other.ids.tenantId as never],
    )
    await stepUp(boss.token, boss.app, 'team_change')
    const refused = await reset(boss.token, mo.staffId)
    deepEqual([refused.status, refused.body.reason], [409, 'member_elsewhere'])
  })

  test('a step-up token ends the wait of its own session, for its own purpose, on every node', async () => {
    const [mine, theirs] = [await owner(), await owner()]
    const tokenOf = ({ ids: { tenantId, userId, sessionId } }: typeof mine) =>
      issueStepUpToken(nodes.node(0).engine, {
        tenantId,
        userId,
        target: { purpose: 'session_risk', sessionId, tokenHash: createHash('sha256').update('token').digest() },
        device: 'device-1',
      })
    for (const { ids } of [mine, theirs]) {
      await nodes.rows('update user_sessions set step_up_required_at = now() where id = $1', [ids.sessionId as never])
      await nodes.rows(`insert into changes (tenant_id, kind, ref) values ($1, 'session', $2)`, [
        ids.tenantId as never,
        ids.sessionId as never,
      ])
    }
    await new Promise((resolve) => setTimeout(resolve, 400))
    const me = (token: string, node: number) => nodes.send('GET', '/auth/me', undefined, { token, node })
    for (const node of [0, 1]) equal((await me(mine.token, node)).status, 428)
    const verify = (token: string, purpose: string, code: string) =>
      nodes.send('POST', '/security/step-up/verify', { purpose, code }, { token, node: 0 })

    equal((await verify(tokenOf(mine), 'data_export', mine.app.next())).body.error, 'INVALID_REQUEST')
    // The owner's own code, by the token of another's session.
    equal((await verify(tokenOf(theirs), 'session_risk', mine.app.next())).body.error, 'INVALID_OTP')
    equal((await me(mine.token, 0)).status, 428)
    const passed = await verify(tokenOf(mine), 'session_risk', mine.app.next())
    deepEqual([passed.status, passed.body.purpose], [200, 'session_risk'])
    equal((await me(mine.token, 0)).status, 200)
    await new Promise((resolve) => setTimeout(resolve, 400))
    equal((await me(mine.token, 1)).status, 200)
    equal((await me(theirs.token, 1)).status, 428)
    const [kept] = await nodes.rows(
      "select presented, device from step_up_challenges where session_id = $1 and purpose = 'session_risk'",
      [mine.ids.sessionId as never],
    )
    equal(String(kept?.['presented']).length, 43)
    equal(String(kept?.['device']).length, 43)
  })
})
