/**
 * How cost grows: the same work on tables a hundredfold apart, by turns.
 *
 * @module
 */

import type { Bench, Figure, Growth } from '../bench.ts'
import { administer, scratchDatabase, settle } from '../database.ts'
import type { Member } from '../fixtures.ts'
import { addMembers, openGuard, REQUEST, signIn } from '../fixtures.ts'
import type { Sallyport } from '../library.ts'
import { postgres, refresh } from '../library.ts'
import type { Contender } from '../measure.ts'
import { byTurns, compare } from '../measure.ts'
import { sqlOn } from '../references/sql.ts'

/** Sessions of the member whose listing is measured, whatever the size of the table. */
const SESSIONS_OF_ONE = 300
const PAGE = 100

interface Sized {
  readonly size: number
  readonly guard: Sallyport
  readonly contenders: readonly Contender[]
  close(): Promise<void>
}

export const growthBench: Bench = {
  name: 'growth',
  title: 'The same work on small and on large tables',
  async run({ full, postgresUrl, say }) {
    const sizes = full ? [100_000, 10_000_000] : [10_000, 1_000_000]
    const opened: Sized[] = []
    try {
      for (const size of sizes) {
        say(`filling tables with ${size.toLocaleString('en-US')} rows each`)
        opened.push(await openSized(postgresUrl, size, full ? 300 : 100))
      }
      const figures = await byTurns(
        opened.flatMap(({ contenders }) => contenders),
        full ? 9 : 5,
        'ms',
      )
      const [small, large] = opened as [Sized, Sized]
      const pairs = small.contenders.map(
        (_, at) => [figures[at], figures[at + small.contenders.length]] as [Figure, Figure],
      )
      return {
        figures,
        comparisons: pairs.map(([less, more]) => compare(more.name, more, less, { kind: 'at most', value: 1.3 })),
        growth: pairs.map(
          ([less, more]): Growth => ({
            name: workOf(less.name),
            points: [
              { size: small.size, milliseconds: less.value },
              { size: large.size, milliseconds: more.value },
            ],
          }),
        ),
      }
    } finally {
      for (const { close } of opened) await close()
    }
  },
}

/** A figure's name says the work, then the size. */
function workOf(name: string): string {
  return name.slice(0, name.lastIndexOf(','))
}

async function openSized(postgresUrl: string, size: number, calls: number): Promise<Sized> {
  const { url, drop } = await scratchDatabase(postgresUrl)
  const guard = await openGuard(postgres({ url }))
  const { run, end } = sqlOn(url)
  const [member, visitor, ...others] = await addMembers(run, 102)
  if (member === undefined || visitor === undefined) throw new TypeError('no member')
  await administer(url, ...fill(size, member))
  await administer(url, 'vacuum analyze')
  await settle(url)
  const sessions = await signIn(guard, others)
  const { store } = guard
  const { idleMs, maxSessionLifeMs } = guard.engine.settings
  const query = { ...member, state: 'active', idleMs, maxSessionLifeMs, limit: PAGE } as const
  const first = await store.sessions.list(query)
  const last = first.at(-1)
  const deep = await run(
    'select id, created_at as "createdAt" from audit_logs where tenant_id = $1 order by created_at desc, id desc limit 1 offset $2',
    [FILLED_TENANT, Math.floor(size / TENANTS / 2)],
  )
  const deepRow = (deep as { rows: { id: never; createdAt: Date }[] }).rows[0]
  if (first.length !== PAGE || last === undefined || deepRow === undefined)
    throw new Error('the tables were not filled')
  let turn = 0
  const work: Record<string, () => Promise<unknown>> = {
    [`list ${PAGE} of a member's sessions`]: () => store.sessions.list(query),
    [`list ${PAGE} more of them`]: () => store.sessions.list({ ...query, after: last }),
    'look a session up': () =>
      store.sessions.live(member.tenantId, sessions[turn++ % sessions.length]?.sessionId ?? last.id),
    refresh: async () => {
      const at = turn++ % sessions.length
      const session = sessions[at] as (typeof sessions)[number]
      const outcome = await refresh(guard.engine, { refreshToken: session.refreshToken, request: REQUEST })
      if (outcome.kind !== 'rotated')
        throw new Error(`a refresh ended as ${outcome.kind === 'refused' ? outcome.code : outcome.kind}`)
      sessions[at] = { ...session, refreshToken: outcome.refreshToken }
    },
    'sign in and revoke': async () => {
      const [session] = await signIn(guard, [visitor])
      if (session === undefined) throw new TypeError('no session')
      const { tenantId, sessionId } = session
      await store.sessions.end(
        { of: 'session', tenantId, sessionId },
        { reason: 'manual', bumpVersion: false },
        () => [],
      )
    },
    'audit log, a page in its middle': () =>
      store.audit.page({ tenantId: FILLED_TENANT as Member['tenantId'], limit: PAGE, after: deepRow }),
  }
  return {
    size,
    guard,
    contenders: Object.entries(work).map(([name, once]) => ({
      name: `${name}, ${size.toLocaleString('en-US')} rows`,
      async run() {
        await once()
        const started = performance.now()
        for (let n = 0; n < calls; n++) await once()
        return { value: (performance.now() - started) / calls }
      },
    })),
    async close() {
      await end()
      await guard.close()
      await drop()
    },
  }
}

