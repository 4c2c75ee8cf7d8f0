/**
 * A service that is killed under load: whatever it acknowledged is there after the next start, with its audit row, and the
 * next start needs nobody.
 *
 * `SALLYPORT_KILL_ROUNDS` sets how often it is killed (20 before a release, 300 in the long run): two of three times on PostgreSQL, else on
 * the embedded database.
 *
 * @module
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../packages/sallyport/src/ids.ts'
import { openFolder } from '../../packages/sallyport/src/store/pglite/open.ts'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import type { Running } from '../processes/support.ts'
import { serve } from '../processes/support.ts'
import type { Answer, SignedInClient } from '../support/client.ts'
import { me, refresh, send, signUp } from '../support/client.ts'
import type { Cluster } from '../support/cluster.ts'
import { startCluster } from '../support/cluster.ts'
import { hasPostgres } from '../support/postgres.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { startProxy } from '../support/tcp-proxy.ts'

const KILLS = Number(process.env['SALLYPORT_KILL_ROUNDS'] ?? 10)
const ROUNDS = Math.ceil((KILLS * 2) / 3)
const EMBEDDED_ROUNDS = Math.max(1, KILLS - ROUNDS)
const WORKERS = 6
const SETTINGS = {
  // A lost response may be asked for again as long as a start takes on a busy machine.
  retry: { unboundWindow: '5m' },
  stepUp: { window: '1h' },
  // Members that sign in and refresh more often than any person.
  rateLimits: 'off',
}

type Act = 'login' | 'refresh' | 'logout' | 'revoke'
const ACTION: Readonly<Record<Act, string>> = {
  login: 'AUTH_LOGIN',
  refresh: 'AUTH_TOKEN_REFRESH',
  logout: 'AUTH_LOGOUT',
  revoke: 'SESSION_REVOKED',
}

/** A session as its client knows it. */
interface Known {
  readonly sessionId: string
  accessToken: string
  refreshToken: string
  /** Whether it was ended, as far as the client knows: `perhaps` where the answer never came. */
  ended: 'no' | 'perhaps' | 'yes'
}

/** What was acknowledged, by the id of its request. */
interface Acknowledged {
  readonly requestId: string
  readonly act: Act
}

/** An answer that no load explains. */
class Unexpected extends Error {}

class Load {
  readonly unexpected: Error[] = []
  readonly acknowledged: Acknowledged[] = []
  readonly counts: Record<Act, number> = { login: 0, refresh: 0, logout: 0, revoke: 0 }
  known: Known[] = []
  /** Who works: members without a second factor, so that a password signs in; each on one session at a time, as people do. */
  readonly #workers: readonly { readonly email: string; readonly password: string }[]
  /** The owner's session, which may revoke the workers' and stays. */
  readonly #anchor: SignedInClient

  private constructor(
    anchor: SignedInClient,
    workers: readonly { readonly email: string; readonly password: string }[],
  ) {
    this.#anchor = anchor
    this.#workers = workers
  }

