-- The spine: directory, sessions, refresh tokens, step-up, the change feed and the audit rows.
-- Timestamps keep milliseconds only: what a client is shown, what a cursor compares and what an audit leaf hashes
-- must be the same instant that the row holds.

create table tenants (
  id uuid primary key,
  external_id text unique,
  slug text not null unique,
  name text not null,
  settings jsonb not null default '{}'::jsonb,
  disabled_at timestamptz(3),
  created_at timestamptz(3) not null
);

create table users (
  id uuid primary key,
  external_id text unique,
  email text,
  email_verified_at timestamptz(3),
  password_hash text,
  name text not null,
  last_mfa_at timestamptz(3),
  disabled_at timestamptz(3),
  created_at timestamptz(3) not null
);
create unique index users_email_key on users (lower(email));

create table tenant_staff (
  id uuid primary key,
  external_id text,
  tenant_id uuid not null references tenants (id),
  user_id uuid not null references users (id),
  role text not null check (role in ('owner', 'admin', 'auditor', 'member')),
  permissions text[] not null default '{}',
  session_version integer not null default 1,
  status text not null default 'active' check (status in ('active', 'disabled', 'removed')),
  created_at timestamptz(3) not null,
  unique (tenant_id, user_id)
);
create index tenant_staff_user on tenant_staff (user_id);

-- No foreign keys from here on down: they would make each refresh lock rows of the directory, and what they promise is
-- kept by the statements themselves, each of which names its tenant.
create table user_sessions (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null,
  staff_id uuid not null,
  kind text not null check (kind in ('login', 'impersonation')),
  delivery text not null check (delivery in ('body', 'cookie')),
  session_version integer not null,
  created_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  ip_address text,
  country text,
  city text,
  latitude double precision,
  longitude double precision,
  user_agent text,
  device_fingerprint text,
  device_cookie_hash bytea,
  device_info jsonb,
  amr text[] not null default '{}',
  auth_time timestamptz(3) not null,
  step_up_required_at timestamptz(3),
  revoked_at timestamptz(3),
  revoke_reason text,
  revoked_by uuid,
  real_user_id uuid,
  real_session_id uuid,
  reason text,
  metadata jsonb
);
create index user_sessions_listing on user_sessions (tenant_id, user_id, last_seen_at desc, id desc);
create index user_sessions_live_of_staff on user_sessions (tenant_id, staff_id) where revoked_at is null;

create table token_families (
  id uuid primary key,
  tenant_id uuid not null,
  session_id uuid,
  user_id uuid not null,
  staff_id uuid,
  generation integer not null default 0,
  binding text not null default 'none' check (binding in ('key', 'cookie', 'none')),
  binding_value text,
  session_started_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  revoke_reason text
) with (fillfactor = 70);
create index token_families_session on token_families (tenant_id, session_id);
create index token_families_live_of_staff on token_families (tenant_id, staff_id) where revoked_at is null;
create index token_families_live_of_user on token_families (user_id) where revoked_at is null;

create table refresh_tokens (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null,
  staff_id uuid,
  session_id uuid,
  token_hash bytea not null,
  family_id uuid not null,
  parent_id uuid,
  replaced_by_token_id uuid,
  generation integer not null,
  nonce bytea,
  secret_id text not null,
  usage_count integer not null default 0,
  issued_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  session_started_at timestamptz(3) not null,
  consumed_at timestamptz(3),
  confirmed_at timestamptz(3),
  is_revoked boolean not null default false,
  revoked_at timestamptz(3),
  revoke_reason text,
  suspicious_reuse_at timestamptz(3),
  ip_address text,
  user_agent text,
  device_fingerprint text,
  device_info jsonb,
  unique (tenant_id, token_hash)
) with (fillfactor = 80);
create unique index refresh_tokens_lineage on refresh_tokens (tenant_id, family_id, generation);

