/**
 * The whole API in this process, on an embedded database of its own: requests without a network, a clock that moves, and
 * a look at everything that is stored.
 *
 * @module
 */

import type { Engine } from '../../packages/sallyport/src/engine.ts'
import type { FetchHandler } from '../../packages/sallyport/src/http/app.ts'
import { createHandler } from '../../packages/sallyport/src/http/app.ts'
import { API_ROUTES, httpEngine } from '../../packages/sallyport/src/http/api.ts'
import { documentationRoutes } from '../../packages/sallyport/src/http/routes/openapi.ts'
import { headersOf } from '../../packages/sallyport/src/http/security-headers.ts'
import type { SallyportOptions } from '../../packages/sallyport/src/options.ts'
import { openInMemory } from '../../packages/sallyport/src/store/pglite/open.ts'
import { pgliteDatabase } from '../../packages/sallyport/src/store/postgres/pglite.ts'
import type { Outbox } from '../../packages/sallyport/src/directory/outbox.ts'
import type { MailKind } from '../../packages/sallyport/src/directory/mailer.ts'
import type { ClockShift } from '../../packages/sallyport/src/store/contract/store.ts'
import { newId } from '../../packages/sallyport/src/ids.ts'
import { totpCode } from '../../packages/server/src/demo/totp.ts'
import { openBench, PASSWORD } from './directory-bench.ts'

export interface Sent {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what it expects and fails where it is not there
  readonly body: any
}

export interface SendOptions {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Where it comes from. */
  readonly address?: string
}

export interface Member {
  readonly email: string
  readonly tenantId: string
  readonly userId: string
  readonly staffId: string
  readonly sessionId: string
  readonly accessToken: string
  readonly refreshToken: string
}

/** How many rows were written of each table. */
export type Snapshot = Readonly<Record<string, number>>

export interface InProcess {
  readonly engine: Engine
  readonly clock: ClockShift
  /** As `guard.handler`, but an answer that the documentation does not tell of is a 500. */
  readonly handler: FetchHandler
  send(method: string, path: string, options?: SendOptions): Promise<Sent>
  rows(text: string): Promise<readonly Record<string, unknown>[]>
  /** What was written so far: two that are equal had nothing written between them. The audit log and the feed are left out. */
  snapshot(): Promise<Snapshot>
  /** The milliseconds of the database's clock. */
  now(): number
  /** Moves the database's clock, and lets this node know. */
  advance(ms: number): Promise<void>
  signUp(input?: { readonly email?: string; readonly tenantName?: string }): Promise<Member>
  login(email: string): Promise<Member>
  /** Invites and accepts; `by` has the step-up of it by hand. */
  join(by: Member, role: 'admin' | 'auditor' | 'member'): Promise<Member>
  /** Enrols an authenticator app through the API. */
  enrol(member: Pick<Member, 'accessToken'>): Promise<{ factorId: string; secret: string; recoveryCodes: string[] }>
  /** Opens purposes to a session as if it had passed their step-ups just now. */
  open(member: Pick<Member, 'tenantId' | 'userId' | 'sessionId'>, ...purposes: readonly string[]): Promise<void>
  mailed(to: string, kind: MailKind): string
  /** Every mail to an address, newest last. */
  mails(to: string): ReturnType<Outbox['messages']>
  close(): Promise<void>
}

/** The audit log and the feed tell of refusals too, and the sealer and the jobs work whoever asks for what. */
const NOT_STATE = [
  'audit_logs',
  'audit_pending',
  'audit_seals',
  'audit_nodes',
  'audit_heads',
  'audit_checkpoints',
  'audit_signed',
  'audit_log_keys',
  'audit_sealer',
  'audit_counts',
  'risk_counts',
  'changes',
  'job_runs',
  'leases',
  'sallyport_migrations',
]

/**
 * Counts each row that changes, table by table, in the transaction that changes it. Left out are what is written a little later
 * than the request that it belongs to, and rows of guesses that hold none: they are locks.
 */
const COUNTING = `
  create table test_writes (name text primary key, written integer not null default 0);
  create function test_state_of(name text, held jsonb) returns jsonb immutable language sql as $$
    select case when name = 'guess_budgets' and held -> 'failures' = '[]' and held -> 'consecutive' = '0' then null
      when name = 'guess_budgets' then held - 'updated_at'
      else held - 'last_seen_at' - 'confirmed_at' end
  $$;
  create function test_count() returns trigger language plpgsql as $$
  begin
    if test_state_of(tg_table_name, to_jsonb(old)) is distinct from test_state_of(tg_table_name, to_jsonb(new)) then
      update test_writes set written = written + 1 where name = tg_table_name;
    end if;
    return null;
  end $$;`

