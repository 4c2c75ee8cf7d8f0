-- A person's data can leave the audit log: values and salt of the personal columns go, the leaf stays, and so every proof.

-- Rows that are not sealed keep what their leaf is computed from.
create function sallyport_erase_audit_logs(ids uuid[]) returns bigint language plpgsql as $$
declare
  gone bigint;
begin
  update audit_logs l set actor_name = null, old_value = null, new_value = null, metadata = null, ip_address = null,
      country = null, city = null, user_agent = null, salt = null
    where l.id = any(ids) and l.salt is not null and exists (
      select from audit_seals s
      where s.tenant_id = coalesce(l.tenant_id, '00000000-0000-0000-0000-000000000000') and s.id = l.id
    );
  get diagnostics gone = row_count;
  return gone;
end
$$;

-- As before, and: an update may come from the function above alone, and take away nothing but personal columns and salt.
create or replace function sallyport_refuse_change() returns trigger language plpgsql as $$
declare
  stack text;
  erased audit_logs;
begin
  get diagnostics stack = pg_context;
  if tg_op = 'DELETE' and stack ~ 'function sallyport_purge_audit_logs\(uuid\[\]\) line'
    and old.created_at < clock_timestamp() - interval '400 days' then
    return old;
  end if;
  if tg_op = 'UPDATE' and stack ~ 'function sallyport_erase_audit_logs\(uuid\[\]\) line' then
    erased := old;
    erased.actor_name := null;
    erased.old_value := null;
    erased.new_value := null;
    erased.metadata := null;
    erased.ip_address := null;
    erased.country := null;
    erased.city := null;
    erased.user_agent := null;
    erased.salt := null;
    if new is not distinct from erased then return new; end if;
  end if;
  raise exception 'audit_logs is append-only' using errcode = 'insufficient_privilege';
end
$$;
