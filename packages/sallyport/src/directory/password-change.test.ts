import { deepEqual, equal, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Bench } from '../../../../tests/support/directory-bench.ts'
import {
  openBench,
  OTHER_PASSWORD,
  outcomeOf,
  PASSWORD,
  REQUEST,
  refusalOf,
} from '../../../../tests/support/directory-bench.ts'
import { refresh } from '../refresh-tokens/refresh.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { acceptInvitation } from './accept-invitation.ts'
import { changePassword } from './change-password.ts'
import { invite } from './invite.ts'
import { hashOfPresented } from './link-token.ts'
import { requestPasswordReset } from './request-reset.ts'
import { resetPassword } from './reset-password.ts'
import { signIn } from './sign-in.ts'
import type { SignedIn } from './signed-in.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
})
afterAll(() => bench?.close())

const HOUR = 3_600_000
const login = (email: string, password: string, tenant?: string) =>
  signIn(bench.engine, { email, password, tenant, request: REQUEST })
const ask = (email: string) => requestPasswordReset(bench.engine, { email, request: REQUEST })
const reset = (token: string, password = OTHER_PASSWORD) =>
  resetPassword(bench.engine, { token, password, request: REQUEST })
const change = async (signedIn: SignedIn, currentPassword = PASSWORD, newPassword = OTHER_PASSWORD) =>
  changePassword(bench.engine, await bench.caller(signedIn), { currentPassword, newPassword, request: REQUEST })
const speaks = (accessToken: string) =>
  outcomeOf(Promise.resolve().then(() => bench.instance.authenticate(accessToken)))
const refreshes = async ({ issued }: SignedIn) =>
  (await refresh(bench.engine, { refreshToken: issued.refreshToken, request: REQUEST })).kind

/** One person in two tenants, with a session in each. */
async function inTwoTenants(email: string): Promise<{ readonly here: SignedIn; readonly there: SignedIn }> {
  const here = await bench.owner({ email })
  const caller = await bench.caller(await bench.owner({ tenantName: 'There' }))
  await invite(bench.engine, caller, { email, name: 'x', role: 'member', request: REQUEST })
  const token = bench.token(email, 'invitation')
  return {
    here,
    there: await acceptInvitation(bench.engine, { token, name: 'x', password: PASSWORD, request: REQUEST }),
  }
}

describe('a change', () => {
  test('ends the other sessions in every tenant and keeps this one alive with a fresh access token', async () => {
    const { here, there } = await inTwoTenants('change@example.com')
    const other = await login('change@example.com', PASSWORD, here.member.tenant.id)
    const changed = await change(here)

    equal(await speaks(changed.accessToken), 'done')
    equal(changed.session.id, here.issued.session.id)
    equal(await speaks(here.issued.accessToken), 'SESSION_INVALIDATED')
    equal(await speaks(other.issued.accessToken), 'SESSION_INVALIDATED')
    equal(await speaks(there.issued.accessToken), 'SESSION_INVALIDATED')
    equal(await refreshes(other), 'refused')
    equal(await refreshes(there), 'refused')
    equal(await refreshes(here), 'rotated')

    equal(await outcomeOf(login('change@example.com', PASSWORD, here.member.tenant.id)), 'INVALID_CREDENTIALS')
    equal(await outcomeOf(login('change@example.com', OTHER_PASSWORD, here.member.tenant.id)), 'done')
    equal(bench.outbox.messages('change@example.com').at(-1)?.kind, 'password_changed')
    const rows = await bench.rows(
      `select action, tenant_id, session_id from audit_logs where correlation_id = 'bench' and user_id = '${here.member.user.id}' and action in ('PASSWORD_CHANGED', 'SESSION_REVOKED') order by action`,
    )
    const filed = rows.map(({ action, tenant_id: tenant }) => `${String(action)} ${String(tenant)}`)
    equal(filed.length, 3)
    deepEqual(
      new Set(filed),
      new Set([
        `PASSWORD_CHANGED ${here.member.tenant.id}`,
        `SESSION_REVOKED ${here.member.tenant.id}`,
        `SESSION_REVOKED ${there.member.tenant.id}`,
      ]),
    )
  })

  test('needs the current password', async () => {
    const owner = await bench.owner()
    equal(await outcomeOf(change(owner, 'eleven silent badgers hum')), 'INVALID_CREDENTIALS')
    equal(await speaks(owner.issued.accessToken), 'done')
  })

  test('holds the new password to the rules', async () => {
    const error = await refusalOf(change(await bench.owner(), PASSWORD, 'passwordpassword'))
    deepEqual([error.code, error.facts], ['PASSWORD_REJECTED', { field: 'newPassword', reason: 'common' }])
  })

  test('invalidates reset links that are on their way', async () => {
    const owner = await bench.owner({ email: 'onway@example.com' })
    await ask('onway@example.com')
    await change(owner)
    equal(await outcomeOf(reset(bench.token('onway@example.com', 'password_reset'))), 'LINK_INVALID')
  })

  test('under a session that ended meanwhile changes nothing', async () => {
    const owner = await bench.owner({ email: 'ended@example.com' })
    const caller = await bench.caller(owner)
    await bench.rows(`update user_sessions set revoked_at = now() where id = '${owner.issued.session.id}' returning id`)
    const input = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD, request: REQUEST }
    equal(await outcomeOf(changePassword(bench.engine, caller, input)), 'SESSION_REVOKED')
    equal(await outcomeOf(login('ended@example.com', PASSWORD)), 'done')
  })
})