export async function openInProcess(options: Partial<Omit<SallyportOptions, 'store'>> = {}): Promise<InProcess> {
  const clock: ClockShift = { offsetMs: 0 }
  const pglite = await openInMemory()
  // What a fuzzed or forged request looks like to the risk score is another test's: here it would end the sessions that others need.
  const calm = { mfa: { atSignIn: 'risk' }, risk: { mode: 'monitor' } } as const
  const bench = await openBench(pgliteDatabase(pglite, clock), { ...calm, ...options })
  const { engine } = bench
  const routes = [...API_ROUTES, ...documentationRoutes(API_ROUTES)]
  const handler = createHandler({
    guard: httpEngine(engine),
    routes,
    checkReplies: true,
    edge: engine.settings,
    always: headersOf(engine.settings),
  })
  const rows: InProcess['rows'] = async (text) => (await pglite.query<Record<string, unknown>>(text)).rows
  await pglite.exec(COUNTING)
  const tables = await rows(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  )
  for (const name of tables.map((table) => String(table['name']))) {
    if (NOT_STATE.includes(name) || name === 'test_writes') continue
    await pglite.exec(`insert into test_writes (name) values ('${name}');
      create trigger test_count after insert or update or delete on ${name} for each row execute function test_count()`)
  }
  let made = 0

  const send: InProcess['send'] = async (
    method,
    path,
    { body, raw, token, headers = {}, address = '192.0.2.7' } = {},
  ) => {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await handler(
      new Request(`https://id.example.com${path}`, {
        method,
        headers: {
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(payload === undefined ? {} : { body: payload }),
      }),
      { remoteAddress: address },
    )
    const text = await response.text()
    const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
  }

  const expected = (answer: Sent, status: number): Sent => {
    if (answer.status !== status) throw new Error(`${answer.status} in place of ${status}: ${answer.text}`)
    return answer
  }
  const memberOf = ({ body }: Sent): Member => ({
    email: body.user.email,
    tenantId: body.tenant.id,
    userId: body.user.id,
    staffId: body.staff.id,
    sessionId: body.session.id,
    accessToken: body.accessToken,
    refreshToken: body.refreshToken,
  })

  const open: InProcess['open'] = async ({ tenantId, userId, sessionId }, ...purposes) => {
    for (const purpose of purposes) {
      await rows(
        `insert into step_up_challenges (id, tenant_id, user_id, session_id, purpose, factor, created_at, verified_at, expires_at)
          select '${newId()}', '${tenantId}', '${userId}', '${sessionId}', '${purpose}', 'totp', now, now, now + interval '10 minutes'
          from (select clock_timestamp() + ${clock.offsetMs} * interval '1 millisecond' as now) clock`,
      )
    }
  }
  const mailed: InProcess['mailed'] = (to, kind) => bench.token(to, kind)

  return {
    engine,
    clock,
    handler,
    send,
    rows,
    snapshot: async () =>
      Object.fromEntries((await rows('select * from test_writes')).map(({ name, written }) => [name, written])),
    now: () => Date.now() + clock.offsetMs,
    async advance(ms) {
      await engine.writeBehind.flush()
      clock.offsetMs += ms
      await engine.live.poll()
    },
    async signUp({ email = `person-${++made}@example.com`, tenantName = 'Acme' } = {}) {
      const body = { email, password: PASSWORD, name: 'Petra', tenantName }
      return memberOf(expected(await send('POST', '/api/auth/sign-up', { body }), 201))
    },
    async login(email) {
      return memberOf(expected(await send('POST', '/api/auth/login', { body: { email, password: PASSWORD } }), 200))
    },
    async join(by, role) {
      const email = `${role}-${++made}@example.com`
      await open(by, 'team_change')
      const invitation = { email, name: 'Mo', role }
      expected(await send('POST', '/api/team/invitations', { body: invitation, token: by.accessToken }), 201)
      const body = { token: mailed(email, 'invitation'), name: 'Mo', password: PASSWORD }
      return memberOf(expected(await send('POST', '/api/auth/invitations/accept', { body }), 201))
    },
    async enrol({ accessToken: token }) {
      const begun = expected(await send('POST', '/api/security/mfa/totp', { body: {}, token }), 200).body
      const code = totpCode(begun.secret, new Date(Date.now() + clock.offsetMs))
      const confirmation = { body: { factorId: begun.factorId, code }, token }
      const { body } = expected(await send('POST', '/api/security/mfa/totp/confirm', confirmation), 200)
      return { factorId: begun.factorId, secret: begun.secret, recoveryCodes: body.recoveryCodes }
    },
    open,
    mailed,
    mails: (to) => bench.outbox.messages(to),
    close: () => bench.close(),
  }
}

/** Two texts that nobody should be able to tell apart, without what is new in every answer. */
export function withoutRequestId({ status, body }: Sent): string {
  return JSON.stringify([status, { ...body, requestId: undefined }])
}
