import { deepEqual, equal, ok } from 'node:assert/strict'
import { hash } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Bench } from '../../../../tests/support/directory-bench.ts'
import { openBench, outcomeOf, PASSWORD, REQUEST, refusalOf } from '../../../../tests/support/directory-bench.ts'
import { isFailureRecorded } from '../internal/recorded-failure.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { acceptInvitation } from './accept-invitation.ts'
import { invite } from './invite.ts'
import { signIn } from './sign-in.ts'
import { signUp } from './sign-up.ts'
import type { SignedIn } from './signed-in.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
})
afterAll(() => bench?.close())

const WRONG = 'eleven silent badgers hum'
const login = (email: string, password: string, tenant?: string) =>
  signIn(bench.engine, { email, password, tenant, request: REQUEST })

async function inviteTo(owner: SignedIn, email: string): Promise<void> {
  const caller = await bench.caller(owner)
  await invite(bench.engine, caller, { email, name: 'Mo', role: 'member', request: REQUEST })
}

describe('sign-up', () => {
  test('a tenant, its owner and a session come into being, recorded together', async () => {
    const { member, issued } = await bench.owner({ email: 'Ada@Example.com', tenantName: 'Analytical Engines' })
    equal(member.staff.role, 'owner')
    equal(member.tenant.slug, 'analytical-engines')
    equal(member.user.email, 'Ada@Example.com')
    equal(member.user.emailVerifiedAt, null)
    const caller = await bench.caller({ member, issued })
    deepEqual([...caller.permissions].length, 4)
    const rows = await bench.rows(
      `select action from audit_logs where tenant_id = '${member.tenant.id}' order by created_at, id`,
    )
    deepEqual(
      rows.map(({ action }) => action),
      ['TENANT_CREATED', 'USER_JOINED', 'AUTH_LOGIN', 'SESSION_CREATED'],
    )
    ok(bench.token('ada@example.com', 'email_verification').startsWith('spot_'))
  })

  test('an address is taken whatever its case', async () => {
    await bench.owner({ email: 'taken@example.com' })
    equal(await outcomeOf(bench.owner({ email: 'TAKEN@Example.com' })), 'EMAIL_TAKEN')
    equal((await bench.rows("select id from users where lower(email) = 'taken@example.com'")).length, 1)
  })

  test('a taken slug gets a number, and a refused sign-up takes none', async () => {
    const slugs = []
    for (const email of ['s1@example.com', 's2@example.com', 's2@example.com', 's3@example.com']) {
      const made = await bench.owner({ email, tenantName: 'Slug & Co' }).catch(() => undefined)
      slugs.push(made?.member.tenant.slug)
    }
    deepEqual(slugs, ['slug-co', 'slug-co-2', undefined, 'slug-co-3'])
  })

  test('a bad password is refused by name, and nothing is made', async () => {
    const error = await refusalOf(
      signUp(bench.engine, {
        email: 'weak@example.com',
        password: 'passwordpassword',
        name: 'Wendy',
        tenantName: 'Weak',
        request: REQUEST,
      }),
    )
    equal(error.code, 'PASSWORD_REJECTED')
    deepEqual(error.facts, { field: 'password', reason: 'common' })
    equal((await bench.rows("select id from users where email = 'weak@example.com'")).length, 0)
  })

  test('the password itself is nowhere in the database', async () => {
    const rows = await bench.rows('select to_jsonb(u)::text as row from users u')
    equal(
      rows.some(({ row }) => String(row).includes(PASSWORD)),
      false,
    )
  })
})

