-- The overview: what the audit log says, counted by the hour. The counts are written with each batch that is sealed, so that no
-- request pays for them, and are read in as many rows as there are hours, however large the log has grown.

create table audit_counts (
  tenant_id uuid not null,
  -- Its beginning.
  hour timestamptz(3) not null,
  action text not null,
  outcome text not null,
  -- The failure's; empty where there is none.
  reason text not null,
  -- What tells rows of one action apart: a factor, a purpose, a replay's cause. Empty where nothing does.
  detail text not null,
  count bigint not null,
  primary key (tenant_id, hour, action, outcome, reason, detail)
) with (fillfactor = 70);

create table risk_counts (
  tenant_id uuid not null,
  hour timestamptz(3) not null,
  signal text not null,
  decision text not null check (decision in ('pass', 'step_up', 'block')),
  count bigint not null,
  primary key (tenant_id, hour, signal, decision)
) with (fillfactor = 70);

-- How a row is counted, stated once for those that are sealed and for those that still wait. What hosts and clients may have
-- written into a row is bounded, and must never keep it from being counted: else it could not be sealed either.
create view audit_countable as
  select l.id, l.tenant_id, date_trunc('hour', l.created_at, 'UTC')::timestamptz(3) as hour, left(l.action, 64) as action,
    l.outcome, coalesce(left(l.failure_reason, 64), '') as reason,
    coalesce(left(case l.action
      when 'STEP_UP_VERIFIED' then l.metadata ->> 'factor'
      when 'AUTH_TOKEN_REFRESH' then l.metadata ->> 'replayed'
      when 'STEP_UP_REQUIRED' then case l.metadata -> 'waiting' when 'true' then 'waiting' else l.metadata ->> 'purpose' end
      when 'SUSPICIOUS_LOGIN_DETECTED' then l.metadata ->> 'at'
    end, 64), '') as detail,
    -- A row that stands for a flood of refusals says how many.
    case when jsonb_typeof(l.metadata -> 'summarised') = 'number'
      then least(greatest(trunc((l.metadata ->> 'summarised')::numeric), 1), 1e9) else 1 end::bigint as weight
  from audit_logs l;

create view audit_signals as
  select l.id, l.tenant_id, date_trunc('hour', l.created_at, 'UTC')::timestamptz(3) as hour, left(reason.signal, 64) as signal,
    case l.action when 'STEP_UP_REQUIRED' then 'step_up' when 'SUSPICIOUS_LOGIN_DETECTED' then 'block' else 'pass' end as decision
  from audit_logs l
  cross join lateral jsonb_array_elements_text(
    case when jsonb_typeof(l.metadata -> 'reasons') = 'array' then l.metadata -> 'reasons' else '[]' end) as reason (signal)
  where l.action in ('AUTH_LOGIN', 'AUTH_TOKEN_REFRESH', 'STEP_UP_REQUIRED', 'SUSPICIOUS_LOGIN_DETECTED')
    and reason.signal is not null
    -- A session that waits is answered as before, each time.
    and l.metadata -> 'waiting' is distinct from 'true';

insert into audit_counts (tenant_id, hour, action, outcome, reason, detail, count)
  select c.tenant_id, c.hour, c.action, c.outcome, c.reason, c.detail, sum(c.weight)
  from audit_countable c join audit_seals s on s.tenant_id = c.tenant_id and s.id = c.id
  group by c.tenant_id, c.hour, c.action, c.outcome, c.reason, c.detail;

insert into risk_counts (tenant_id, hour, signal, decision, count)
  select c.tenant_id, c.hour, c.signal, c.decision, count(*)
  from audit_signals c join audit_seals s on s.tenant_id = c.tenant_id and s.id = c.id
  group by c.tenant_id, c.hour, c.signal, c.decision;

-- Sessions live 30 days at most: those of a period began in it, or in the 30 days before it.
create index user_sessions_began on user_sessions (tenant_id, created_at) where kind = 'login';
