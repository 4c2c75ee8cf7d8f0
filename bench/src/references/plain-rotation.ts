/**
 * How refresh tokens are commonly rotated: five statements one after the other, over the tables that a design of that kind
 * has. Also the least that a rotation can be: one prepared statement.
 *
 * @module
 */

import { createHash, randomBytes, randomUUID } from 'node:crypto'

/** Runs one statement, prepared under its name where the driver can. */
export type RunNamed = (name: string, text: string, values: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>

export const PLAIN_TABLES = `
  create schema plain;
  create table plain.users (id uuid primary key, name text not null, disabled_at timestamptz);
  create table plain.sessions (
    id uuid primary key, user_id uuid not null, created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(), expires_at timestamptz not null default now() + interval '30 days',
    revoked_at timestamptz, ip_address text, user_agent text);
  create index on plain.sessions (user_id);
  create table plain.refresh_tokens (
    id uuid primary key, session_id uuid not null, user_id uuid not null, token_hash bytea not null unique,
    issued_at timestamptz not null default now(), expires_at timestamptz not null default now() + interval '3 days',
    consumed_at timestamptz, revoked_at timestamptz, replaced_by uuid, ip_address text, user_agent text);
  create index on plain.refresh_tokens (session_id);
  create table plain.audit (
    id uuid primary key, at timestamptz not null default now(), action text not null, user_id uuid not null,
    session_id uuid not null, ip_address text, user_agent text);
  create index on plain.audit (user_id, at);
  create table plain.families (
    id uuid primary key, n int not null unique, user_id uuid not null, generation int not null default 0,
    revoked_at timestamptz) with (fillfactor = 70);
  create table plain.family_tokens (
    id uuid primary key, family_id uuid not null, generation int not null, token_hash bytea not null unique,
    issued_at timestamptz not null default now(), expires_at timestamptz not null default now() + interval '3 days',
    consumed_at timestamptz, unique (family_id, generation)) with (fillfactor = 80);
`

export interface PlainSession {
  readonly sessionId: string
  readonly userId: string
  token: string
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
const newToken = (): string => randomBytes(32).toString('base64url')

export async function addPlainSessions(run: RunNamed, count: number): Promise<PlainSession[]> {
  const sessions: PlainSession[] = []
  for (let n = 0; n < count; n++) {
    const session = { sessionId: randomUUID(), userId: randomUUID(), token: newToken() }
    await run('add_user', 'insert into plain.users (id, name) values ($1, $2)', [session.userId, `Member ${n}`])
    await run('add_session', 'insert into plain.sessions (id, user_id) values ($1, $2)', [
      session.sessionId,
      session.userId,
    ])
    await run(
      'add_token',
      'insert into plain.refresh_tokens (id, session_id, user_id, token_hash) values ($1, $2, $3, $4)',
      [randomUUID(), session.sessionId, session.userId, hashOf(session.token)],
    )
    sessions.push(session)
  }
  return sessions
}

export interface PlainRotation {
  readonly token: string
  readonly userId: string
  readonly sessionId: string
}

/** Look up, look at the session, consume, insert, log. Read, then written: it is the common design, not a correct one. */
export async function rotateInFive(run: RunNamed, token: string, ip: string, agent: string): Promise<PlainRotation> {
  const { rows } = await run(
    'plain_find',
    `select id, session_id, user_id, expires_at, consumed_at, revoked_at from plain.refresh_tokens where token_hash = $1`,
    [hashOf(token)],
  )
  const found = rows[0]
  if (found === undefined || found['consumed_at'] !== null || found['revoked_at'] !== null) throw new Error('refused')
  const live = await run(
    'plain_session',
    `select s.id, u.name from plain.sessions s join plain.users u on u.id = s.user_id
     where s.id = $1 and s.revoked_at is null and s.expires_at > now() and u.disabled_at is null`,
    [found['session_id']],
  )
  if (live.rows.length === 0) throw new Error('refused')
  const id = randomUUID()
  const next = newToken()
  await run('plain_consume', 'update plain.refresh_tokens set consumed_at = now(), replaced_by = $2 where id = $1', [
    found['id'],
    id,
  ])
  const sessionId = String(found['session_id'])
  const userId = String(found['user_id'])
  await run(
    'plain_insert',
    `insert into plain.refresh_tokens (id, session_id, user_id, token_hash, ip_address, user_agent)
     values ($1, $2, $3, $4, $5, $6)`,
    [id, sessionId, userId, hashOf(next), ip, agent],
  )
  await run(
    'plain_log',
    'insert into plain.audit (id, action, user_id, session_id, ip_address, user_agent) values ($1, $2, $3, $4, $5, $6)',
    [randomUUID(), 'refresh', userId, sessionId, ip, agent],
  )
  return { token: next, userId, sessionId }
}

/** The limit: compare-and-set of the family, consume, insert, in one statement that reads nothing before and logs nothing. */
export function leastRotation({
  n,
  id,
  hash,
}: {
  readonly n: string
  readonly id: string
  readonly hash: string
}): string {
  return `with family as (
      update plain.families set generation = generation + 1 where n = ${n} and revoked_at is null
      returning id, generation
    ), parent as (
      update plain.family_tokens t set consumed_at = now() from family
      where t.family_id = family.id and t.generation = family.generation - 1
    )
    insert into plain.family_tokens (id, family_id, generation, token_hash)
    select ${id}, family.id, family.generation, ${hash} from family`
}

export function addFamilies(count: number): string {
  return `
    insert into plain.families (id, n, user_id) select gen_random_uuid(), n, gen_random_uuid() from generate_series(1, ${count}) n;
    insert into plain.family_tokens (id, family_id, generation, token_hash)
      select gen_random_uuid(), id, 0, sha256(id::text::bytea) from plain.families;
    analyze plain.families; analyze plain.family_tokens`
}

export async function rotateInOne(run: RunNamed, family: number): Promise<void> {
  await run('least', leastRotation({ n: '$1', id: '$2', hash: '$3' }), [family, randomUUID(), hashOf(newToken())])
}