const TENANTS = 100
/** What the statements below make of tenant 0. */
const FILLED_TENANT = '00000000-0000-7000-8000-000000000000'

/** Rows as life makes them: ids in the order of time, a hundred tenants, two hundred rows to a member. */
function fill(size: number, member: Member): string[] {
  const id = (kind: string): string =>
    `(lpad(to_hex(n), 12, '0') || '7000' || substr(md5('${kind}' || n), 1, 16))::uuid`
  const tenant = `('00000000-0000-7000-8000-' || lpad((n % ${TENANTS})::text, 12, '0'))::uuid`
  const user = `('00000000-0000-7000-9000-' || lpad((n % ${Math.max(TENANTS, size / 200)})::text, 12, '0'))::uuid`
  const agent = `'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'`
  const ago = `now() - (${size} - n) * interval '0.1 second'`
  const session = (which: string, rows: string): string => `
    insert into user_sessions (id, tenant_id, user_id, staff_id, kind, delivery, session_version, created_at, last_seen_at,
      expires_at, ip_address, user_agent, amr, auth_time)
    select ${id(which === '' ? 'mine' : 'session')}, ${which === '' ? `'${member.tenantId}', '${member.userId}', '${member.staffId}'` : which},
      'login', 'body', 1, now(), now() - n * interval '1 millisecond', now() + interval '30 days', '203.0.113.7', ${agent},
      '{pwd}', now()
    from generate_series(1, ${rows}) n`
  return [
    'set synchronous_commit = off',
    session(`${tenant}, ${user}, ${user}`, String(size)),
    session('', String(SESSIONS_OF_ONE)),
    `insert into token_families (id, tenant_id, session_id, user_id, staff_id, session_started_at)
     select ${id('family')}, ${tenant}, ${id('session')}, ${user}, ${user}, now() from generate_series(1, ${size}) n`,
    `insert into refresh_tokens (id, tenant_id, user_id, staff_id, session_id, token_hash, family_id, generation, secret_id,
       issued_at, expires_at, session_started_at)
     select ${id('token')}, ${tenant}, ${user}, ${user}, ${id('session')}, sha256(n::text::bytea), ${id('family')}, 0,
       '0000000000', now(), now() + interval '3 days', now() from generate_series(1, ${size}) n`,
    `insert into audit_logs (id, tenant_id, created_at, action, outcome, user_id, resource, correlation_id, ip_address,
       user_agent, salt, leaf_hash)
     select ${id('audit')}, ${tenant}, ${ago}, 'AUTH_TOKEN_REFRESH', 'SUCCESS', ${user}, 'auth_refresh', 'bench', '203.0.113.7',
       ${agent}, decode(md5(n::text), 'hex'), sha256(n::text::bytea) from generate_series(1, ${size}) n`,
  ]
}
