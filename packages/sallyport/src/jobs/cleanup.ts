/**
 * Ends what has run out and removes what has outlived its age, in short batches, each with its record.
 *
 * @module
 */

import type { AuditRow } from '../audit/record.ts'
import { auditRow } from '../audit/record.ts'
import type { Expired, Purged, PurgeRule } from '../store/contract/jobs.ts'
import type { Job, JobContext, JobResult } from './job.ts'

const HOUR = 3_600_000
/** Rows of one transaction, about: some tens of milliseconds, on the embedded database too. */
export const BATCH = 5000

export const cleanup: Job = {
  name: 'cleanup',
  summary: 'end expired sessions and tokens, and remove what is older than the retention settings say',
  everyMs: 6 * HOUR,
  run: runCleanup,
}

async function runCleanup(context: JobContext): Promise<JobResult> {
  const { store, settings } = context.engine
  const { retention } = settings
  const result: Record<string, number> = { tokensExpired: 0, sessionsExpired: 0 }

  let after: string | undefined
  do {
    const page = await store.jobs.expireTokens({ after, limit: BATCH }, (expired, now) =>
      expiredRows(context, expired, now),
    )
    result['tokensExpired'] = (result['tokensExpired'] ?? 0) + page.expired
    after = page.next
    await context.progress(result)
  } while (after !== undefined)

  for (let ended = BATCH; ended === BATCH; ) {
    ended = await store.jobs.expireSessions(BATCH, (expired, now) => expiredRows(context, expired, now))
    result['sessionsExpired'] = (result['sessionsExpired'] ?? 0) + ended
    await context.progress(result)
  }

  const rules: readonly PurgeRule[] = [
    { table: 'token_families', olderThanMs: retention.tokensMs, reuseOlderThanMs: retention.reuseMs, limit: BATCH },
    { table: 'user_sessions', olderThanMs: retention.sessionsMs, limit: BATCH },
    { table: 'step_up_challenges', olderThanMs: retention.challengesMs, limit: BATCH },
    { table: 'one_time_tokens', olderThanMs: retention.linksMs, limit: BATCH },
    { table: 'changes', olderThanMs: retention.changesMs, limit: BATCH },
    ...(retention.auditLogsMs === undefined
      ? []
      : [{ table: 'audit_logs', olderThanMs: retention.auditLogsMs, limit: BATCH } as const]),
  ]
  for (const rule of rules) {
    for (;;) {
      const purged = await store.jobs.purge(rule, (batch, now) => [purgedRow(context, batch, now)])
      if (purged === undefined) break
      add(result, rule.table, purged.count)
      for (const [table, count] of Object.entries(purged.alsoCount)) add(result, table, count)
      await context.progress(result)
    }
  }
  return result
}

function add(result: Record<string, number>, table: string, count: number): void {
  result[`purged_${table}`] = (result[`purged_${table}`] ?? 0) + count
}

/** One row for each token or session that ended, under the id of the run. */
function expiredRows({ runId }: JobContext, expired: readonly Expired[], now: Date): readonly AuditRow[] {
  return expired.map(({ tenantId, userId, sessionId, tokenId, familyId }) =>
    auditRow(
      {
        tenantId,
        action: 'SESSION_INVALIDATED',
        sessionId,
        resource: tokenId === undefined ? 'session' : 'refresh_token',
        resourceId: tokenId ?? sessionId,
        metadata: {
          actor: 'cleanup',
          reason: 'session_expired',
          expired_cleanup: true,
          targetUserId: userId,
          ...(familyId === undefined ? {} : { familyId }),
        },
        correlationId: runId,
      },
      now,
    ),
  )
}

/** What has gone, and how to know it again: a list of ids that somebody kept hashes to the same. */
function purgedRow({ runId }: JobContext, purged: Purged, now: Date): AuditRow {
  const { tenantId, table, count, alsoCount, before, idsSha256, firstSeq, lastSeq } = purged
  return auditRow(
    {
      tenantId,
      action: 'EVIDENCE_PURGED',
      resource: table,
      metadata: {
        actor: 'cleanup',
        table,
        count,
        ...(Object.keys(alsoCount).length === 0 ? {} : { also: alsoCount }),
        before: before.toISOString(),
        idsSha256,
        ...(firstSeq === undefined ? {} : { firstSeq, lastSeq }),
      },
      correlationId: runId,
    },
    now,
  )
}
