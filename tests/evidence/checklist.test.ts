import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ObservedRoute, Verdict } from '../../packages/sallyport/src/evidence/checklist/control.ts'
import { CONTROLS, evaluateChecklist } from '../../packages/sallyport/src/evidence/evaluate-checklist.ts'
import { cleanup } from '../../packages/sallyport/src/jobs/cleanup.ts'
import { runJob } from '../../packages/sallyport/src/jobs/run-job.ts'
import type { Settings } from '../../packages/sallyport/src/options.ts'
import type { EvidenceBench } from './support.ts'
import { openEvidence } from './support.ts'

interface Case {
  readonly id: string
  readonly verdict: Verdict
  /** Makes the system deserve it. `$T` is the tenant. */
  readonly sql?: string
  readonly undo?: string
  readonly settings?: (settings: Settings) => Settings
  readonly routes?: (routes: readonly ObservedRoute[]) => readonly ObservedRoute[]
}

const without = (part: string) => (routes: readonly ObservedRoute[]) =>
  routes.filter(({ path }) => !path.includes(part))
const unguarded = (routes: readonly ObservedRoute[]) =>
  routes.map((route) => ({ ...route, stepUp: undefined, actions: [] }))

const FAMILY = `insert into token_families (id, tenant_id, user_id, session_started_at, revoked_at) values ('0198c0de-0000-7000-8000-00000000000f', '$T', '$T', now(), $R) returning id`
const token = (id: number, more: string, values: string) =>
  `insert into refresh_tokens (id, tenant_id, user_id, token_hash, family_id, generation, secret_id, issued_at, expires_at, session_started_at${more})
    values ('0198c0de-0000-7000-8000-00000000000${id}', '$T', '$T', sha256('${id}'), '0198c0de-0000-7000-8000-00000000000f', ${id}, 'x', now(), now() + interval '1 day', now()${values}) returning id`
const DROP = `with t as (delete from refresh_tokens where family_id = '0198c0de-0000-7000-8000-00000000000f' returning 1) delete from token_families where id = '0198c0de-0000-7000-8000-00000000000f' returning id`
const session = (more: string, values: string) =>
  `insert into user_sessions (id, tenant_id, user_id, staff_id, kind, delivery, session_version, created_at, last_seen_at, expires_at, auth_time${more})
    values ('0198c0de-0000-7000-8000-00000000000e', '$T', '$T', '$T', ${values}) returning id`
const DROP_SESSION = `delete from user_sessions where id = '0198c0de-0000-7000-8000-00000000000e' returning id`
const challenge = (values: string) =>
  `insert into step_up_challenges (id, tenant_id, user_id, purpose, factor, created_at, expires_at, verified_at) values ('0198c0de-0000-7000-8000-00000000000d', '$T', '$T', 'x', 'totp', now(), ${values}) returning id`
const DROP_CHALLENGE = `delete from step_up_challenges returning id`
const IMPERSONATION = `'impersonation', 'body', 1, now(), now(), now() + interval '1 hour', now(), null, '$T'`

