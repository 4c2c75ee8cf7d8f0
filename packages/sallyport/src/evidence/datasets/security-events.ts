/**
 * The audit log without everyday traffic: what a reviewer of security reads.
 *
 * @module
 */

import { ACTIONS } from '../../audit/actions.ts'
import type { HostActions } from '../../audit/define-actions.ts'
import type { LogDataset } from '../dataset.ts'
import { AUDIT_COLUMNS } from './audit-logs.ts'

/** All built-in actions but these, and the host's own that it marked. */
const EVERYDAY: ReadonlySet<string> = new Set(['AUTH_TOKEN_REFRESH', 'PLAN_CHANGED'])

export function securityEvents(hostActions: HostActions): LogDataset {
  const marked = Object.values(hostActions).flatMap(({ action, security }) => (security ? [action as string] : []))
  return {
    kind: 'log',
    name: 'security-events',
    title: 'Security events',
    period: 'recorded_at',
    columns: AUDIT_COLUMNS,
    actions: [...ACTIONS.filter((action) => !EVERYDAY.has(action)), ...marked.sort()],
    criteria: ['CC6.6', 'CC7.2', 'CC7.3'],
  }
}