create table step_up_challenges (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null,
  session_id uuid,
  purpose text not null,
  factor text not null,
  code_hash bytea,
  webauthn_challenge text,
  tries integer not null default 0,
  created_at timestamptz(3) not null,
  verified_at timestamptz(3),
  expires_at timestamptz(3) not null,
  consumed_at timestamptz(3),
  ip_address text,
  user_agent text
);
create index step_up_challenges_of_session on step_up_challenges (tenant_id, session_id, purpose, verified_at desc);

create table mfa_factors (
  id uuid primary key,
  user_id uuid not null references users (id),
  type text not null check (type in ('totp', 'passkey')),
  label text not null,
  secret text,
  last_used_step bigint,
  credential_id text unique,
  public_key bytea,
  sign_count bigint,
  transports text[],
  backed_up boolean,
  created_at timestamptz(3) not null,
  verified_at timestamptz(3),
  last_used_at timestamptz(3),
  disabled_at timestamptz(3)
);
create index mfa_factors_of_user on mfa_factors (user_id);

create table recovery_codes (
  user_id uuid not null references users (id),
  code_hash bytea not null,
  created_at timestamptz(3) not null,
  used_at timestamptz(3),
  primary key (user_id, code_hash)
);

-- One budget for each (user, factor), so that new sessions, challenges, nodes and restarts share it.
create table guess_budgets (
  user_id uuid not null references users (id),
  factor text not null,
  failures timestamptz(3)[] not null default '{}',
  consecutive integer not null default 0,
  updated_at timestamptz(3) not null,
  primary key (user_id, factor)
);

create table one_time_tokens (
  id uuid primary key,
  kind text not null check (kind in ('invitation', 'password_reset', 'email_verification')),
  token_hash bytea not null unique,
  tenant_id uuid,
  user_id uuid,
  email text not null,
  data jsonb not null default '{}'::jsonb,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  used_at timestamptz(3)
);
create index one_time_tokens_of_user on one_time_tokens (user_id, kind);
create index one_time_tokens_of_email on one_time_tokens (tenant_id, lower(email), kind);

-- The feed that keeps every node's live view true. Ids are handed out before commit, so readers re-read an overlap.
create table changes (
  id bigint generated always as identity primary key,
  tenant_id uuid,
  kind text not null,
  ref text not null,
  at timestamptz(3) not null default clock_timestamp()
);
create index changes_at on changes (at);

create table signing_keys (
  kid text primary key,
  alg text not null check (alg in ('EdDSA', 'ES256')),
  public_jwk jsonb not null,
  private_key text,
  state text not null check (state in ('next', 'active', 'retired', 'revoked')),
  created_at timestamptz(3) not null,
  activated_at timestamptz(3),
  retired_at timestamptz(3),
  revoked_at timestamptz(3)
);
-- Of nodes that start together on an empty database, one makes the keys.
create unique index signing_keys_one_active on signing_keys (state) where state = 'active';
create unique index signing_keys_one_next on signing_keys (state) where state = 'next';

create table audit_logs (
  id uuid primary key,
  tenant_id uuid,
  created_at timestamptz(3) not null,
  action text not null,
  outcome text not null check (outcome in ('SUCCESS', 'FAIL')),
  failure_reason text,
  user_id uuid,
  actor_name text,
  staff_id uuid,
  session_id uuid,
  real_user_id uuid,
  is_impersonating boolean not null default false,
  resource text,
  resource_id text,
  old_value jsonb,
  new_value jsonb,
  metadata jsonb,
  ip_address text,
  country text,
  city text,
  user_agent text,
  correlation_id text not null,
  salt bytea,
  leaf_hash bytea not null
);
create index audit_logs_newest on audit_logs (tenant_id, created_at desc, id desc);

-- Written beside each audit row in the same transaction; the sealer takes from it.
create table audit_pending (
  id uuid primary key,
  tenant_id uuid,
  leaf_hash bytea not null
);

create function sallyport_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_logs is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_logs_append_only before update or delete on audit_logs
  for each row execute function sallyport_refuse_change();
create trigger audit_logs_no_truncate before truncate on audit_logs
  for each statement execute function sallyport_refuse_change();