describe('a reset', () => {
  test('sets the password, ends every session in every tenant, and opens none', async () => {
    const { here, there } = await inTwoTenants('reset@example.com')
    await ask('Reset@Example.com')
    const before = await bench.rows(`select id from user_sessions where user_id = '${here.member.user.id}'`)
    await reset(bench.token('reset@example.com', 'password_reset'))
    for (const session of [here, there]) {
      equal(await speaks(session.issued.accessToken), 'SESSION_INVALIDATED')
      equal(await refreshes(session), 'refused')
    }
    const after = await bench.rows(`select revoke_reason from user_sessions where user_id = '${here.member.user.id}'`)
    equal(after.length, before.length)
    ok(after.every(({ revoke_reason: reason }) => reason === 'password_reset'))
    equal(await outcomeOf(login('reset@example.com', OTHER_PASSWORD, here.member.tenant.id)), 'done')
    equal(bench.outbox.messages('reset@example.com').at(-1)?.kind, 'password_changed')
  })

  test('proves the address, and leaves second factors as they are', async () => {
    const { member } = await bench.owner({ email: 'proves@example.com' })
    await bench.rows(
      `insert into mfa_factors (id, user_id, type, label, created_at, verified_at) values ('${member.staff.id}', '${member.user.id}', 'totp', 'App', now(), now()) returning id`,
    )
    await ask('proves@example.com')
    await reset(bench.token('proves@example.com', 'password_reset'))
    const [row] = await bench.rows(
      `select email_verified_at is not null as verified, (select count(*)::int from mfa_factors where user_id = u.id and disabled_at is null) as factors from users u where id = '${member.user.id}'`,
    )
    deepEqual(row, { verified: true, factors: 1 })
  })

  test('works once, and for one hour', async () => {
    await bench.owner({ email: 'hour@example.com' })
    await ask('hour@example.com')
    const token = bench.token('hour@example.com', 'password_reset')
    equal(await bench.later(HOUR + 1000, () => outcomeOf(reset(token))), 'LINK_INVALID')
    await bench.later(HOUR - 60_000, () => reset(token))
    equal(await outcomeOf(reset(token)), 'LINK_INVALID')
  })

  test('asked for again invalidates the older link', async () => {
    await bench.owner({ email: 'older@example.com' })
    await ask('older@example.com')
    const older = bench.token('older@example.com', 'password_reset')
    await ask('older@example.com')
    equal(await outcomeOf(reset(older)), 'LINK_INVALID')
    await reset(bench.token('older@example.com', 'password_reset'))
  })

  test('with a password that is refused leaves the link as it is', async () => {
    await bench.owner({ email: 'stays@example.com' })
    await ask('stays@example.com')
    const token = bench.token('stays@example.com', 'password_reset')
    equal(await outcomeOf(reset(token, 'passwordpassword')), 'PASSWORD_REJECTED')
    await reset(token)
  })

  test('does not take a link of another kind', async () => {
    await bench.owner({ email: 'kind@example.com' })
    const token = bench.token('kind@example.com', 'email_verification')
    equal(await outcomeOf(reset(token)), 'LINK_INVALID')
    const tokenHash = hashOfPresented(token)
    const { directory } = bench.engine.store
    equal(await directory.resetPassword({ tokenHash, passwordHash: 'x' }, () => []), undefined)
    equal(await directory.link('password_reset', tokenHash), undefined)
    ok(await directory.link('email_verification', tokenHash))
  })

  test('asked for by anyone says nothing: unknown and disabled accounts write as much and get no mail', async () => {
    const { member } = await bench.owner({ email: 'off@example.com' })
    await bench.owner({ email: 'on@example.com' })
    await bench.rows(`update users set disabled_at = now() where id = '${member.user.id}' returning id`)
    const written = async (email: string) => {
      const count = `select (select count(*)::int from one_time_tokens) as links, (select count(*)::int from audit_logs) as rows`
      const [before] = await bench.rows(count)
      equal(await ask(email), undefined)
      const [after] = await bench.rows(count)
      return [Number(after?.['links']) - Number(before?.['links']), Number(after?.['rows']) - Number(before?.['rows'])]
    }
    deepEqual(await written('on@example.com'), [1, 1])
    deepEqual(await written('off@example.com'), [1, 1])
    deepEqual(await written('nobody@example.com'), [1, 1])
    equal(bench.outbox.messages('nobody@example.com').length, 0)
    equal(
      bench.outbox.messages('off@example.com').some(({ kind }) => kind === 'password_reset'),
      false,
    )
    const [kept] = await bench.rows("select count(*)::int as n from one_time_tokens where email = 'nobody@example.com'")
    equal(kept?.['n'], 0)
  })
})
