import { expect, test } from 'vitest'
import { unboundTables } from './tenant-bound.ts'

const COLUMNS = new Map([
  ['sessions', 'tenant_id'],
  ['tokens', 'tenant_id'],
  ['tenants', 'id'],
])
const unbound = (text: string): readonly string[] => unboundTables(text, COLUMNS)

test.each([
  'select * from sessions where tenant_id = $1 and id = $2',
  'select "id" from "sessions" where ("sessions"."id" = $1 and "sessions"."tenant_id" = $2)',
  'select * from sessions s join tokens t on t.tenant_id = s.tenant_id and t.session_id = s.id where s.tenant_id = $1',
  'select * from sessions s where s.tenant_id = $1 and exists (select 1 from tokens t where t.tenant_id = s.tenant_id)',
  'with asked as (select $1::uuid as tenant_id) select * from asked, sessions s where s.tenant_id = asked.tenant_id',
  'update sessions set revoked_at = now() where tenant_id = $1',
  'update tokens t set used = true from sessions s where s.tenant_id = $1 and t.tenant_id = s.tenant_id',
  'insert into sessions (id, tenant_id) values ($1, $2) on conflict do nothing',
  'delete from sessions where tenant_id in ($1, $2)',
  'select * from sessions where tenant_id is not distinct from $1 and (a = 1 or b = 2)',
  'select * from tenants where id = $1::uuid',
  'select 1 from tokens t where t.tenant_id = $1 union all select 1 from sessions s where s.tenant_id = $1',
  'select * from unnest($1::uuid[], $2::uuid[]) as g (tenant_id, id) join sessions s using (tenant_id, id)',
  'delete from sessions where (tenant_id, id) in (select tenant_id, session_id from tokens where tenant_id = $1)',
  "select * from sessions where coalesce(tenant_id, '00000000'::uuid) = $1::uuid and id = $2",
  'update sessions set data = $1 where "sessions"."tenant_id" is null and id = $2',
  "select '; from sessions' as text -- from sessions",
])('names its tenant: %s', (text) => {
  expect(unbound(text)).toEqual([])
})

test.each([
  ['select * from sessions where id = $1', ['sessions']],
  ['select * from sessions where tenant_id = $1 or id = $2', ['sessions']],
  ['select * from sessions where id = $1 and (tenant_id = $2 or id = $3)', ['sessions']],
  ['select * from sessions where tenant_id <> $1', ['sessions']],
  ['select * from sessions where tenant_id not in ($1)', ['sessions']],
  ['select * from sessions where tenant_id = tenant_id', ['sessions']],
  ['select tenant_id = $1 from sessions', ['sessions']],
  ['update sessions set tenant_id = $1 where id = $2', ['sessions']],
  ['update "sessions" set "revoked_at" = $1 where "sessions"."id" = $2', ['sessions']],
  ['insert into sessions (id) values ($1)', ['sessions']],
  ['select * from sessions s join tokens t on t.tenant_id = s.tenant_id', ['sessions', 'tokens']],
  ['select * from sessions s, tokens t where s.tenant_id = $1 and t.session_id = s.id', ['tokens']],
  [
    'select * from sessions s where s.tenant_id = $1 and s.id = (select t.session_id from tokens t limit 1)',
    ['tokens'],
  ],
  ['select * from sessions s where exists (select 1 from tokens t where t.tenant_id = s.tenant_id)', ['sessions']],
  ['select * from tokens where tenant_id = $1 union all select * from sessions', ['sessions']],
  ['delete from tokens where tenant_id = $1; delete from sessions', ['sessions']],
  ['with old as (delete from sessions where id = $1 returning id) select * from old', ['sessions']],
  ['select * from sessions s join tokens t using (tenant_id)', ['sessions', 'tokens']],
  ['select * from unnest($1::uuid[]) as g (id) join sessions s using (id)', ['sessions']],
  ['select * from sessions where tenant_id is not null', ['sessions']],
  ['select * from sessions where coalesce(id, tenant_id) = $1', ['sessions']],
  ['select * from tenants', ['tenants']],
])('does not: %s', (text, tables) => {
  expect(unbound(text)).toEqual(tables)
})
