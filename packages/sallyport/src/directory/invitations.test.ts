import { deepEqual, equal, ok } from 'node:assert/strict'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Bench } from '../../../../tests/support/directory-bench.ts'
import { openBench, OTHER_PASSWORD, outcomeOf, PASSWORD, REQUEST } from '../../../../tests/support/directory-bench.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import { acceptInvitation } from './accept-invitation.ts'
import { invite } from './invite.ts'
import { listTeam } from './list-team.ts'
import type { Role } from './roles.ts'
import { signIn } from './sign-in.ts'
import type { SignedIn } from './signed-in.ts'

let bench: Bench

beforeAll(async () => {
  bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
})
afterAll(() => bench?.close())

const DAY = 24 * 3_600_000

async function send(by: SignedIn, email: string, role: Role = 'member'): Promise<string> {
  await invite(bench.engine, await bench.caller(by), { email, name: 'Mo', role, request: REQUEST })
  return bench.token(email, 'invitation')
}

const accept = (token: string, password = OTHER_PASSWORD) =>
  acceptInvitation(bench.engine, { token, name: 'Mo Member', password, request: REQUEST })

test('a new person joins with the role of the invitation, the address verified, and is signed in', async () => {
  const owner = await bench.owner()
  const token = await send(owner, 'new@example.com', 'auditor')
  const { member, issued } = await accept(token)
  equal(member.tenant.id, owner.member.tenant.id)
  equal(member.staff.role, 'auditor')
  ok(member.user.emailVerifiedAt instanceof Date)
  equal((await bench.caller({ member, issued })).userId, member.user.id)
  const rows = await bench.rows(
    `select action, user_id, new_value from audit_logs where tenant_id = '${member.tenant.id}' and action in ('USER_INVITED', 'USER_JOINED') order by id`,
  )
  deepEqual(
    rows.map(({ action, user_id: actor }) => [action, actor]),
    [
      ['USER_JOINED', owner.member.user.id],
      ['USER_INVITED', owner.member.user.id],
      ['USER_JOINED', member.user.id],
    ],
  )
})

test('a link works once', async () => {
  const token = await send(await bench.owner(), 'once@example.com')
  await accept(token)
  equal(await outcomeOf(accept(token)), 'LINK_INVALID')
})

test('a link works for seven days and no longer', async () => {
  const owner = await bench.owner()
  const [late, early] = [await send(owner, 'late@example.com'), await send(owner, 'early@example.com')]
  await bench.later(7 * DAY - 60_000, () => accept(early))
  equal(await bench.later(7 * DAY + 1000, () => outcomeOf(accept(late))), 'LINK_INVALID')
})

test('a newer invitation takes the place of the older', async () => {
  const owner = await bench.owner()
  const old = await send(owner, 'twice@example.com')
  const fresh = await send(owner, 'TWICE@example.com')
  equal(await outcomeOf(accept(old)), 'LINK_INVALID')
  await accept(fresh)
})

