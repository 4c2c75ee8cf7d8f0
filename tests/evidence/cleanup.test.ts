import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanup } from '../../packages/sallyport/src/jobs/cleanup.ts'
import { deviceDigest } from '../../packages/sallyport/src/internal/device-digest.ts'
import { runJob } from '../../packages/sallyport/src/jobs/run-job.ts'
import { refresh } from '../../packages/sallyport/src/refresh-tokens/refresh.ts'
import { REQUEST } from '../support/directory-bench.ts'
import type { EvidenceBench } from './support.ts'
import { KINDS, openEvidence } from './support.ts'

const DAY = 86_400_000

/** The next token, or the code of a refusal. */
async function refreshed(bench: EvidenceBench, refreshToken: string): Promise<string> {
  const outcome = await refresh(bench.engine, { refreshToken, request: REQUEST })
  return outcome.kind === 'refused' ? outcome.code : outcome.refreshToken
}

describe.each(KINDS)('cleanup on %s', (kind) => {
  let bench: EvidenceBench
  beforeAll(async () => {
    bench = await openEvidence(kind)
  })
  afterAll(() => bench.close())

  const run = async () => {
    const outcome = await runJob(bench.engine, cleanup)
    if (outcome.kind !== 'done') throw new Error('it runs elsewhere')
    return outcome
  }
  const count = async (from: string) => Number((await bench.rows(`select count(*)::int as n from ${from}`))[0]?.['n'])

  test('what has run out ends, with its row; families go as a whole by their age, and those of a theft later', async () => {
    const honest = await bench.owner({ tenantName: 'Honest' })
    const robbed = await bench.owner({ tenantName: 'Robbed' })
    const used = robbed.issued.refreshToken
    await refreshed(bench, await refreshed(bench, used))
    bench.clock.offsetMs = 3_600_000
    expect(await refreshed(bench, used)).toBe('REFRESH_TOKEN_REUSED')

    const { tenantId, id: sessionId } = honest.issued.session
    const { id: userId } = honest.member.user
    await bench.rows(`update users set last_mfa_at = now() where id = '${userId}'`)
    await bench.rows(`update user_sessions set device_fingerprint = 'laptop' where id = '${sessionId}'`)
    for (const device of [deviceDigest('id:laptop'), 'another']) {
      await bench.rows(`insert into trusted_devices (tenant_id, staff_id, device_hash, trusted_until, last_seen_at)
        values ('${tenantId}', '${honest.member.staff.id}', '${device}', now() + interval '99 days', now())`)
    }
    bench.clock.offsetMs = 4 * DAY
    const first = await run()
    expect(first.result['tokensExpired']).toBeGreaterThanOrEqual(1)
    const [token] = await bench.rows(
      `select is_revoked, revoke_reason, nonce from refresh_tokens where session_id = '${sessionId}'`,
    )
    expect(token).toMatchObject({ is_revoked: true, revoke_reason: 'session_expired', nonce: null })
    const rows = await bench.rows(
      `select action, metadata, correlation_id from audit_logs where tenant_id = '${tenantId}' and session_id = '${sessionId}' and action = 'SESSION_INVALIDATED'`,
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.['metadata']).toMatchObject({ expired_cleanup: true, reason: 'session_expired', actor: 'cleanup' })
    expect(rows[0]?.['correlation_id']).toBe(first.runId)
    // As if the expired token had been shown: its own device is trusted no more.
    expect(await bench.rows(`select last_mfa_at from users where id = '${userId}'`)).toEqual([{ last_mfa_at: null }])
    expect(await bench.rows(`select device_hash from trusted_devices where tenant_id = '${tenantId}'`)).toEqual([
      { device_hash: 'another' },
    ])
    expect(await refreshed(bench, honest.issued.refreshToken)).toMatch(/^[A-Z_]+$/)
    expect((await run()).result['tokensExpired']).toBe(0)

    const ids = (
      await bench.rows(
        `select id::text as id from refresh_tokens where tenant_id = '${tenantId}' union all select id::text from token_families where tenant_id = '${tenantId}'`,
      )
    ).map((row) => String(row['id']))
    bench.clock.offsetMs = 33 * DAY
    expect((await run()).result['purged_token_families'] ?? 0).toBe(0)
    bench.clock.offsetMs = 35 * DAY
    await run()
    expect(await count(`refresh_tokens where tenant_id = '${tenantId}'`)).toBe(0)
    expect(await count(`token_families where tenant_id = '${tenantId}'`)).toBe(0)
    expect(await count(`refresh_tokens where tenant_id = '${robbed.issued.session.tenantId}'`)).toBe(3)
    const [purged] = await bench.rows(
      `select metadata from audit_logs where tenant_id = '${tenantId}' and action = 'EVIDENCE_PURGED' and resource = 'token_families'`,
    )
    const idsSha256 = createHash('sha256')
      .update(
        ids
          .sort()
          .map((id) => `${id}\n`)
          .join(''),
      )
      .digest('hex')
    expect(purged?.['metadata']).toMatchObject({
      table: 'token_families',
      count: 1,
      also: { refresh_tokens: ids.length - 1 },
      idsSha256,
    })

    bench.clock.offsetMs = 89 * DAY
    await run()
    expect(await count(`refresh_tokens where tenant_id = '${robbed.issued.session.tenantId}'`)).toBe(3)
    bench.clock.offsetMs = 91 * DAY
    await run()
    expect(await count(`refresh_tokens where tenant_id = '${robbed.issued.session.tenantId}'`)).toBe(0)
    bench.clock.offsetMs = 0
  })

  test('the history tells of each run, and of one that was lost', async () => {
    await bench.engine.store.jobs.begin('cleanup', '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe')
    await run()
    const runs = await bench.engine.store.jobs.runs({ job: 'cleanup', limit: 50 })
    expect(runs.filter(({ state }) => state === 'running')).toEqual([])
    expect(runs.find(({ id }) => id === '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe')).toMatchObject({ state: 'failed' })
    expect((await bench.engine.store.jobs.lastDone()).get('cleanup')?.state).toBe('done')
  })

  test('a job has one runner at a time', async () => {
    const holder = '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'
    expect(await bench.engine.store.jobs.lead('job:cleanup', holder, 60_000)).toBe(true)
    expect(await runJob(bench.engine, cleanup)).toEqual({ kind: 'running-elsewhere' })
    await bench.engine.store.jobs.resign('job:cleanup', holder)
    expect((await run()).kind).toBe('done')
  })

  test('nothing but retention removes audit rows, and retention nothing that is younger than 400 days or not sealed', async () => {
    const old = await bench.event({ actorName: 'long ago' }, new Date(Date.now() - 401 * DAY))
    const young = await bench.event({ actorName: 'lately' }, new Date(Date.now() - 399 * DAY))
    const remove = (text: string) =>
      bench.rows(text).then(
        () => 'done',
        () => 'refused',
      )
    const purge = async (id: string) =>
      Number((await bench.rows(`select sallyport_purge_audit_logs(array['${id}'::uuid])::int as gone`))[0]?.['gone'])
    expect(await purge(old.id)).toBe(0)
    await bench.sealAt(new Date(Date.now() - 401 * DAY))
    expect(await remove(`delete from audit_logs where id = '${old.id}' returning id`)).toBe('refused')
    expect(await remove(`update audit_logs set action = 'X' where id = '${old.id}' returning id`)).toBe('refused')
    expect(await purge(young.id)).toBe(0)
    expect(await purge(old.id)).toBe(1)
    expect(await count(`audit_seals where id = '${old.id}'`)).toBe(1)
  })
})

