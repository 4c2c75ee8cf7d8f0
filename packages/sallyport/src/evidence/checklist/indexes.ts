/**
 * The indexes without which a request would read a table from end to end.
 *
 * @module
 */

export const CHECKLIST_INDEXES: readonly string[] = [
  'users_email_key',
  'tenant_staff_user',
  'user_sessions_listing',
  'user_sessions_live_of_staff',
  'token_families_session',
  'token_families_live_of_staff',
  'refresh_tokens_tenant_id_token_hash_key',
  'refresh_tokens_lineage',
  'step_up_challenges_of_session',
  'one_time_tokens_of_user',
  'changes_at',
  'audit_logs_newest',
  'audit_seals_pkey',
  'audit_seals_recorded',
]
