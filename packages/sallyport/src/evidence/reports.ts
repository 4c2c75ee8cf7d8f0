/**
 * The reports that stand behind the criteria: runs of the sealed log by action, so that a closed period reads the same for ever,
 * and two tables as they are now.
 *
 * @module
 */

import type { AuditAction } from '../audit/actions.ts'
import type { Dataset, LogDataset, StateDataset } from './dataset.ts'
import { AUDIT_COLUMNS } from './datasets/audit-logs.ts'
import { staffAccess } from './datasets/staff-access.ts'
import { userSessions } from './datasets/user-sessions.ts'

function report(name: string, title: string, criteria: readonly string[], actions: readonly AuditAction[]): LogDataset {
  return { kind: 'log', name, title, period: 'recorded_at', columns: AUDIT_COLUMNS, actions, criteria }
}

const SESSION_POLICY: StateDataset = {
  kind: 'state',
  name: 'session_exceptions',
  title: 'Sessions that live past their end: there must be none',
  table: 'session-exceptions',
  columns: userSessions.columns,
  criteria: ['CC6.1', 'CC6.2'],
}
const MFA_COVERAGE: StateDataset = {
  ...staffAccess,
  name: 'mfa_coverage',
  title: 'Members and the second factors that they have',
  columns: staffAccess.columns.filter(({ name }) =>
    ['staff_id', 'user_id', 'user_name', 'role', 'status', 'factors', 'last_seen_at'].includes(name),
  ),
  criteria: ['CC6.1'],
}
/** Whoever replays these knows who had which access at any date. */
const ACCESS_CHANGES: readonly AuditAction[] = [
  'TENANT_CREATED',
  'USER_JOINED',
  'USER_ENABLED',
  'USER_DISABLED',
  'USER_REMOVED',
  'USER_ROLE_UPDATED',
  'USER_PERMISSIONS_UPDATED',
]

const ACCESS_AS_OF: LogDataset = {
  ...report(
    'access_as_of',
    'What access was at any date: each change of it, from the beginning',
    ['CC6.3'],
    ACCESS_CHANGES,
  ),
  fromStart: true,
}

export const REPORTS: readonly Dataset[] = [
  ACCESS_AS_OF,
  MFA_COVERAGE,
  SESSION_POLICY,
  {
    kind: 'log',
    name: 'impersonation_activity',
    title: 'Everything that was done under impersonation',
    period: 'recorded_at',
    columns: AUDIT_COLUMNS,
    impersonating: true,
    criteria: ['CC6.1', 'CC6.3'],
  },
  report(
    'joiners',
    'Members who came',
    ['CC6.2'],
    ['TENANT_CREATED', 'USER_INVITED', 'INVITATION_REVOKED', 'USER_JOINED', 'USER_ENABLED'],
  ),
  report('leavers', 'Members who left or were disabled', ['CC6.2'], ['USER_DISABLED', 'USER_REMOVED']),
  report(
    'role_changes',
    'Changes of roles and permissions',
    ['CC6.3'],
    ['USER_ROLE_UPDATED', 'USER_PERMISSIONS_UPDATED'],
  ),
  report(
    'session_terminations',
    'Sessions that ended, by cause',
    ['CC6.1', 'CC6.2'],
    ['AUTH_LOGOUT', 'SESSION_REVOKED', 'SESSION_REVOKE_ALL', 'SESSION_INVALIDATED'],
  ),
  report('impersonations', 'Impersonations', ['CC6.1', 'CC6.3'], ['IMPERSONATION_STARTED', 'IMPERSONATION_ENDED']),
  report(
    'factor_changes',
    'Second factors that came and went',
    ['CC6.1'],
    ['MFA_ENROLLED', 'MFA_DISABLED', 'RECOVERY_CODES_REGENERATED'],
  ),
  report(
    'network_rules_history',
    'Changes of IP rules',
    ['CC6.6'],
    ['IP_RULE_CREATED', 'IP_RULE_UPDATED', 'IP_RULE_DELETED'],
  ),
  report(
    'blocked_attempts',
    'Attempts that were refused',
    ['CC6.6'],
    ['AUTH_LOGIN_FAILED', 'AUTH_REFRESH_FAILED', 'IP_ACCESS_DENIED'],
  ),
  report(
    'anomalies',
    'Suspicious sign-ins and reuse',
    ['CC6.6', 'CC7.2'],
    ['SUSPICIOUS_LOGIN_DETECTED', 'STEP_UP_REQUIRED'],
  ),
  report(
    'admin_changes',
    'Changes of settings and keys',
    ['CC8.1'],
    ['SETTINGS_UPDATED', 'SIGNING_KEY_ROTATED', 'SERVICE_KEY_CREATED', 'SERVICE_KEY_REVOKED'],
  ),
  report('exports_log', 'Exports', ['CC6.7'], ['DATA_EXPORT_STARTED', 'DATA_EXPORT_COMPLETED', 'DATA_EXPORT_FAILED']),
  report('retention_runs', 'What retention removed', ['CC5.2', 'C1.2'], ['EVIDENCE_PURGED']),
]
