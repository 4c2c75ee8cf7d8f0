/**
 * The Drizzle tables, for hosts that join with them or migrate with tools of their own.
 *
 * @module
 */

export {
  auditCheckpoints,
  auditCounts,
  auditHeads,
  auditLogKeys,
  auditLogs,
  auditNodes,
  auditPending,
  auditSealer,
  auditSeals,
  auditSigned,
  changes,
  guessBudgets,
  jobRuns,
  leases,
  mfaFactors,
  oneTimeTokens,
  recoveryCodes,
  refreshTokens,
  riskCounts,
  signingKeys,
  stepUpChallenges,
  tenants,
  tenantStaff,
  tokenFamilies,
  users,
  userSessions,
} from './store/postgres/schema.ts'
