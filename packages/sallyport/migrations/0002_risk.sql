-- What the risk score rests on: devices that are trusted after a step-up, proofs of keys that were seen, lineages that are
-- shared, and indexes for the failures and incidents of the audit log.

create table trusted_devices (
  tenant_id uuid not null,
  staff_id uuid not null,
  -- A digest: what a client shows of its device is not kept here.
  device_hash text not null,
  trusted_until timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  primary key (tenant_id, staff_id, device_hash)
);

-- Proofs of keys (RFC 9449) that were accepted, until they would be refused for their age: each is good once on all nodes.
create table dpop_proofs (
  proof_hash bytea primary key,
  expires_at timestamptz(3) not null
);
create index dpop_proofs_expiry on dpop_proofs (expires_at);

-- The last generation that was handed out twice in a way that no honest retry explains, and how many of them in a row.
alter table token_families add column shared_generation integer not null default -1;
alter table token_families add column shared_run integer not null default 0;

-- Why a session waits, as it was answered: each refresh while it waits is answered the same.
alter table user_sessions add column step_up_risk jsonb;

create index audit_logs_failed_sign_ins on audit_logs (resource_id, created_at) where action = 'AUTH_LOGIN_FAILED';
create index audit_logs_failed_step_ups on audit_logs (user_id, created_at)
  where action = 'STEP_UP_VERIFIED' and outcome = 'FAIL';
create index audit_logs_incidents on audit_logs (tenant_id, created_at desc, id desc)
  where action = 'SUSPICIOUS_LOGIN_DETECTED';
create index audit_logs_of_request on audit_logs (tenant_id, correlation_id);