describe('a known person', () => {
  test('joins with their own password, and keeps name and password', async () => {
    const [owner, known] = [await bench.owner(), await bench.owner({ email: 'known@example.com', name: 'Kay Known' })]
    const token = await send(owner, 'known@example.com')
    const { member } = await accept(token, PASSWORD)
    equal(member.user.id, known.member.user.id)
    equal(member.user.name, 'Kay Known')
  })

  test('is not let in by the link alone, which stays good for the right password', async () => {
    const [owner] = [await bench.owner(), await bench.owner({ email: 'careful@example.com' })]
    const token = await send(owner, 'careful@example.com')
    equal(await outcomeOf(accept(token, OTHER_PASSWORD)), 'INVALID_CREDENTIALS')
    await accept(token, PASSWORD)
  })

  test('whose sign-in is the host’s gets no password by a link', async () => {
    const [owner, host] = [await bench.owner(), await bench.owner({ email: 'sso@example.com' })]
    await bench.rows(`update users set password_hash = null where id = '${host.member.user.id}' returning id`)
    equal(await outcomeOf(accept(await send(owner, 'sso@example.com'))), 'INVALID_CREDENTIALS')
  })

  test('who is a member cannot be invited again, also while disabled', async () => {
    const owner = await bench.owner()
    const { member } = await accept(await send(owner, 'again@example.com'))
    equal(await outcomeOf(send(owner, 'Again@example.com')), 'ALREADY_MEMBER')
    await bench.rows(`update tenant_staff set status = 'disabled' where id = '${member.staff.id}' returning id`)
    equal(await outcomeOf(send(owner, 'again@example.com')), 'ALREADY_MEMBER')
  })

  test('who was removed comes back with the role of the invitation and no extra grants', async () => {
    const owner = await bench.owner()
    const { member } = await accept(await send(owner, 'back@example.com', 'admin'))
    await bench.rows(
      `update tenant_staff set status = 'removed', permissions = '{SETTINGS_TEAM_EDIT}' where id = '${member.staff.id}' returning id`,
    )
    const { member: back } = await accept(await send(owner, 'back@example.com', 'member'))
    deepEqual([back.staff.id, back.staff.role, back.staff.permissions], [member.staff.id, 'member', []])
    equal((await bench.rows(`select id from changes where ref = '${member.staff.id}'`)).length, 1)
  })
})

describe('nobody gives more than they have', () => {
  const by: Partial<Record<Role, SignedIn>> = {}
  beforeAll(async () => {
    by.owner = await bench.owner()
    by.admin = await accept(await send(by.owner, 'admin@example.com', 'admin'))
    by.member = await accept(await send(by.owner, 'plain@example.com', 'member'))
  })
  test.each([
    ['owner', 'owner', 'done'],
    ['owner', 'admin', 'done'],
    ['admin', 'owner', 'FORBIDDEN'],
    ['admin', 'admin', 'done'],
    ['member', 'member', 'FORBIDDEN'],
  ] as const)('%s invites %s: %s', async (inviter, role, outcome) => {
    equal(await outcomeOf(send(by[inviter] as SignedIn, `${inviter}-${role}@example.com`, role)), outcome)
  })
  test('a member with the grant to invite invites members, and nobody above', async () => {
    const { member } = by.member as SignedIn
    await bench.rows(
      `update tenant_staff set permissions = '{SETTINGS_TEAM_EDIT}' where id = '${member.staff.id}' returning id`,
    )
    bench.engine.live.forget({ kind: 'staff', ref: member.staff.id })
    bench.engine.knownTokens.clear()
    equal(await outcomeOf(send(by.member as SignedIn, 'peer@example.com', 'member')), 'done')
    equal(await outcomeOf(send(by.member as SignedIn, 'above@example.com', 'auditor')), 'FORBIDDEN')
  })
})

test('the team is of one tenant: members, and the invitations that are open', async () => {
  const [ours, theirs] = [await bench.owner(), await bench.owner()]
  await accept(await send(ours, 'ours@example.com'))
  await send(ours, 'open@example.com', 'admin')
  await send(theirs, 'theirs@example.com')
  const team = await listTeam(bench.engine, await bench.caller(ours))
  deepEqual(
    team.members.map(({ user, role, status }) => [user.email, role, status]),
    [
      [ours.member.user.email, 'owner', 'active'],
      ['ours@example.com', 'member', 'active'],
    ],
  )
  deepEqual(
    team.invitations.map(({ email, role }) => [email, role]),
    [['open@example.com', 'admin']],
  )
})

test('neither token nor password is kept: only the hash of the one and none of the other', async () => {
  const token = await send(await bench.owner(), 'hunt@example.com')
  await accept(token)
  await signIn(bench.engine, { email: 'hunt@example.com', password: OTHER_PASSWORD, request: REQUEST })
  for (const table of ['one_time_tokens', 'audit_logs', 'users', 'changes']) {
    const rows = await bench.rows(`select to_jsonb(t)::text as row from ${table} t`)
    equal(
      rows.some(({ row }) => String(row).includes(token) || String(row).includes(OTHER_PASSWORD)),
      false,
      table,
    )
  }
})
