-- Step-ups by passkey and by mail, and sign-ins that wait for a second factor.

-- A challenge belongs to a session, or to a sign-in that has none yet. `presented` and `device` are digests of what a waiting
-- session's step-up is bound to: the refresh token that was sent, and the device that sent it.
alter table step_up_challenges add column sign_in_id uuid;
alter table step_up_challenges add column presented text;
alter table step_up_challenges add column device text;
create index step_up_challenges_of_user on step_up_challenges (user_id, factor, created_at desc);

create table pending_sign_ins (
  id uuid primary key,
  tenant_id uuid not null,
  user_id uuid not null,
  staff_id uuid not null,
  -- How the client wants its tokens, and what is known of it: what the session is made with once the factor was given.
  wish jsonb not null,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  consumed_at timestamptz(3)
);
create index pending_sign_ins_expiry on pending_sign_ins (expires_at);

-- Failed requests by key, as the limiter library lays them out. Keys are keyed hashes; `expire` is in milliseconds since 1970.
create table rate_limits (
  key varchar(255) primary key,
  points integer not null default 0,
  expire bigint
);
create index rate_limits_expiry on rate_limits (expire);

-- Links that confirm the address that is to take another's place.
alter table one_time_tokens drop constraint one_time_tokens_kind_check;
alter table one_time_tokens add constraint one_time_tokens_kind_check
  check (kind in ('invitation', 'password_reset', 'email_verification', 'email_change'));
