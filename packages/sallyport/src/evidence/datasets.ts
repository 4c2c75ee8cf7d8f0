/**
 * Every dataset by its name.
 *
 * @module
 */

import type { HostActions } from '../audit/define-actions.ts'
import type { Dataset } from './dataset.ts'
import { auditLogs } from './datasets/audit-logs.ts'
import { refreshTokens } from './datasets/refresh-tokens.ts'
import { securityEvents } from './datasets/security-events.ts'
import { staffAccess } from './datasets/staff-access.ts'
import { stepUpChallenges } from './datasets/step-up-challenges.ts'
import { userSessions } from './datasets/user-sessions.ts'

export const DATASET_NAMES = [
  'audit-logs',
  'user-sessions',
  'refresh-tokens',
  'step-up-challenges',
  'security-events',
  'staff-access',
] as const
export type DatasetName = (typeof DATASET_NAMES)[number]

export const EXPORT_FORMATS = ['csv', 'json', 'ndjson'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** The datasets of an instance: security events hold the host's own actions that it marked. */
export function datasets(hostActions: HostActions): Readonly<Record<DatasetName, Dataset>> {
  return {
    'audit-logs': auditLogs,
    'user-sessions': userSessions,
    'refresh-tokens': refreshTokens,
    'step-up-challenges': stepUpChallenges,
    'security-events': securityEvents(hostActions),
    'staff-access': staffAccess,
  }
}