  static async start(url: string): Promise<Load> {
    const anchor = await signUp(url)
    const { accessToken: token, password } = anchor
    const post = async (path: string, body: unknown): Promise<Answer['body']> => {
      const answer = await send(url, path, { body, token })
      expect(answer.status, `${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300)
      return answer.body
    }
    const begun = await post('/api/security/mfa/totp', {})
    const code = totpCode(begun.secret, new Date())
    const { recoveryCodes } = await post('/api/security/mfa/totp/confirm', { factorId: begun.factorId, code })
    for (const [index, purpose] of ['revoke_session', 'team_change'].entries()) {
      await post('/api/security/step-up/verify', { purpose, factor: 'recovery_code', code: recoveryCodes[index] })
    }
    const workers = Array.from({ length: WORKERS }, (_, index) => ({
      email: `worker-${index}-of-${anchor.email}`,
      password,
    }))
    for (const { email } of workers) {
      await post('/api/team/invitations', { email, name: 'Walt', role: 'member' })
      const { body } = await send(url, `/api/dev/outbox?to=${encodeURIComponent(email)}`)
      const accepted = await post('/api/auth/invitations/accept', {
        token: body.messages.at(-1).token,
        name: 'Walt',
        password,
      })
      await send(url, '/api/auth/logout', { body: { refreshToken: accepted.refreshToken } })
    }
    return new Load(anchor, workers)
  }

  /** Works until the service is gone. */
  async run(url: string): Promise<void> {
    const gone = new Set<number>()
    await Promise.all(
      this.#workers.map(async (worker, index) => {
        let mine: Known | undefined
        while (gone.size === 0) {
          try {
            mine = await this.#step(url, worker, mine)
          } catch (error) {
            gone.add(index)
            if (error instanceof Unexpected) this.unexpected.push(error)
          }
        }
      }),
    )
  }

  async #step(url: string, worker: unknown, mine: Known | undefined): Promise<Known | undefined> {
    if (mine === undefined) {
      const { body } = await this.#send(url, 'login', '/api/auth/login', { body: worker })
      const made: Known = { ...pick(body), sessionId: body.session.id, ended: 'no' }
      this.known.push(made)
      return made
    }
    const chance = Math.random()
    if (chance < 0.86) {
      const { body } = await this.#send(url, 'refresh', '/api/auth/refresh', {
        body: { refreshToken: mine.refreshToken },
      })
      Object.assign(mine, pick(body))
      return mine
    }
    mine.ended = 'perhaps'
    if (chance < 0.93) await this.#send(url, 'logout', '/api/auth/logout', { body: {}, token: mine.accessToken })
    else {
      const path = `/api/security/sessions/${mine.sessionId}/revoke`
      await this.#send(url, 'revoke', path, { method: 'POST', token: this.#anchor.accessToken })
    }
    mine.ended = 'yes'
    return undefined
  }

  async #send(url: string, act: Act, path: string, options: NonNullable<Parameters<typeof send>[2]>): Promise<Answer> {
    const requestId = newId()
    const answer = await send(url, path, { ...options, headers: { 'x-request-id': requestId } })
    if (answer.status !== 200) {
      // A service that is going down may say so; anything else is a fault of this test or of the service.
      if (answer.status === 503) throw new Error('unavailable')
      throw new Unexpected(`${act}: ${answer.status} ${JSON.stringify(answer.body)}`)
    }
    this.acknowledged.push({ requestId, act })
    this.counts[act]++
    return answer
  }

  /** After the restart: each session is as its client was told. */
  async check(url: string): Promise<void> {
    for (const session of this.known) {
      const answer = await refresh(url, session.refreshToken)
      const told = `${session.sessionId}, ended: ${session.ended}: ${answer.status} ${JSON.stringify(answer.body?.error)}`
      if (session.ended === 'yes') {
        expect([answer.status, answer.body.error], told).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
        expect((await me(url, session.accessToken)).status, told).toBe(401)
      } else if (session.ended === 'no' || answer.status === 200) {
        // The token that was acknowledged is the newest, or it was spent by a request whose answer was lost.
        expect(answer.status, told).toBe(200)
        expect((await me(url, answer.body.accessToken)).status, told).toBe(200)
        Object.assign(session, pick(answer.body))
        session.ended = 'no'
      } else expect([answer.status, answer.body.error], told).toEqual([401, 'REFRESH_TOKEN_REVOKED'])
    }
    // Those that live are logged out, so that rounds do not add up.
    for (const session of this.known) {
      if (session.ended !== 'no') continue
      expect((await send(url, '/api/auth/logout', { body: { refreshToken: session.refreshToken } })).status).toBe(200)
    }
    this.known = []
    const anchor = await me(url, this.#anchor.accessToken)
    if (anchor.status !== 200) await this.#renewAnchor(url)
  }

  /** The access token of the session that revokes is good for ten minutes. */
  async #renewAnchor(url: string): Promise<void> {
    const { body, status } = await refresh(url, this.#anchor.refreshToken)
    expect(status).toBe(200)
    Object.assign(this.#anchor, pick(body))
  }
}

const pick = ({ accessToken, refreshToken }: { readonly accessToken: string; readonly refreshToken: string }) => ({
  accessToken,
  refreshToken,
})

type Rows = (text: string) => Promise<readonly Record<string, unknown>[]>

/** What must hold of the tables at any time: each change with its event, each event with its change. */
const INVARIANTS: Readonly<Record<string, string>> = {
  'an audit row that is neither sealed nor pending, or both': `select l.id from audit_logs l where 1 <>
    (select count(*) from audit_pending p where p.id = l.id and p.leaf_hash = l.leaf_hash and p.tenant_id is not distinct from l.tenant_id)
    + (select count(*) from audit_seals s where s.id = l.id and s.leaf_hash = l.leaf_hash)`,
  'a pending or sealed row without its audit row': `select id from (select id from audit_pending union all select id from audit_seals) known
    where not exists (select 1 from audit_logs l where l.id = known.id)`,
  'a gap or a repeat in the sealed rows': `select tenant_id from audit_seals group by tenant_id
    having count(*) <> max(seq) + 1 or min(seq) <> 0`,
  'a head that is not at its last sealed row': `select h.tenant_id from audit_heads h where h.size <>
    (select count(*) from audit_seals s where s.tenant_id = h.tenant_id)`,
  'a rotation without its event': `select t.id from refresh_tokens t where t.generation > 0 and 1 <> (
    select count(*) from audit_logs l where l.action = 'AUTH_TOKEN_REFRESH' and l.metadata->>'familyId' = t.family_id::text
      and (l.metadata->>'generation')::int = t.generation and l.metadata->>'replayed' is null)`,
  'an event without its rotation': `select l.id from audit_logs l where l.action = 'AUTH_TOKEN_REFRESH' and not exists (
    select 1 from refresh_tokens t where t.family_id::text = l.metadata->>'familyId'
      and t.generation = (l.metadata->>'generation')::int)`,
  'a session without the event of its beginning': `select s.id from user_sessions s where not exists (
    select 1 from audit_logs l where l.session_id = s.id and l.outcome = 'SUCCESS'
      and l.action in ('AUTH_LOGIN', 'SESSION_CREATED', 'TENANT_CREATED', 'USER_JOINED'))`,
  'a sign-in without its session': `select l.id from audit_logs l where l.action = 'AUTH_LOGIN' and l.outcome = 'SUCCESS'
    and not exists (select 1 from user_sessions s where s.id = l.session_id)`,
  'an ended session without its event': `select s.id from user_sessions s where s.revoked_at is not null and not exists (
    select 1 from audit_logs l where l.resource_id = s.id::text and l.action in ('AUTH_LOGOUT', 'SESSION_REVOKED'))`,
  'an event of an end without the end': `select l.id from audit_logs l where l.action in ('AUTH_LOGOUT', 'SESSION_REVOKED')
    and l.outcome = 'SUCCESS' and not exists (
      select 1 from user_sessions s where s.id::text = l.resource_id and s.revoked_at is not null)`,
  'an ended session that nodes are not told of': `select s.id from user_sessions s where s.revoked_at is not null and not exists (
    select 1 from changes c where c.kind = 'session' and c.ref = s.id::text)`,
  'an ended session with a live family': `select s.id from user_sessions s join token_families f on f.session_id = s.id
    where s.revoked_at is not null and f.revoked_at is null`,
  'a family that is not at its newest token': `select f.id from token_families f where f.generation <> (
    select max(t.generation) from refresh_tokens t where t.tenant_id = f.tenant_id and t.family_id = f.id)`,
  'a family with two tokens to spend': `select family_id from refresh_tokens where consumed_at is null and not is_revoked
    group by family_id having count(*) > 1`,
}

async function checkTables(rows: Rows, acknowledged: readonly Acknowledged[]): Promise<void> {
  for (const [what, query] of Object.entries(INVARIANTS)) expect(await rows(query), what).toEqual([])
  const audited = new Map<string, string[]>()
  for (const { id, action } of await rows(
    "select correlation_id as id, action from audit_logs where outcome = 'SUCCESS'",
  )) {
    audited.set(String(id), [...(audited.get(String(id)) ?? []), String(action)])
  }
  const missing = acknowledged.filter(({ requestId, act }) => !audited.get(requestId)?.includes(ACTION[act]))
  expect(missing, 'acknowledged, and not in the audit log').toEqual([])
}

/** Starts, loads, kills and starts again, so many times; the delays differ so that every moment has its turn. */
async function rounds(
  count: number,
  start: () => Promise<Running>,
  between?: (load: Load) => Promise<void>,
): Promise<Load> {
  let service = await start()
  try {
    const load = await Load.start(service.url)
    for (let round = 0; round < count; round++) {
      const working = load.run(service.url)
      const enough = load.acknowledged.length + 5 + Math.random() * 60
      while (load.acknowledged.length < enough && load.unexpected.length === 0) await sleep(2)
      await sleep(Math.random() * 30)
      await service.end('SIGKILL')
      await working
      expect(load.unexpected).toEqual([])
      await between?.(load)
      service = await start()
      await load.check(service.url)
    }
    const { counts } = load
    console.log(
      `killed ${count} times; acknowledged: ${Object.entries(counts)
        .map(([act, n]) => `${n} ${act}`)
        .join(', ')}`,
    )
    for (const act of Object.keys(counts) as Act[]) expect(counts[act], act).toBeGreaterThan(0)
    return load
  } finally {
    if (service.child.exitCode === null && service.child.signalCode === null) await service.end('SIGTERM')
  }
}

describe.skipIf(!hasPostgres)('killed on PostgreSQL', () => {
  let cluster: Cluster
  let client: pg.Client
  const rows: Rows = async (text) => (await client.query<Record<string, unknown>>(text)).rows

  beforeAll(async () => {
    cluster = await startCluster(0, SETTINGS)
    client = new pg.Client({ connectionString: cluster.databaseUrl })
    // Dropping the database ends the connection.
    client.on('error', () => undefined)
    await client.connect()
  })
  afterAll(async () => {
    await client?.end()
    await cluster?.close()
  })

  test(
    `${ROUNDS} times under load: nothing acknowledged is lost, and each start is ready by itself`,
    async () => {
      const load = await rounds(
        ROUNDS,
        () => cluster.startNode(),
        (under) => quiet().then(() => checkTables(rows, under.acknowledged)),
      )
      await checkTables(rows, load.acknowledged)
    },
    60_000 + ROUNDS * 20_000,
  )

  /** The dead process's last statements end on the server. */
  async function quiet(): Promise<void> {
    for (;;) {
      const busy = await rows(
        "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
      )
      if (busy.length === 0) return
      await sleep(20)
    }
  }

  describe('at a chosen moment', () => {
    let proxy: TcpProxy
    let through: string

    beforeAll(async () => {
      const url = new URL(cluster.databaseUrl)
      proxy = await startProxy({ host: url.hostname, port: Number(url.port || 5432) })
      url.hostname = '127.0.0.1'
      url.port = String(proxy.port)
      through = url.href
      // Holds the statement that rotates where it is: the token is written, nothing is committed.
      await rows(`create function hold() returns trigger language plpgsql as $$
        begin if new.generation > 0 then perform pg_sleep(1); end if; return new; end $$`)
      await rows('create trigger hold after insert on refresh_tokens for each row execute function hold()')
    })
    afterAll(async () => {
      await rows('drop trigger hold on refresh_tokens')
      await proxy?.close()
    })

    const held = async (): Promise<number> => {
      for (;;) {
        const [row] = await rows("select pid from pg_stat_activity where wait_event = 'PgSleep'")
        if (row !== undefined) return Number(row['pid'])
        await sleep(5)
      }
    }

    test('before the commit: the token is as it was, and is rotated by the next try', async () => {
      const node = await cluster.startNode({ DATABASE_URL: through })
      const person = await signUp(node.url)
      const lost = refresh(node.url, person.refreshToken).catch((error: unknown) => error)
      await rows(`select pg_terminate_backend(${await held()})`)
      await node.end('SIGKILL')
      await lost
      await quiet()
      await checkTables(rows, [])
      const next = await cluster.startNode()
      const again = await refresh(next.url, person.refreshToken)
      await next.end('SIGTERM')
      expect([again.status, again.headers['sallyport-refresh']]).toEqual([200, 'rotated'])
    })

    test('after the commit, before the reply: the retry gets what was committed', async () => {
      const node = await cluster.startNode({ DATABASE_URL: through })
      const person = await signUp(node.url)
      const lost = refresh(node.url, person.refreshToken).catch((error: unknown) => error)
      await held()
      proxy.stall()
      // The server goes on to the commit; nobody hears of it.
      await sleep(1200)
      await node.end('SIGKILL')
      expect(await lost).toBeInstanceOf(Error)
      proxy.restore()
      await quiet()
      await checkTables(rows, [])
      const next = await cluster.startNode()
      const again = await refresh(next.url, person.refreshToken)
      await next.end('SIGTERM')
      expect([again.status, again.headers['sallyport-refresh']]).toEqual([200, 'replayed; cause=lost-response'])
      const [family] = await rows(
        `select f.generation, t.token_hash = sha256('${again.body.refreshToken}'::bytea) as newest from token_families f
          join refresh_tokens t on t.family_id = f.id and t.generation = f.generation where f.session_id = '${person.sessionId}'`,
      )
      expect(family).toEqual({ generation: 1, newest: true })
    })
  })
})

test(
  `killed ${EMBEDDED_ROUNDS} times on the embedded database: nothing acknowledged is lost, and each start is ready by itself`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-kill-'))
    try {
      await writeFile(join(folder, 'sallyport.config.json'), JSON.stringify(SETTINGS))
      const load = await rounds(EMBEDDED_ROUNDS, () => serve(folder, { LOG_LEVEL: 'error' }))
      const pglite = await openFolder(join(folder, '.sallyport'))
      try {
        await checkTables(async (text) => (await pglite.query<Record<string, unknown>>(text)).rows, load.acknowledged)
      } finally {
        await pglite.close()
      }
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  },
  60_000 + ROUNDS * 20_000,
)
