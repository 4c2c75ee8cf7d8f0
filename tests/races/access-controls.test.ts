import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changeMember } from '../../packages/sallyport/src/directory/change-member.ts'
import { removeMember } from '../../packages/sallyport/src/directory/remove-member.ts'
import { changePassword } from '../../packages/sallyport/src/directory/change-password.ts'
import { deleteUser } from '../../packages/sallyport/src/directory/delete-user.ts'
import { exitImpersonation } from '../../packages/sallyport/src/impersonation/exit.ts'
import type { IpRuleId, SessionId } from '../../packages/sallyport/src/ids.ts'
import { refresh } from '../../packages/sallyport/src/refresh-tokens/refresh.ts'
import { logout } from '../../packages/sallyport/src/sessions/logout.ts'
import type { ClockShift } from '../../packages/sallyport/src/store/contract/store.ts'
import { Delays } from '../support/delays.ts'
import { acceptInvitation } from '../../packages/sallyport/src/directory/accept-invitation.ts'
import { invite } from '../../packages/sallyport/src/directory/invite.ts'
import type { SignedIn } from '../../packages/sallyport/src/directory/signed-in.ts'
import type { Role } from '../../packages/sallyport/src/directory/roles.ts'
import { startImpersonation } from '../../packages/sallyport/src/impersonation/start.ts'
import { addIpRule, removeIpRule } from '../../packages/sallyport/src/ip-rules/change.ts'
import { revokeSession } from '../../packages/sallyport/src/sessions/revoke.ts'
import { forceLogout } from '../../packages/sallyport/src/sessions/force-logout.ts'
import { nodePostgres } from '../../packages/sallyport/src/store/postgres/node-postgres.ts'
import type { Bench } from '../support/directory-bench.ts'
import { openBench, OTHER_PASSWORD, outcomeOf, PASSWORD, REQUEST } from '../support/directory-bench.ts'
import { createDatabase, hasPostgres, type TestDatabase } from '../support/postgres.ts'

/** How often each kind of end is tried. */
const ROUNDS = Number(process.env['SALLYPORT_ROUNDS'] ?? 8)
const FROM = { ipAddress: '192.0.2.7' }

