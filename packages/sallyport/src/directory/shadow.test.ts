import { deepEqual, equal } from 'node:assert/strict'
import { afterAll, beforeAll, beforeEach, test } from 'vitest'
import type { Bench } from '../../../../tests/support/directory-bench.ts'
import { openBench, outcomeOf, REQUEST } from '../../../../tests/support/directory-bench.ts'
import type { UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { createSession } from '../sessions/create.ts'
import { openInMemory } from '../store/pglite/open.ts'
import { pgliteDatabase } from '../store/postgres/pglite.ts'
import type { EnsureMemberInput } from './shadow.ts'
import { ensureMember } from './shadow.ts'

let bench: Bench
let n = 0

beforeAll(async () => {
  bench = await openBench(pgliteDatabase(await openInMemory(), { offsetMs: 0 }))
})
afterAll(() => bench?.close())
beforeEach(() => {
  n++
})

const input = (more: Partial<EnsureMemberInput> = {}): EnsureMemberInput => ({
  tenant: { externalId: `acme-${n}`, name: 'Acme' },
  user: { externalId: `u-${n}`, email: `u-${n}@example.com`, name: 'Una' },
  ...more,
})
const actions = async (tenantId: string) =>
  (await bench.rows(`select action from audit_logs where tenant_id = '${tenantId}' order by id`)).map(
    ({ action }) => action,
  )

test('makes what is missing, once, and records it', async () => {
  const first = await ensureMember(bench.engine, input({ role: 'owner' }))
  const second = await ensureMember(bench.engine, input({ role: 'owner' }))
  deepEqual(second, first)
  deepEqual(await actions(first.tenantId), ['TENANT_CREATED', 'USER_JOINED'])
})

test('the ids begin a session', async () => {
  const ids = await ensureMember(bench.engine, input())
  const issued = await createSession(bench.engine, {
    ...ids,
    userName: 'Una',
    amr: ['fed'],
    request: REQUEST,
    cause: { action: 'AUTH_LOGIN' },
  })
  equal((await bench.instance.authenticate(issued?.accessToken)).userId, ids.userId)
})

test('names, addresses and the role follow the host; a role that changes is recorded and told to every node', async () => {
  const { tenantId, staffId } = await ensureMember(bench.engine, input({ role: 'member' }))
  await ensureMember(
    bench.engine,
    input({
      tenant: { externalId: `acme-${n}`, name: 'Acme Two' },
      user: { externalId: `u-${n}`, email: `new-${n}@example.com`, name: 'Una New' },
      role: 'admin',
    }),
  )
  const [row] = await bench.rows(
    `select t.name as tenant, u.name, u.email, s.role from tenant_staff s join users u on u.id = s.user_id join tenants t on t.id = s.tenant_id where s.id = '${staffId}'`,
  )
  deepEqual(row, { tenant: 'Acme Two', name: 'Una New', email: `new-${n}@example.com`, role: 'admin' })
  deepEqual(await actions(tenantId), ['TENANT_CREATED', 'USER_JOINED', 'USER_ROLE_UPDATED'])
  equal((await bench.rows(`select id from changes where ref = '${staffId}'`)).length, 1)
})

test('without a role the role that is there stays', async () => {
  const { staffId } = await ensureMember(bench.engine, input({ role: 'admin' }))
  await ensureMember(bench.engine, input({ user: { externalId: `u-${n}`, name: 'Renamed' } }))
  const [row] = await bench.rows(`select role from tenant_staff where id = '${staffId}'`)
  equal(row?.['role'], 'admin')
})

test('one who was removed here is not brought back by the host', async () => {
  const { staffId } = await ensureMember(bench.engine, input())
  await bench.rows(`update tenant_staff set status = 'removed' where id = '${staffId}' returning id`)
  equal((await ensureMember(bench.engine, input())).status, 'removed')
})

test('another person’s address makes no one somebody else, and leaves nothing behind', async () => {
  await ensureMember(bench.engine, input())
  const thief = input({
    tenant: { externalId: `other-${n}`, name: 'Other' },
    user: { externalId: `thief-${n}`, email: `U-${n}@example.com`, name: 'Thief' },
  })
  equal(await outcomeOf(ensureMember(bench.engine, thief)), 'CONFLICT')
  equal((await bench.rows(`select id from tenants where external_id = 'other-${n}'`)).length, 0)
  // Nor by a later change of address.
  await ensureMember(bench.engine, { ...thief, user: { externalId: `thief-${n}`, name: 'Thief' } })
  equal(await outcomeOf(ensureMember(bench.engine, thief)), 'CONFLICT')
})

test('an id names what is there and makes nothing', async () => {
  const { tenantId, userId } = await ensureMember(bench.engine, input())
  const unknown = input({ user: { id: newId<UserId>(), name: 'Nobody' } })
  equal(await outcomeOf(ensureMember(bench.engine, unknown)), 'NOT_FOUND')
  const again = await ensureMember(bench.engine, { tenant: { id: tenantId }, user: { id: userId, name: 'Una' } })
  deepEqual([again.tenantId, again.userId], [tenantId, userId])
})

test('an empty or endless external id is refused', async () => {
  for (const externalId of ['', 'x'.repeat(256), 'a\u0000b']) {
    equal(await outcomeOf(ensureMember(bench.engine, input({ tenant: { externalId } }))), 'INVALID_REQUEST')
  }
})