describe.skipIf(!KINDS.includes('postgres'))('cleanup beside traffic', () => {
  test('two runners and live refreshes: every family goes once, is named once, and nobody is signed out', async () => {
    const bench = await openEvidence('postgres')
    try {
      const { tenantId } = bench
      await bench.rows(`insert into token_families (id, tenant_id, user_id, generation, session_started_at, revoked_at, revoke_reason)
        select gen_random_uuid(), '${tenantId}', gen_random_uuid(), 9, now() - interval '60 days', now() - interval '40 days',
          case when g % 10 = 0 then 'reuse_detected' else 'manual' end from generate_series(1, 3000) g returning id`)
      await bench.rows(`insert into refresh_tokens (id, tenant_id, user_id, token_hash, family_id, generation, secret_id, issued_at, expires_at, session_started_at, consumed_at)
        select gen_random_uuid(), tenant_id, user_id, sha256((id::text || g)::bytea), id, g, 'x', now() - interval '50 days', now() - interval '47 days', now() - interval '60 days', now() - interval '48 days'
        from token_families, generate_series(0, 9) g where revoked_at is not null returning id`)
      let { refreshToken } = (await bench.owner({ tenantName: 'Alive' })).issued
      let going = true
      const traffic = (async () => {
        let refreshes = 0
        while (going) {
          refreshToken = await refreshed(bench, refreshToken)
          expect(refreshToken).toMatch(/^sprt_/)
          refreshes++
        }
        return refreshes
      })()
      const runner = () =>
        cleanup.run({
          engine: bench.engine,
          runId: '0198c0de-7a11-7c3e-9f00-3c0ffee0cafe',
          progress: async () => undefined,
        })
      const results = await Promise.all([runner(), runner()])
      going = false
      expect(await traffic).toBeGreaterThan(5)
      const sum = (name: string) => results.reduce((total, result) => total + (result[name] ?? 0), 0)
      expect([sum('purged_token_families'), sum('purged_refresh_tokens')]).toEqual([2700, 27_000])
      const [named] = await bench.rows(
        `select sum((metadata->>'count')::int)::int as families, sum((metadata->'also'->>'refresh_tokens')::int)::int as tokens, max((metadata->>'count')::int)::int as most
          from audit_logs where tenant_id = '${tenantId}' and action = 'EVIDENCE_PURGED' and resource = 'token_families'`,
      )
      expect(named).toMatchObject({ families: 2700, tokens: 27_000 })
      expect(Number(named?.['most'])).toBeLessThan(600)
      const [half] = await bench.rows(
        `select count(*)::int as n from refresh_tokens t where not exists (select from token_families f where f.id = t.family_id)`,
      )
      expect(half?.['n']).toBe(0)
    } finally {
      await bench.close()
    }
  })
})
