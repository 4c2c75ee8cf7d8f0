import { deepEqual, equal } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { acceptInvitation } from '../../packages/sallyport/src/directory/accept-invitation.ts'
import { changePassword } from '../../packages/sallyport/src/directory/change-password.ts'
import { invite } from '../../packages/sallyport/src/directory/invite.ts'
import { hashPassword } from '../../packages/sallyport/src/directory/passwords.ts'
import { requestPasswordReset } from '../../packages/sallyport/src/directory/request-reset.ts'
import { ensureMember } from '../../packages/sallyport/src/directory/shadow.ts'
import { verifyEmail } from '../../packages/sallyport/src/directory/verify-email.ts'
import { hashOfPresented, newLink } from '../../packages/sallyport/src/directory/link-token.ts'
import { newTenant } from '../../packages/sallyport/src/directory/new-tenant.ts'
import type { StaffId, UserId } from '../../packages/sallyport/src/ids.ts'
import { newId } from '../../packages/sallyport/src/ids.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import type { Bench } from '../support/directory-bench.ts'
import { openBench, OTHER_PASSWORD, outcomeOf, PASSWORD, REQUEST } from '../support/directory-bench.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

const MANY = 50

describe.skipIf(!hasPostgres)('one-time links and the directory on PostgreSQL', () => {
  let made: TestDatabase
  let bench: Bench
  let hash: string

  beforeAll(async () => {
    made = await createDatabase()
    // More connections than the default, so that more of the calls truly run at the same time.
    bench = await openBench(nodePostgres({ url: made.url, poolSize: 20, clock: { offsetMs: 0 } }))
    hash = await hashPassword(OTHER_PASSWORD)
  })
  afterAll(async () => {
    await bench?.close()
    await made?.drop()
  })

  const atOnce = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: MANY }, (_, index) => work(index)))
  const countOf = async (text: string) => (await bench.rows(text)).length

  // The store's own calls: the hashes before them would let the calls arrive one by one.
  test('of many that use one reset link, one sets the password', async () => {
    const { member } = await bench.owner({ email: 'reset@example.com' })
    await requestPasswordReset(bench.engine, { email: 'reset@example.com', request: REQUEST })
    const tokenHash = hashOfPresented(bench.token('reset@example.com', 'password_reset'))
    const outcomes = await atOnce(() =>
      bench.engine.store.directory.resetPassword({ tokenHash, passwordHash: hash }, () => []),
    )
    equal(outcomes.filter((outcome) => outcome !== undefined).length, 1)
    const [staff] = await bench.rows(`select session_version from tenant_staff where id = '${member.staff.id}'`)
    equal(staff?.['session_version'], 2)
  })

  test('of many that verify by one link, one does', async () => {
    await bench.owner({ email: 'verify@example.com' })
    const token = bench.token('verify@example.com', 'email_verification')
    const outcomes = await atOnce(() => outcomeOf(verifyEmail(bench.engine, { token, request: REQUEST })))
    equal(outcomes.filter((outcome) => outcome === 'done').length, 1)
    equal(outcomes.filter((outcome) => outcome === 'LINK_INVALID').length, MANY - 1)
    equal(await countOf("select id from audit_logs where action = 'EMAIL_VERIFIED'"), 1)
  })

  test('of many that accept one invitation, one joins, and one user is made', async () => {
    const caller = await bench.caller(await bench.owner())
    await invite(bench.engine, caller, { email: 'new@example.com', name: 'New', role: 'member', request: REQUEST })
    const tokenHash = hashOfPresented(bench.token('new@example.com', 'invitation'))
    const outcomes = await atOnce((index) =>
      bench.engine.store.directory.acceptInvitation(
        {
          tokenHash,
          staffId: newId<StaffId>(),
          user: { created: newId<UserId>(), name: `New ${index}`, passwordHash: hash },
        },
        () => [],
      ),
    )
    equal(outcomes.filter((outcome) => typeof outcome === 'object').length, 1)
    equal(await countOf("select id from users where email = 'new@example.com'"), 1)
  })

  test('an invitation is withdrawn or accepted, never both, whichever comes first', async () => {
    const caller = await bench.caller(await bench.owner())
    const { directory } = bench.engine.store
    const outcomes = new Set<string>()
    for (let round = 0; round < MANY; round++) {
      const email = `either-${round}@example.com`
      const { id } = await invite(bench.engine, caller, { email, name: 'E', role: 'member', request: REQUEST })
      const tokenHash = hashOfPresented(bench.token(email, 'invitation'))
      const user = { created: newId<UserId>(), name: 'E', passwordHash: hash }
      const accept = () => directory.acceptInvitation({ tokenHash, staffId: newId<StaffId>(), user }, () => [])
      const withdraw = () => directory.withdrawInvitation({ tenantId: caller.tenantId, id }, () => [])
      const [withdrawn, joined] =
        round % 2 === 0
          ? await Promise.all([withdraw(), accept()])
          : (await Promise.all([accept(), withdraw()])).toReversed()
      equal(withdrawn === undefined, typeof joined === 'object', `round ${round}`)
      equal(await countOf(`select id from users where email = '${email}'`), withdrawn === undefined ? 1 : 0)
      outcomes.add(withdrawn === undefined ? 'accepted' : 'withdrawn')
    }
    // Else one of them was never first, and this has shown nothing.
    equal(outcomes.size, 2)
  })

  test('also when each of them is a whole request', async () => {
    const caller = await bench.caller(await bench.owner())
    await invite(bench.engine, caller, { email: 'whole@example.com', name: 'W', role: 'member', request: REQUEST })
    const token = bench.token('whole@example.com', 'invitation')
    const outcomes = await atOnce(() =>
      outcomeOf(acceptInvitation(bench.engine, { token, name: 'W', password: OTHER_PASSWORD, request: REQUEST })),
    )
    equal(outcomes.filter((outcome) => outcome === 'done').length, 1)
    equal(
      await countOf(
        "select s.id from tenant_staff s join users u on u.id = s.user_id where u.email = 'whole@example.com'",
      ),
      1,
    )
  })

  test('of many sign-ups of one address, one is made, and no tenant without an owner', async () => {
    const outcomes = await atOnce((index) =>
      bench.engine.store.directory.createTenant(
        {
          ...newTenant({
            email: index % 2 === 0 ? 'many@example.com' : 'MANY@example.com',
            tenantName: 'Many',
            userName: 'Many',
            passwordHash: hash,
          }),
          link: newLink('email_verification').link,
        },
        () => [],
      ),
    )
    equal(outcomes.filter((outcome) => outcome !== 'email-taken').length, 1)
    equal(await countOf("select id from tenants where name = 'Many'"), 1)
  })

  test('of many tenants of one name, each gets a slug of its own', async () => {
    const outcomes = await atOnce((index) =>
      bench.engine.store.directory.createTenant(
        {
          ...newTenant({ email: `same-${index}@example.com`, tenantName: 'Same', userName: 'S', passwordHash: hash }),
          link: newLink('email_verification').link,
        },
        () => [],
      ),
    )
    const slugs = outcomes.map((outcome) => (outcome === 'email-taken' ? undefined : outcome.tenant.slug))
    equal(new Set(slugs).size, MANY)
  })

  test('of many changes from one password, one takes effect and its session lives', async () => {
    const owner = await bench.owner({ email: 'change@example.com' })
    const caller = await bench.caller(owner)
    const { tenantId, userId, sessionId } = caller
    const from = String(
      (await bench.rows(`select password_hash from users where id = '${userId}'`))[0]?.['password_hash'],
    )
    const outcomes = await atOnce((index) =>
      bench.engine.store.directory.changePassword(
        { tenantId, userId, sessionId, from, to: `${hash}${index}` },
        () => [],
      ),
    )
    equal(outcomes.filter((outcome) => typeof outcome === 'object').length, 1)
    equal(outcomes.filter((outcome) => outcome === 'stale').length, MANY - 1)
    const [session] = await bench.rows(
      `select s.session_version = st.session_version as current, st.session_version, s.revoked_at from user_sessions s join tenant_staff st on st.id = s.staff_id where s.id = '${sessionId}'`,
    )
    deepEqual(session, { current: true, session_version: 2, revoked_at: null })
  })

  test('changes by two sessions at once leave one of them signed in', async () => {
    const { signIn } = await import('../../packages/sallyport/src/directory/sign-in.ts')
    const one = await bench.owner({ email: 'duel@example.com' })
    const two = await signIn(bench.engine, { email: 'duel@example.com', password: PASSWORD, request: REQUEST })
    const callers = [await bench.caller(one), await bench.caller(two)]
    const outcomes = await Promise.all(
      callers.map((caller, index) =>
        outcomeOf(
          changePassword(bench.engine, caller, {
            currentPassword: PASSWORD,
            newPassword: `${OTHER_PASSWORD} ${index}`,
            request: REQUEST,
          }),
        ),
      ),
    )
    equal(outcomes.filter((outcome) => outcome === 'done').length, 1)
    const live = `select id from user_sessions where user_id = '${one.member.user.id}' and revoked_at is null`
    equal(await countOf(live), 1)
  })

  test('of many that make sure of one member of a host, all get the same ids, and one row each is made', async () => {
    const ids = await atOnce(() =>
      ensureMember(bench.engine, {
        tenant: { externalId: 'host-tenant', name: 'Host' },
        user: { externalId: 'host-user', email: 'host-user@example.com', name: 'Una' },
        role: 'admin',
      }),
    )
    equal(new Set(ids.map((one) => JSON.stringify(one))).size, 1)
    equal(await countOf("select id from tenants where external_id = 'host-tenant'"), 1)
    equal(await countOf("select id from users where external_id = 'host-user'"), 1)
    equal(await countOf(`select id from tenant_staff where tenant_id = '${ids[0]?.tenantId}'`), 1)
    const rows = await bench.rows(
      `select action from audit_logs where tenant_id = '${ids[0]?.tenantId}' order by action`,
    )
    deepEqual(
      rows.map(({ action }) => action),
      ['TENANT_CREATED', 'USER_JOINED'],
    )
  })
})
