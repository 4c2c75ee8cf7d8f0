-- Access controls: who acts as whom, and from where a tenant lets itself be reached.

alter table user_sessions add column real_staff_id uuid;
-- What the acting person's version was at the start: when it moves, the impersonation is over, whatever their own session is.
alter table user_sessions add column real_session_version integer;
create index user_sessions_acting_staff on user_sessions (real_staff_id) where kind = 'impersonation' and revoked_at is null;
create index user_sessions_acting_session on user_sessions (real_session_id) where kind = 'impersonation' and revoked_at is null;
create index user_sessions_register on user_sessions (tenant_id, created_at desc, id desc) where kind = 'impersonation';

create table ip_rules (
  id uuid primary key,
  tenant_id uuid not null,
  type text not null check (type in ('ALLOW', 'DENY')),
  -- In one form for each network, so that a rule is known again however it was typed.
  cidr text not null,
  label text,
  created_by uuid,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3)
);
create unique index ip_rules_once on ip_rules (tenant_id, type, cidr);