const CASES: readonly Case[] = [
  { id: 'short-access-tokens', verdict: 'attention', settings: (s) => ({ ...s, accessTtlMs: 20 * 60_000 }) },
  {
    id: 'rotation-on-every-use',
    verdict: 'fail',
    sql: `${FAMILY.replace('$R', 'null')};${token(1, '', '')};${token(2, '', '')}`,
    undo: DROP,
  },
  {
    id: 'reuse-detection',
    verdict: 'fail',
    sql: token(1, ', suspicious_reuse_at', `, now() - interval '3 days'`),
    undo: DROP,
  },
  { id: 'family-revocation', verdict: 'fail', sql: `${FAMILY.replace('$R', 'now()')};${token(1, '', '')}`, undo: DROP },
  {
    id: 'active-session-tracking',
    verdict: 'fail',
    sql: 'alter table user_sessions rename column ip_address to elsewhere',
    undo: 'alter table user_sessions rename column elsewhere to ip_address',
  },
  { id: 'forced-logout-by-hand', verdict: 'fail', routes: without('force-logout') },
  { id: 'forced-logout-by-hand', verdict: 'fail', routes: unguarded },
  {
    id: 'forced-logout-on-events',
    verdict: 'fail',
    sql: session(', revoked_at', `'login', 'body', 1, now(), now(), now(), now(), now() - interval '9 days'`),
    undo: DROP_SESSION,
  },
  {
    id: 'expired-session-cleanup',
    verdict: 'fail',
    sql: session('', `'login', 'body', 1, now(), now(), now() - interval '2 days', now()`),
    undo: DROP_SESSION,
  },
  {
    id: 'hashed-tokens',
    verdict: 'fail',
    sql: `update refresh_tokens set token_hash = 'raw' where tenant_id = '$T' returning id`,
    undo: `update refresh_tokens set token_hash = sha256(id::text::bytea) where tenant_id = '$T' returning id`,
  },
  {
    id: 'unique-hash',
    verdict: 'fail',
    sql: 'alter table refresh_tokens drop constraint refresh_tokens_tenant_id_token_hash_key',
    undo: 'alter table refresh_tokens add unique (tenant_id, token_hash)',
  },
  { id: 'token-families', verdict: 'fail', sql: token(1, '', ''), undo: DROP },
  { id: 'escalation', verdict: 'attention', settings: (s) => ({ ...s, reuse: { ...s.reuse, contain: 'family' } }) },
  {
    id: 'expired-tokens-revoked',
    verdict: 'fail',
    sql: `update refresh_tokens set expires_at = now() - interval '2 days' where tenant_id = '$T' returning id`,
    undo: `update refresh_tokens set expires_at = now() + interval '2 days' where tenant_id = '$T' returning id`,
  },
  { id: 'risk-scoring', verdict: 'fail', settings: (s) => ({ ...s, risk: { ...s.risk, mode: 'off' } }) },
  { id: 'risk-scoring', verdict: 'attention', settings: (s) => ({ ...s, risk: { ...s.risk, mode: 'monitor' } }) },
  { id: 'otp-enforcement', verdict: 'fail', routes: unguarded },
  { id: 'blocking', verdict: 'fail', sql: `${FAMILY.replace('$R', 'now()')};${token(1, '', '')}`, undo: DROP },
  {
    id: 'challenges-audited',
    verdict: 'fail',
    sql: challenge(`now() + interval '2 days', null`),
    undo: DROP_CHALLENGE,
  },
  {
    id: 'challenges-audited',
    verdict: 'fail',
    sql: challenge(`now() + interval '5 minutes', now() + interval '6 minutes'`),
    undo: DROP_CHALLENGE,
  },
  {
    id: 'suspicious-sign-ins',
    verdict: 'fail',
    sql: token(1, ', suspicious_reuse_at', `, now() - interval '3 days'`),
    undo: DROP,
  },
  {
    id: 'reuse-alerts',
    verdict: 'fail',
    sql: token(1, ', suspicious_reuse_at', `, now() - interval '3 days'`),
    undo: DROP,
  },
  {
    id: 'ip-rules',
    verdict: 'fail',
    routes: () => [
      {
        method: 'POST',
        path: '/api/security/ip-rules',
        mutates: true,
        permission: true,
        stepUp: undefined,
        actions: [],
      },
    ],
  },
  {
    id: 'impersonation-explicit',
    verdict: 'fail',
    sql: session(', reason, real_user_id', IMPERSONATION),
    undo: DROP_SESSION,
  },
  {
    id: 'impersonation-exit',
    verdict: 'fail',
    routes: () => [
      {
        method: 'POST',
        path: '/api/security/impersonate/:staffId',
        mutates: true,
        permission: true,
        stepUp: 'impersonate',
        actions: [],
      },
    ],
  },
  { id: 'audit-central', verdict: 'fail', routes: unguarded },
  {
    id: 'audit-append-only',
    verdict: 'fail',
    sql: 'alter table audit_logs disable trigger audit_logs_append_only',
    undo: 'alter table audit_logs enable trigger audit_logs_append_only',
  },
  {
    id: 'audit-sealed',
    verdict: 'fail',
    sql: `insert into audit_logs (id, tenant_id, created_at, action, outcome, correlation_id, leaf_hash) values ('0198c0de-0000-7000-8000-00000000000c', '$T', now() - interval '1 day', 'X', 'SUCCESS', 'x', 'x') returning id; insert into audit_pending (id, tenant_id, leaf_hash) values ('0198c0de-0000-7000-8000-00000000000c', '$T', 'x') returning id`,
    undo: `delete from audit_pending where leaf_hash = 'x' returning id`,
  },
  {
    id: 'audit-facts',
    verdict: 'fail',
    sql: 'alter table audit_logs rename column actor_name to elsewhere',
    undo: 'alter table audit_logs rename column elsewhere to actor_name',
  },
  {
    id: 'audit-correlation',
    verdict: 'fail',
    sql: `insert into audit_logs (id, tenant_id, created_at, action, outcome, correlation_id, leaf_hash) values ('0198c0de-0000-7000-8000-00000000000b', '$T', now(), 'X', 'SUCCESS', '', 'x') returning id`,
  },
  { id: 'exports', verdict: 'fail', routes: unguarded },
  { id: 'exports-logged', verdict: 'fail', routes: unguarded },
  {
    id: 'exports-logged',
    verdict: 'attention',
    sql: `insert into audit_logs (id, tenant_id, created_at, action, outcome, resource_id, correlation_id, leaf_hash) values ('0198c0de-0000-7000-8000-00000000000a', '$T', now() - interval '2 days', 'DATA_EXPORT_STARTED', 'SUCCESS', 'nowhere', 'x', 'x') returning id`,
  },
  {
    id: 'cleanup-ran',
    verdict: 'fail',
    sql: `update job_runs set started_at = now() - interval '13 hours' returning id`,
    undo: 'update job_runs set started_at = now() returning id',
  },
  { id: 'cleanup-ran', verdict: 'attention', sql: `delete from job_runs returning id` },
  {
    id: 'hot-paths-indexed',
    verdict: 'fail',
    sql: 'alter index user_sessions_listing rename to elsewhere',
    undo: 'alter index elsewhere rename to user_sessions_listing',
  },
  {
    id: 'schema-current',
    verdict: 'fail',
    sql: `update sallyport_migrations set checksum = reverse(checksum) where name like '0001%' returning name`,
    undo: `update sallyport_migrations set checksum = reverse(checksum) where name like '0001%' returning name`,
  },
  {
    id: 'schema-current',
    verdict: 'fail',
    sql: 'alter table users add column planted text',
    undo: 'alter table users drop column planted',
  },
  {
    id: 'schema-current',
    verdict: 'fail',
    sql: 'alter table refresh_tokens alter column token_hash drop not null',
    undo: 'alter table refresh_tokens alter column token_hash set not null',
  },
  {
    id: 'schema-current',
    verdict: 'fail',
    sql: 'alter table audit_seals disable trigger audit_seals_append_only',
    undo: 'alter table audit_seals enable trigger audit_seals_append_only',
  },
  {
    id: 'no-silent-deletes',
    verdict: 'fail',
    sql: 'alter table audit_logs disable trigger audit_logs_append_only',
    undo: 'alter table audit_logs enable trigger audit_logs_append_only',
  },
]

