/**
 * The overview in PostgreSQL: counts by the hour, kept beside the sealed log, and the sessions of a period.
 *
 * @module
 */

import type {
  EventCount,
  LiveFigures,
  OverviewStore,
  PlaceCount,
  SessionFigures,
  SignalCount,
} from '../contract/overview.ts'
import type { Database, Sql, Statement } from './database.ts'
import { liveSql } from './live-sessions.ts'
import { stableNowSql } from './risk.ts'

const statement = (name: string, text: string): Statement => ({ name: `sallyport_overview_${name}`, text })

const COUNT_SEALED = statement(
  'count_sealed',
  `with events as (
      insert into audit_counts as c (tenant_id, hour, action, outcome, reason, detail, count)
      select tenant_id, hour, action, outcome, reason, detail, sum(weight) from audit_countable
      where id = any($1::uuid[]) and tenant_id is not null
      group by tenant_id, hour, action, outcome, reason, detail
      on conflict (tenant_id, hour, action, outcome, reason, detail) do update set count = c.count + excluded.count
    )
    insert into risk_counts as c (tenant_id, hour, signal, decision, count)
    select tenant_id, hour, signal, decision, count(*) from audit_signals
    where id = any($1::uuid[]) and tenant_id is not null
    group by tenant_id, hour, signal, decision
    on conflict (tenant_id, hour, signal, decision) do update set count = c.count + excluded.count`,
)

/** Counts rows that are being sealed, in that transaction: it seals each row once, and so each is counted once. */
export async function countSealed(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.run(COUNT_SEALED, [ids])
}

/** Rows that wait are few, seconds' worth; after an outage the sealer catches up, and until then no more than these are looked at. */
const MOST_WAITING = 20_000
const WAITING = `(select id from audit_pending where tenant_id = $1::uuid limit ${MOST_WAITING})`
const WITHIN = 'tenant_id = $1::uuid and hour >= $2::timestamptz and hour < $3::timestamptz'

// One statement, hence one snapshot: a row is in one of its halves, and never in both.
const EVENTS = statement(
  'events',
  `select floor(extract(epoch from (hour - $2::timestamptz)) * 1000 / $4::float8)::int4 as step,
      action, outcome, reason, detail, sum(count)::float8 as count
    from (
      select hour, action, outcome, reason, detail, count from audit_counts where ${WITHIN}
      union all
      select hour, action, outcome, reason, detail, weight from audit_countable where id in ${WAITING} and ${WITHIN}
    ) counted
    group by 1, 2, 3, 4, 5`,
)
const SIGNALS = statement(
  'signals',
  `select signal, decision, sum(count)::float8 as count
    from (
      select signal, decision, count from risk_counts where ${WITHIN}
      union all
      select signal, decision, 1 from audit_signals where id in ${WAITING} and ${WITHIN}
    ) counted
    group by 1, 2`,
)

const MOST_PLACES = 12
/** Browsers are told apart by what they call themselves, and then put together by what they are. */
const MOST_AGENTS = 500

const SESSIONS = statement(
  'sessions',
  `with open as materialized (
      select * from (
        select created_at, last_seen_at, country, city, user_agent, user_id,
          least(coalesce(revoked_at, 'infinity'), expires_at, last_seen_at + $5::float8 * interval '1 millisecond',
            greatest(last_seen_at, created_at + $8::float8 * interval '1 millisecond')) as ended_at
        from user_sessions
        where tenant_id = $1::uuid and kind = 'login' and created_at < $3::timestamptz
          and created_at >= $2::timestamptz - $6::float8 * interval '1 millisecond'
      ) s where ended_at > $2::timestamptz
    ),
    stepped as (
      select floor(extract(epoch from (created_at - $2::timestamptz)) * 1000 / $4::float8)::int4 as step, 1 as began, 0 as ended
        from open where created_at >= $2::timestamptz
      union all
      select floor(extract(epoch from (ended_at - $2::timestamptz)) * 1000 / $4::float8)::int4, 0, 1
        from open where ended_at < least($3::timestamptz, ${stableNowSql('$7')})
    )
    select
      (select count(*)::int4 from open where created_at < $2::timestamptz) as open_before,
      (select coalesce(json_agg(one), '[]') from (
        select step, sum(began)::int4 as began, sum(ended)::int4 as ended from stepped group by step order by step) one) as steps,
      (select coalesce(json_agg(one), '[]') from (
        select country, city, count(*)::int4 as sessions, count(distinct user_id)::int4 as users,
          extract(epoch from max(last_seen_at)) * 1000 as "lastSeenAt"
        from open group by country, city order by 3 desc, 1, 2 limit ${MOST_PLACES}) one) as places,
      (select coalesce(json_agg(one), '[]') from (
        select user_agent as "userAgent", count(*)::int4 as sessions
        from open group by user_agent order by 2 desc, 1 limit ${MOST_AGENTS}) one) as agents`,
)

const MOST_LIVE = 100_000
const LIVE = statement(
  'live',
  `select count(*) filter (where kind = 'login')::int4 as sessions,
      count(distinct user_id) filter (where kind = 'login')::int4 as users,
      count(*) filter (where kind = 'impersonation')::int4 as impersonations
    from (
      select s.kind, s.user_id from user_sessions s
        join tenant_staff st on st.tenant_id = s.tenant_id and st.id = s.staff_id
      where s.tenant_id = $1::uuid and st.status = 'active' and s.session_version = st.session_version
        and ${liveSql('s', { now: stableNowSql('$2'), idleMs: '$3', maxSessionLifeMs: '$4' })}
      limit ${MOST_LIVE}
    ) live`,
)

export function overviewStore(database: Database): OverviewStore {
  return {
    events: ({ tenantId, from, to, stepMs }) => database.run<EventCount>(EVENTS, [tenantId, from, to, stepMs]),

    signals: ({ tenantId, from, to }) => database.run<SignalCount>(SIGNALS, [tenantId, from, to]),

    async sessions({ tenantId, from, to, stepMs, idleMs, maxSessionLifeMs, lookBackMs }) {
      const [row] = await database.run<{
        open_before: number
        steps: SessionFigures['steps']
        places: readonly (Omit<PlaceCount, 'lastSeenAt'> & { readonly lastSeenAt: number })[]
        agents: SessionFigures['agents']
      }>(SESSIONS, [tenantId, from, to, stepMs, idleMs, lookBackMs, database.clock.offsetMs, maxSessionLifeMs])
      if (row === undefined) throw new TypeError('overview: the sessions of a period answered no row')
      const { open_before: openBefore, steps, places, agents } = row
      return {
        openBefore,
        steps,
        places: places.map(({ lastSeenAt, ...place }) => ({ ...place, lastSeenAt: new Date(lastSeenAt) })),
        agents,
      }
    },

    async live({ tenantId, idleMs, maxSessionLifeMs }) {
      const [row] = await database.run<LiveFigures>(LIVE, [tenantId, database.clock.offsetMs, idleMs, maxSessionLifeMs])
      if (row === undefined) throw new TypeError('overview: the live sessions answered no row')
      return row
    },
  }
}
