-- Jobs: leases by which one process at a time does a thing, the history of runs, and the one way by which an audit row's
-- content may leave.

create table leases (
  name text primary key,
  holder uuid not null,
  until timestamptz not null
);

create table job_runs (
  id uuid primary key,
  job text not null,
  started_at timestamptz(3) not null,
  finished_at timestamptz(3),
  state text not null check (state in ('running', 'done', 'failed')),
  result jsonb not null default '{}'::jsonb,
  error text
);
create index job_runs_newest on job_runs (job, started_at desc);

-- What the cleanup looks for. None on refresh_tokens: a rotation writes consumed_at, and must go on touching no index but those it has.
create index token_families_ended on token_families (revoked_at) where revoked_at is not null;
create index user_sessions_ended on user_sessions (revoked_at) where revoked_at is not null;
create index step_up_challenges_by_end on step_up_challenges (expires_at);
create index one_time_tokens_by_end on one_time_tokens (expires_at);

-- Removes the content of audit rows by retention; their leaves stay in audit_seals. Rows that are not sealed, and rows
-- younger than 400 days by the server's own clock, stay whatever is asked.
create function sallyport_purge_audit_logs(ids uuid[]) returns bigint language plpgsql as $$
declare
  gone bigint;
begin
  delete from audit_logs l where l.id = any(ids)
    and l.created_at < clock_timestamp() - interval '400 days'
    and exists (
      select from audit_seals s
      where s.tenant_id = coalesce(l.tenant_id, '00000000-0000-0000-0000-000000000000') and s.id = l.id
    );
  get diagnostics gone = row_count;
  return gone;
end
$$;

-- The trigger asks who is deleting: nothing but the function above may, and from it only what is old enough.
create or replace function sallyport_refuse_change() returns trigger language plpgsql as $$
declare
  stack text;
begin
  if tg_op = 'DELETE' then
    get diagnostics stack = pg_context;
    if stack ~ 'function sallyport_purge_audit_logs\(uuid\[\]\) line'
      and old.created_at < clock_timestamp() - interval '400 days' then
      return old;
    end if;
  end if;
  raise exception 'audit_logs is append-only' using errcode = 'insufficient_privilege';
end
$$;