describe('checklist', () => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence('pglite')
    await runJob(bench.engine, cleanup)
    await bench.engine.sealer.checkpoint(bench.tenantId)
  })
  afterAll(() => bench.close())

  const evaluate = async ({ settings, routes }: Pick<Case, 'settings' | 'routes'> = {}) => {
    const { engine } = bench
    const seen = { store: engine.store, live: engine.live, settings: settings?.(engine.settings) ?? engine.settings }
    const { controls } = await evaluateChecklist(seen, bench.tenantId, routes?.(engine.routes) ?? engine.routes)
    return new Map(controls.map(({ id, verdict }) => [id, verdict]))
  }
  const execute = (text: string) =>
    bench.database.exclusively(async (run) => run(text.replaceAll('$T', bench.tenantId)))

  test('a fresh system passes but for what it has not yet', async () => {
    const verdicts = await evaluate()
    expect([...verdicts].filter(([, verdict]) => verdict === 'fail')).toEqual([])
    expect(verdicts.size).toBe(CONTROLS.length)
  })

  test.each(CASES)('$id turns $verdict when the system deserves it', async ({ id, verdict, sql, undo, ...seen }) => {
    expect((await evaluate()).get(id)).not.toBe(verdict)
    if (sql !== undefined) await execute(sql)
    const turned = (await evaluate(seen)).get(id)
    if (undo !== undefined) await execute(undo)
    expect(turned).toBe(verdict)
  })

  test('every statement is in the cases above', () => {
    expect([...new Set(CASES.map(({ id }) => id))].sort()).toEqual(CONTROLS.map(({ id }) => id).sort())
  })
})