describe.skipIf(!hasPostgres)('access controls on PostgreSQL, on three nodes', () => {
  let made: TestDatabase
  let here: Bench
  let there: Bench
  let others: readonly Bench[]
  const clock: ClockShift = { offsetMs: 0 }

  beforeAll(async () => {
    made = await createDatabase()
    const open = () => openBench(nodePostgres({ url: made.url, clock, poolSize: 4 }))
    here = await open()
    there = await open()
    others = [there, await open()]
  })
  afterAll(async () => {
    await Promise.all([here, ...(others ?? [])].map((node) => node?.close()))
    await made?.drop()
  })

  let joined = 0
  async function join(owner: SignedIn, role: Role): Promise<SignedIn> {
    const email = `joined-${++joined}-${role}@example.com`
    await invite(here.engine, await here.caller(owner), { email, name: 'Mo', role, request: REQUEST })
    const token = here.token(email, 'invitation')
    return acceptInvitation(here.engine, { token, name: 'Mo', password: OTHER_PASSWORD, request: REQUEST })
  }
  const passes = async (node: Bench, token: string): Promise<string> =>
    outcomeOf(Promise.resolve().then(() => node.instance.authenticate(token, FROM)))
  async function acting(real: SignedIn, target: SignedIn): Promise<{ token: string; sessionId: SessionId }> {
    const caller = await here.caller(real)
    const started = await startImpersonation(here.engine, caller, {
      staffId: target.member.staff.id,
      reason: 'to see',
      request: REQUEST,
    })
    return { token: started.accessToken, sessionId: started.session.id }
  }

  test('of owners who remove and unmake each other at once, one stays', async () => {
    for (let round = 0; round < 5; round++) {
      const first = await here.owner()
      const second = await join(first, 'owner')
      const [one, two] = [await here.caller(first), await there.caller(second)]
      const outcomes = await Promise.all([
        outcomeOf(
          changeMember(here.engine, one, { staffId: second.member.staff.id, role: 'member', request: REQUEST }),
        ),
        outcomeOf(removeMember(there.engine, two, { staffId: first.member.staff.id, request: REQUEST })),
        outcomeOf(removeMember(here.engine, one, { staffId: first.member.staff.id, request: REQUEST })),
      ])
      expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
      expect(
        await here.rows(
          `select count(*)::int as owners from tenant_staff
            where tenant_id = '${first.member.tenant.id}' and role = 'owner' and status = 'active'`,
        ),
      ).toEqual([{ owners: 1 }])
    }
  })

  test('one who loses their rights beside a change that they make does not make it after', async () => {
    const owner = await here.owner()
    const admin = await join(owner, 'admin')
    const member = await join(owner, 'member')
    const [boss, caller] = [await here.caller(owner), await there.caller(admin)]
    // The other node still takes the admin for one.
    await changeMember(here.engine, boss, { staffId: admin.member.staff.id, role: 'member', request: REQUEST })
    const change = { staffId: member.member.staff.id, role: 'admin' as const, request: REQUEST }
    expect(await outcomeOf(changeMember(there.engine, caller, change))).toBe('FORBIDDEN')
  })

  type End = (people: {
    owner: SignedIn
    real: SignedIn
    target: SignedIn
    token: string
    sessionId: SessionId
  }) => Promise<unknown>
  const asOwner = async ({ owner }: { readonly owner: SignedIn }) => here.caller(owner)
  const staffOf = ({ member }: SignedIn) => member.staff.id
  const ENDS: Readonly<Record<string, End>> = {
    'it is exited': async ({ token }) =>
      exitImpersonation(here.engine, await here.instance.authenticate(token, FROM), { request: REQUEST }),
    'the one acted as ends it': async ({ target, sessionId }) =>
      revokeSession(here.engine, await here.caller(target), sessionId, REQUEST),
    'it signs out': ({ token }) => logout(here.engine, { accessToken: token, request: REQUEST }),
    'the real session is revoked': async ({ real }) => {
      const caller = await here.caller(real)
      return revokeSession(here.engine, caller, caller.sessionId, REQUEST)
    },
    'the real session signs out': ({ real }) =>
      logout(here.engine, { accessToken: real.issued.accessToken, request: REQUEST }),
    'the real session’s token is stolen': async ({ real }) => {
      const strict = { ...here.engine.settings, retry: { ...here.engine.settings.retry, mode: 'strict' as const } }
      const engine = { ...here.engine, settings: strict }
      for (const _ of ['used', 'used again']) {
        await refresh(engine, { refreshToken: real.issued.refreshToken, request: REQUEST })
      }
    },
    'the one acting changes the password': async ({ real }) =>
      changePassword(here.engine, await here.caller(real), {
        currentPassword: OTHER_PASSWORD,
        newPassword: PASSWORD,
        request: REQUEST,
      }),
    'the one acted as changes the password': async ({ target }) =>
      changePassword(here.engine, await here.caller(target), {
        currentPassword: OTHER_PASSWORD,
        newPassword: PASSWORD,
        request: REQUEST,
      }),
    'the one acting is forced out': async (all) =>
      forceLogout(here.engine, await asOwner(all), all.real.member.user.id, REQUEST),
    'the one acted as is forced out': async (all) =>
      forceLogout(here.engine, await asOwner(all), all.target.member.user.id, REQUEST),
    'the one acting is disabled': async (all) =>
      changeMember(here.engine, await asOwner(all), { staffId: staffOf(all.real), disabled: true, request: REQUEST }),
    'the one acted as is disabled': async (all) =>
      changeMember(here.engine, await asOwner(all), { staffId: staffOf(all.target), disabled: true, request: REQUEST }),
    'the one acting is removed': async (all) =>
      removeMember(here.engine, await asOwner(all), { staffId: staffOf(all.real), request: REQUEST }),
    'the one acted as is removed': async (all) =>
      removeMember(here.engine, await asOwner(all), { staffId: staffOf(all.target), request: REQUEST }),
    'the one acted as is deleted': ({ target }) => deleteUser(here.engine, target.member.user.id),
  }

  test('an impersonation dies here at the next request, and on the other nodes in the time that is promised', async () => {
    const delays = new Delays()
    const owner = await here.owner()
    for (const [what, end] of Object.entries(ENDS)) {
      for (let kept = 0; kept < ROUNDS; ) {
        const [real, target] = [await join(owner, 'admin'), await join(owner, 'member')]
        const { token, sessionId } = await acting(real, target)
        for (const node of [here, ...others]) expect(await passes(node, token)).toBe('done')
        const ending = async () => {
          await end({ owner, real, target, token, sessionId })
          expect(await passes(here, token), `when ${what}`).not.toBe('done')
        }
        const probes = others.map((node) => ({ unaware: async () => (await passes(node, token)) === 'done' }))
        if (await delays.take(ending, probes)) kept++
      }
    }
    delays.expectKept(
      'the end of an impersonation is known elsewhere',
      Object.keys(ENDS).length * ROUNDS * others.length,
    )
  }, 300_000)

  test('an impersonation ends by its time on every node, told or not', async () => {
    const owner = await here.owner()
    const { token } = await acting(await join(owner, 'admin'), await join(owner, 'member'))
    for (const node of [here, ...others]) expect(await passes(node, token)).toBe('done')
    clock.offsetMs += 30 * 60_000
    await Promise.all([here, ...others].map(({ engine }) => engine.live.poll()))
    for (const node of [here, ...others]) expect(await passes(node, token)).toBe('SESSION_EXPIRED')
    clock.offsetMs = 0
    await Promise.all([here, ...others].map(({ engine }) => engine.live.poll()))
  })

  test('no impersonation outlives what ends the one acting or the one acted as beside its start', async () => {
    for (let round = 0; round < 8; round++) {
      const owner = await here.owner()
      const [real, target] = [await join(owner, 'admin'), await join(owner, 'member')]
      const boss = await there.caller(owner)
      const staffId = (round % 2 === 0 ? real : target).member.staff.id
      const [started] = await Promise.all([
        acting(real, target).catch(() => undefined),
        changeMember(there.engine, boss, { staffId, disabled: true, request: REQUEST }),
      ])
      if (started === undefined) continue
      await Promise.all([here.engine.live.poll(), there.engine.live.poll()])
      expect(await passes(here, started.token)).not.toBe('done')
      expect(await passes(there, started.token)).not.toBe('done')
    }
  })

  test('two admins who act as each other are ended from both sides without a deadlock that anybody sees', async () => {
    const owner = await here.owner()
    const [one, two] = [await join(owner, 'admin'), await join(owner, 'admin')]
    const tokens = await Promise.all([acting(one, two), acting(two, one), acting(one, two), acting(two, one)])
    const boss = await here.caller(owner)
    await Promise.all([
      forceLogout(here.engine, boss, one.member.user.id, REQUEST),
      forceLogout(there.engine, boss, two.member.user.id, REQUEST),
    ])
    for (const { token } of tokens) expect(await passes(here, token)).not.toBe('done')
    const rows = await here.rows(
      `select session_id, count(*)::int as times from audit_logs where action = 'IMPERSONATION_ENDED'
        and tenant_id = '${owner.member.tenant.id}' group by session_id`,
    )
    expect(rows.map(({ times }) => times)).toEqual([1, 1, 1, 1])
  })

  test('a role, a permission and a rule bite here at the next request, and on the other nodes in the time that is promised', async () => {
    const delays = new Delays()
    const owner = await here.owner()
    const boss = await here.caller(owner)
    const member = await join(owner, 'member')
    const may = async (node: Bench) => (await node.caller(member)).permissions.has('SETTINGS_TEAM_VIEW')
    const change = async (to: { role?: Role; permissions?: string[] }) =>
      changeMember(here.engine, boss, { staffId: member.member.staff.id, ...to, request: REQUEST })
    const { accessToken } = member.issued
    const rule = { type: 'DENY' as const, cidr: '192.0.2.0/24', force: true, request: REQUEST }
    let added: IpRuleId | undefined
    const STEPS: readonly [() => Promise<unknown>, (node: Bench) => Promise<boolean>][] = [
      [() => change({ role: 'auditor' }), may],
      [() => change({ role: 'member' }), async (node) => !(await may(node))],
      [() => change({ permissions: ['SETTINGS_TEAM_VIEW'] }), may],
      [() => change({ permissions: [] }), async (node) => !(await may(node))],
      [
        async () => (added = (await addIpRule(here.engine, boss, rule)).id),
        async (node) => (await passes(node, accessToken)) === 'IP_BLOCKED',
      ],
      [
        () => removeIpRule(here.engine, boss, { id: added as IpRuleId, request: REQUEST }),
        async (node) => (await passes(node, accessToken)) === 'done',
      ],
    ]
    for (let round = 0; round < 3 * ROUNDS; round++) {
      for (const [make, known] of STEPS) {
        const making = async () => {
          await make()
          expect(await known(here)).toBe(true)
        }
        await delays.take(
          making,
          others.map((node) => ({ unaware: async () => !(await known(node)) })),
        )
      }
    }
    delays.expectKept('a role, a permission or a rule is known elsewhere', 100)
  })

  test('of many that add one rule at once, one does', async () => {
    const boss = await here.caller(await here.owner())
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        outcomeOf(
          addIpRule((index % 2 === 0 ? here : there).engine, boss, {
            type: 'DENY',
            cidr: '203.0.113.0/24',
            request: REQUEST,
          }),
        ),
      ),
    )
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 11 }, () => 'CONFLICT'), 'done'])
  })
})
