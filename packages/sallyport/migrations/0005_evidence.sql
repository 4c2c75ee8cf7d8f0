-- The sealed log: each tenant's audit rows in one order that an outsider can check. Rows that belong to no tenant form the
-- service's own log, under the nil UUID.

-- The leaves. `seq` is dense from 0 within a log: a gap is evidence, so it comes from the log's head and from no sequence.
create table audit_seals (
  tenant_id uuid not null,
  seq bigint not null check (seq >= 0),
  id uuid not null,
  leaf_hash bytea not null,
  recorded_at timestamptz(3) not null,
  primary key (tenant_id, seq)
);
create unique index audit_seals_row on audit_seals (tenant_id, id);
-- Periods of an export are of recorded_at: one contiguous range of seq.
create index audit_seals_recorded on audit_seals (tenant_id, recorded_at, seq);

-- Hashes of complete subtrees at every fourth level, written when a subtree is full: what proofs are put together from.
create table audit_nodes (
  tenant_id uuid not null,
  level smallint not null,
  index bigint not null,
  hash bytea not null,
  primary key (tenant_id, level, index)
);

-- How far each log has come. `frontier` holds the hashes of its complete subtrees, largest first.
create table audit_heads (
  tenant_id uuid primary key,
  size bigint not null,
  frontier bytea not null,
  recorded_at timestamptz(3) not null
) with (fillfactor = 70);

create table audit_checkpoints (
  tenant_id uuid not null,
  size bigint not null,
  key_epoch integer not null,
  note text not null,
  signed_at timestamptz(3) not null,
  primary key (tenant_id, size, key_epoch)
);

-- What each log's key has signed last. Kept apart from the log: who winds a log back has to find this too.
create table audit_signed (
  tenant_id uuid primary key,
  size bigint not null,
  frontier bytea not null,
  signed_at timestamptz(3) not null
) with (fillfactor = 70);

-- One key a log, and another one each time that a log is anchored anew after a restore.
create table audit_log_keys (
  tenant_id uuid not null,
  epoch integer not null,
  public_key bytea not null,
  private_key text not null,
  created_at timestamptz(3) not null,
  primary key (tenant_id, epoch)
);

-- Which process seals. More than one does no harm, and no good.
create table audit_sealer (
  one boolean primary key default true check (one),
  holder text not null,
  until timestamptz not null
);

-- Sealed rows, nodes and checkpoints are added and never changed.
create function sallyport_refuse_evidence_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_seals_append_only before update or delete on audit_seals
  for each row execute function sallyport_refuse_evidence_change();
create trigger audit_seals_no_truncate before truncate on audit_seals
  for each statement execute function sallyport_refuse_evidence_change();
create trigger audit_nodes_append_only before update or delete on audit_nodes
  for each row execute function sallyport_refuse_evidence_change();
create trigger audit_nodes_no_truncate before truncate on audit_nodes
  for each statement execute function sallyport_refuse_evidence_change();
create trigger audit_checkpoints_append_only before update or delete on audit_checkpoints
  for each row execute function sallyport_refuse_evidence_change();
create trigger audit_checkpoints_no_truncate before truncate on audit_checkpoints
  for each statement execute function sallyport_refuse_evidence_change();