describe('sign-in', () => {
  test('with the right password, whatever the case of the address', async () => {
    const { member } = await bench.owner({ email: 'in@example.com' })
    const signedIn = await login(' IN@example.com ', PASSWORD)
    equal(signedIn.member.user.id, member.user.id)
    deepEqual(signedIn.issued.session.amr, ['pwd'])
  })

  test('unknown, wrong, of another tenant, disabled, removed: one answer, and each recorded', async () => {
    const { member } = await bench.owner({ email: 'same@example.com' })
    const other = await bench.owner({ tenantName: 'Elsewhere' })
    const answers = [
      await refusalOf(login('nobody@example.com', PASSWORD)),
      await refusalOf(login('same@example.com', WRONG)),
      await refusalOf(login('same@example.com', PASSWORD, other.member.tenant.slug)),
    ]
    await bench.rows(`update tenant_staff set status = 'disabled' where id = '${member.staff.id}' returning id`)
    answers.push(await refusalOf(login('same@example.com', PASSWORD)))
    await bench.rows(`update tenant_staff set status = 'removed' where id = '${member.staff.id}' returning id`)
    answers.push(await refusalOf(login('same@example.com', PASSWORD)))
    await bench.rows(`update tenant_staff set status = 'active' where id = '${member.staff.id}' returning id`)
    await bench.rows(`update users set disabled_at = now() where id = '${member.user.id}' returning id`)
    answers.push(await refusalOf(login('same@example.com', PASSWORD)))
    await bench.rows(`update users set disabled_at = null where id = '${member.user.id}' returning id`)
    await bench.rows(`update tenants set disabled_at = now() where id = '${member.tenant.id}' returning id`)
    answers.push(await refusalOf(login('same@example.com', PASSWORD)))

    const told = answers.map(({ code, message, facts }) => JSON.stringify({ code, message, facts }))
    equal(new Set(told).size, 1)
    equal(answers[0]?.code, 'INVALID_CREDENTIALS')
    ok(answers.every(isFailureRecorded))
    const rows = await bench.rows(
      `select tenant_id, user_id, resource_id, failure_reason from audit_logs where action = 'AUTH_LOGIN_FAILED' and resource_id = '${member.user.id}'`,
    )
    equal(rows.length, 6)
    // Nobody knows who it was: the account is the target. And the tenant that was merely named hears nothing.
    ok(rows.every(({ user_id: actor }) => actor === null))
    equal(rows.filter(({ tenant_id: tenant }) => tenant === other.member.tenant.id).length, 0)
    equal(rows.filter(({ tenant_id: tenant }) => tenant === member.tenant.id).length, 5)
  })

  test('an unknown address is recorded in the service’s own log, and what was typed is not', async () => {
    await refusalOf(login('my-password-typed-here@example.com', WRONG))
    const rows = await bench.rows(
      "select to_jsonb(a)::text as row from audit_logs a where action = 'AUTH_LOGIN_FAILED'",
    )
    equal(
      rows.some(({ row }) => String(row).includes('typed-here')),
      false,
    )
  })

  test('who is in several tenants is given the list, but only after the right password', async () => {
    const first = await bench.owner({ email: 'multi@example.com', tenantName: 'First' })
    const second = await bench.owner({ tenantName: 'Second' })
    await inviteTo(second, 'multi@example.com')
    const token = bench.token('multi@example.com', 'invitation')
    await acceptInvitation(bench.engine, { token, name: 'x', password: PASSWORD, request: REQUEST })

    equal(await outcomeOf(login('multi@example.com', WRONG)), 'INVALID_CREDENTIALS')
    const error = await refusalOf(login('multi@example.com', PASSWORD))
    equal(error.code, 'TENANT_REQUIRED')
    deepEqual(
      error.facts['tenants'],
      [first, second].map(({ member: { tenant } }) => ({ id: tenant.id, slug: tenant.slug, name: tenant.name })),
    )
    const disable = (at: string) =>
      bench.rows(`update users set disabled_at = ${at} where id = '${first.member.user.id}' returning id`)
    await disable('now()')
    equal(await outcomeOf(login('multi@example.com', PASSWORD)), 'INVALID_CREDENTIALS')
    await disable('null')
    equal((await login('multi@example.com', PASSWORD, 'SECOND')).member.tenant.id, second.member.tenant.id)
    const byId = await login('multi@example.com', PASSWORD, first.member.tenant.id)
    equal(byId.member.tenant.id, first.member.tenant.id)
  })

  test('a hash of weaker parameters is replaced on the way', async () => {
    const { member } = await bench.owner({ email: 'old@example.com' })
    const weak = await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
    await bench.rows(`update users set password_hash = '${weak}' where id = '${member.user.id}' returning id`)
    await login('old@example.com', PASSWORD)
    const [row] = await bench.rows(`select password_hash from users where id = '${member.user.id}'`)
    ok(String(row?.['password_hash']).startsWith('$argon2id$v=19$m=47104,t=2,p=1$'))
    await login('old@example.com', PASSWORD)
  })

  test('a user without a password cannot be signed in to', async () => {
    const { member } = await bench.owner({ email: 'host@example.com' })
    await bench.rows(`update users set password_hash = null where id = '${member.user.id}' returning id`)
    equal(await outcomeOf(login('host@example.com', '')), 'INVALID_CREDENTIALS')
    equal(await outcomeOf(login('host@example.com', PASSWORD)), 'INVALID_CREDENTIALS')
  })

  test('known and unknown addresses take the same time', async () => {
    await bench.owner({ email: 'timed@example.com' })
    const times: Record<string, number[]> = { known: [], unknown: [] }
    const timed = async (kind: string, email: string) => {
      const started = performance.now()
      await outcomeOf(login(email, WRONG))
      times[kind]?.push(performance.now() - started)
    }
    // In turns, so that whatever else this machine does meets both alike.
    for (let round = 0; round < 15; round++) {
      await timed('known', 'timed@example.com')
      await timed('unknown', `nobody-${round}@example.com`)
    }
    const [known, unknown] = [median(times['known']), median(times['unknown'])]
    // A skipped hash would make one of them ten times the other.
    ok(known / unknown < 1.6 && unknown / known < 1.6, `medians: ${known} ms known, ${unknown} ms unknown`)
  })
})

function median(values: readonly number[] = []): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
