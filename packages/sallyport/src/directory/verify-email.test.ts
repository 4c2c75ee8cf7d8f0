import { deepEqual, equal, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Bench } from '../../../../tests/support/directory-bench.ts'
import { openBench, OTHER_PASSWORD, outcomeOf, PASSWORD, REQUEST } from '../../../../tests/support/directory-bench.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { signIn } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import { verifyEmail } from './verify-email.ts'
import { whoAmI } from './who-am-i.ts'

const DAY = 24 * 3_600_000

describe('a sign-up that is signed in at once', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
  })
  afterAll(() => bench?.close())
  const verify = (token: string) => verifyEmail(bench.engine, { token, request: REQUEST })

  test('the address is verified by its link, once, and recorded', async () => {
    const owner = await bench.owner({ email: 'v@example.com' })
    const caller = await bench.caller(owner)
    equal((await whoAmI(bench.engine, caller)).user.emailVerified, false)
    const token = bench.token('v@example.com', 'email_verification')
    await verify(token)
    equal(await outcomeOf(verify(token)), 'LINK_INVALID')
    equal((await whoAmI(bench.engine, caller)).user.emailVerified, true)
    const rows = await bench.rows(
      `select tenant_id from audit_logs where action = 'EMAIL_VERIFIED' and resource_id = '${owner.member.user.id}'`,
    )
    deepEqual(rows, [{ tenant_id: owner.member.tenant.id }])
  })

  test('not after a day, and not once the person has another address', async () => {
    const { member } = await bench.owner({ email: 'day@example.com' })
    const token = bench.token('day@example.com', 'email_verification')
    equal(await bench.later(DAY + 1000, () => outcomeOf(verify(token))), 'LINK_INVALID')
    await bench.rows(`update users set email = 'other@example.com' where id = '${member.user.id}' returning id`)
    equal(await outcomeOf(verify(token)), 'LINK_INVALID')
  })

  test('the caller is told who and where they are', async () => {
    const owner = await bench.owner({ email: 'me@example.com', name: 'Me Myself' })
    const me = await whoAmI(bench.engine, await bench.caller(owner))
    equal(me.user.name, 'Me Myself')
    equal(me.session.isCurrent, true)
    deepEqual([me.impersonation, me.factors], [null, []])
    equal(me.staff.permissions.length, 4)
  })
})

describe('a sign-up that goes on by mail', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }), {
      signUp: { verifyEmailFirst: true },
    })
  })
  afterAll(() => bench?.close())
  const join = (email: string, password = PASSWORD) =>
    signUp(bench.engine, { email, password, name: 'Ada', tenantName: 'Engines', request: REQUEST })
  const verify = (token: string) => verifyEmail(bench.engine, { token, request: REQUEST })
  const login = (email: string, password = PASSWORD) => signIn(bench.engine, { email, password, request: REQUEST })

  test('makes nothing but a link, which makes the tenant', async () => {
    deepEqual(await join('ada@example.com'), { kind: 'by-mail' })
    equal(await outcomeOf(login('ada@example.com')), 'INVALID_CREDENTIALS')
    equal((await bench.rows('select id from tenants')).length, 0)
    const token = bench.token('ada@example.com', 'email_verification')
    await verify(token)
    const { member } = await login('ada@example.com')
    deepEqual([member.staff.role, member.tenant.name], ['owner', 'Engines'])
    ok(member.user.emailVerifiedAt instanceof Date)
    equal(await outcomeOf(verify(token)), 'LINK_INVALID')
    const [used] = await bench.rows("select data::text as data from one_time_tokens where email = 'ada@example.com'")
    equal(used?.['data'], '{}')
  })

  test('answers a known address alike, writes as much, and tells only its owner', async () => {
    await join('known@example.com')
    await verify(bench.token('known@example.com', 'email_verification'))
    const count = 'select count(*)::int as n from one_time_tokens'
    const [before] = await bench.rows(count)
    deepEqual(await join('KNOWN@example.com', OTHER_PASSWORD), { kind: 'by-mail' })
    const [after] = await bench.rows(count)
    equal(Number(after?.['n']) - Number(before?.['n']), 1)
    const [newest] = await bench.rows(
      'select email, data::text as data from one_time_tokens order by created_at desc, id desc limit 1',
    )
    deepEqual(newest, { email: '', data: '{}' })
    equal(bench.outbox.messages('known@example.com').at(-1)?.kind, 'sign_up_known_address')
    equal(await outcomeOf(login('known@example.com', OTHER_PASSWORD)), 'INVALID_CREDENTIALS')
  })

  test('leaves the address to whoever confirms it first', async () => {
    await join('race@example.com', OTHER_PASSWORD)
    const strangers = bench.token('race@example.com', 'email_verification')
    await join('race@example.com', PASSWORD)
    await verify(bench.token('race@example.com', 'email_verification'))
    equal(await outcomeOf(verify(strangers)), 'LINK_INVALID')
    equal(await outcomeOf(login('race@example.com', OTHER_PASSWORD)), 'INVALID_CREDENTIALS')
    equal(await outcomeOf(login('race@example.com', PASSWORD)), 'done')
  })
})
